namespace Trunkline.Transports;

/// <summary>Where a connection came from; immutable, small, shared parts apart.</summary>
public sealed class ConnectionOrigin
{
    /// <summary>An origin without any address: memory, tests.</summary>
    public static ConnectionOrigin Memory { get; } = new(new ListenerIdentity("memory", "memory", default), default);

    /// <summary>Makes an origin.</summary>
    public ConnectionOrigin(ListenerIdentity listener, NetworkAddress remote, ConnectionOriginDetails? details = null)
    {
        Listener = listener;
        Remote = remote;
        Details = details;
    }

    /// <summary>The listener that took it, or the connector that made it.</summary>
    public ListenerIdentity Listener { get; }

    /// <summary>The device's address: the peer's own, or what a trusted proxy said of it.</summary>
    public NetworkAddress Remote { get; }

    /// <summary>What only some connections have; null for a plain one.</summary>
    public ConnectionOriginDetails? Details { get; }

    /// <inheritdoc/>
    public override string ToString() => Details?.Peer is { IsNone: false } peer ? $"{Remote} via {peer}" : Remote.ToString();
}
