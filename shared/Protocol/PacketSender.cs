namespace Trunkline.Protocol;

/// <summary>Which side sent the packet that is parsed: some fields and reason codes are one side's only.</summary>
public enum PacketSender : byte
{
    /// <summary>The client: a device, or a link towards a broker.</summary>
    Client,

    /// <summary>The server.</summary>
    Server,
}
