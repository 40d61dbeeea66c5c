using Trunkline.Protocol;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>What a test device says in CONNECT, and how it behaves.</summary>
public sealed record TestDeviceOptions
{
    /// <summary>The client identifier; a new one of its own by default.</summary>
    public string ClientId { get; init; } = "test-" + Guid.NewGuid().ToString("N")[..12];

    public ProtocolVersion Version { get; init; } = ProtocolVersion.Mqtt50;

    public bool CleanStart { get; init; } = true;

    /// <summary>0: none; the device sends no PINGREQ by itself.</summary>
    public ushort KeepAliveSeconds { get; init; }

    public uint SessionExpirySeconds { get; init; }

    public ushort ReceiveMaximum { get; init; } = 65_535;

    public ushort TopicAliasMaximum { get; init; }

    public uint MaximumPacketSize { get; init; }

    public TestMessage? Will { get; init; }

    public uint WillDelaySeconds { get; init; }

    /// <summary>False: the test acknowledges what it wants to.</summary>
    public bool Acknowledges { get; init; } = true;

    /// <summary>How long each wait of the device may take.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(45);
}

/// <summary>CONNACK, as far as tests look at it.</summary>
public sealed record TestConnAck(
    ReasonCode ReasonCode,
    bool SessionPresent,
    string? AssignedClientId,
    ushort ReceiveMaximum,
    ushort TopicAliasMaximum,
    uint MaximumPacketSize,
    ushort? ServerKeepAliveSeconds,
    string? ReasonString);
