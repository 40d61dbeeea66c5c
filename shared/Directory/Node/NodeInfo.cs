namespace Trunkline.Directory;

/// <summary>What a node says of itself to the others.</summary>
/// <param name="Id">Identity of this run.</param>
/// <param name="Name">Name for people; it may stay the same over restarts.</param>
/// <param name="MqttEndpoint">Where devices reach it, host:port, or empty.</param>
/// <param name="ManagementEndpoint">Where its management listener is, host:port, or empty.</param>
/// <param name="Version">Version of the program.</param>
public sealed record NodeInfo(NodeId Id, string Name, string MqttEndpoint, string ManagementEndpoint, string Version);

/// <summary>Why a node is no longer in the directory.</summary>
public enum NodeGoneReason : byte
{
    /// <summary>It left in order.</summary>
    Left,

    /// <summary>Its counter stood still for a full lease and it was declared dead, by this node or another.</summary>
    Dead,
}
