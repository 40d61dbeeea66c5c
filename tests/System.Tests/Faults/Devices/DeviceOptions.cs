using System.Net;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>What one <see cref="FaultDevice"/> is.</summary>
public sealed record DeviceOptions
{
    public string ClientId { get; init; } = "";

    public ProtocolVersion Version { get; init; } = ProtocolVersion.Mqtt50;

    /// <summary>Long, so that no keep alive hides a fault, unless a test wants it.</summary>
    public ushort KeepAliveSeconds { get; init; } = 600;

    public bool CleanStart { get; init; } = true;

    /// <summary>Seconds the session outlives the connection.</summary>
    public uint SessionExpirySeconds { get; init; }

    /// <summary>Address it comes from: log lines are held back per address, so a test that reads the log takes one of its own.</summary>
    public IPAddress From { get; init; } = IPAddress.Loopback;

    /// <summary>An older connection of the same client: both share what the client knows of QoS 2 messages that came and were not released yet.</summary>
    public FaultDevice? GoesOnFrom { get; init; }

    /// <summary>Nothing is read before <see cref="GoesOnFrom"/> has ended: what came there came first.</summary>
    public bool ReadsAfterIt { get; init; }

    /// <summary>
    /// All connections that go on from one another are read by one reader at a time, which takes whatever lies on any of
    /// them: as a client does that has several at once. Read side by side, what lies on an older one could be taken long after
    /// the newer one has released it, and would look like a second delivery.
    /// </summary>
    public bool ReadsInOrder { get; init; }

    /// <summary>Called for each message on the reading thread, from the first on.</summary>
    public Action<ReceivedMessage>? OnMessage { get; init; }

    /// <summary>Receive buffer of the socket; 0 leaves the kernel's. A slow reader has a small one.</summary>
    public int ReceiveBufferBytes { get; init; }
}

/// <summary>A message as a device got it.</summary>
public sealed record ReceivedMessage(string Topic, string Payload, QoS QoS, bool Retain, bool Duplicate);

/// <summary>How a connection ended.</summary>
/// <param name="Disconnect">Reason code of the server's DISCONNECT; null when the connection just closed.</param>
/// <param name="Detail">The reason string, or how the socket ended.</param>
public sealed record DeviceEnd(ReasonCode? Disconnect, string Detail);

/// <summary>CONNACK refused the device.</summary>
public sealed class ConnectRefusedException(ReasonCode reason, string detail)
    : Exception($"CONNACK {reason}: {detail}")
{
    public ReasonCode Reason { get; } = reason;
}
