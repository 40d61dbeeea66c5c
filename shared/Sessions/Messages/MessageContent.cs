using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>What a <see cref="SharedMessage"/> is filled from: slices that live only during the call.</summary>
public readonly ref struct MessageContent
{
    /// <summary>The topic name, UTF-8, never empty.</summary>
    public ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>The forwardable PUBLISH properties, encoded.</summary>
    public ReadOnlySpan<byte> Properties { get; init; }

    /// <summary>The application message.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>The QoS it was published with.</summary>
    public QoS QoS { get; init; }

    /// <summary>The RETAIN flag it was published with.</summary>
    public bool Retain { get; init; }

    /// <summary>When it expires on the loops' monotonic clock in ms; <see cref="long.MaxValue"/> for never.</summary>
    public required long ExpiresAtMs { get; init; }

    /// <summary>The publishing session, for No Local; 0 when unknown.</summary>
    public ulong Origin { get; init; }
}
