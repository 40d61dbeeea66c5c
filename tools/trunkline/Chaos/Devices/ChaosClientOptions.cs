using Trunkline.Protocol;

namespace Trunkline.Tool.Chaos;

/// <summary>How a chaos device connects.</summary>
internal sealed record ChaosClientOptions
{
    public required string ClientId { get; init; }

    /// <summary>Chooses the port of each connection: devices go to any proxy.</summary>
    public required Func<int> ChoosePort { get; init; }

    public ProtocolVersion Version { get; init; } = ProtocolVersion.Mqtt50;

    /// <summary>Seconds that the session outlives a connection; 3.1.1 keeps it for ever.</summary>
    public uint SessionExpirySeconds { get; init; } = 7200;

    /// <summary>Will topic and payload; null for none.</summary>
    public (string Topic, string Payload)? Will { get; init; }

    /// <summary>Pause before each further attempt; a little of its own for each device, so that they do not come in step.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromMilliseconds(150);
}

/// <summary>What a device does with its connection. Called by the device's own task, one call at a time.</summary>
internal interface IChaosClientOwner
{
    /// <summary>CONNACK came; bytes written to <paramref name="output"/> leave first.</summary>
    void Connected(bool isSessionPresent, System.Buffers.IBufferWriter<byte> output);

    /// <summary>A frame came; answers are written to <paramref name="output"/>.</summary>
    void Received(in Frame frame, System.Buffers.IBufferWriter<byte> output);

    /// <summary>The connection is gone; the device tries again.</summary>
    void Lost();
}
