
namespace Trunkline.Sessions.Tests.Harness;

/// <summary>What a test client puts into CONNECT.</summary>
public sealed record ConnectSettings(ProtocolVersion Version, string ClientId)
{
    public bool Clean { get; init; } = true;

    public ushort KeepAlive { get; init; }

    public uint Expiry { get; init; }

    public ushort ReceiveMaximum { get; init; } = ushort.MaxValue;

    public uint MaximumPacketSize { get; init; }

    public ushort AliasMaximum { get; init; }

    public bool WantsResponseInformation { get; init; }

    public bool WantsProblemInformation { get; init; } = true;

    public string? UserName { get; init; }

    public string? Password { get; init; }

    public string? AuthenticationMethod { get; init; }

    public bool IsBridge { get; init; }

    public WillSettings? Will { get; init; }
}

/// <summary>The will of a test client.</summary>
public sealed record WillSettings(string Topic, string Payload)
{
    public QoS QoS { get; init; }

    public bool Retain { get; init; }

    public uint Delay { get; init; }

    public uint? Expiry { get; init; }

    public string? ResponseTopic { get; init; }

    public string? ContentType { get; init; }

    public IReadOnlyList<(string Key, string Value)> UserProperties { get; init; } = [];
}

/// <summary>What a test client puts into PUBLISH.</summary>
public sealed record PublishSettings
{
    public QoS QoS { get; init; }

    public ushort Id { get; init; }

    public bool Retain { get; init; }

    public bool Duplicate { get; init; }

    public ushort Alias { get; init; }

    public uint? Expiry { get; init; }

    /// <summary>Properties as they go on the wire, without length; for what an honest client would not send, too.</summary>
    public byte[] Properties { get; init; } = [];
}
