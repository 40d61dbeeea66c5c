using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>One message of the log: slices that live only during the call, on the way in and on the way out.</summary>
public readonly ref struct LogRecord
{
    /// <summary>The topic name, UTF-8.</summary>
    public required ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>The forwardable PUBLISH properties, encoded.</summary>
    public ReadOnlySpan<byte> Properties { get; init; }

    /// <summary>The application message.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>The QoS it was published with.</summary>
    public required QoS QoS { get; init; }

    /// <summary>The RETAIN flag it was published with.</summary>
    public bool Retain { get; init; }

    /// <summary>When it expires on the loop's clock in ms; <see cref="long.MaxValue"/> for never. A file keeps wall time.</summary>
    public required long ExpiresAtMs { get; init; }

    /// <summary>The publishing session, for No Local; 0 when unknown.</summary>
    public ulong Origin { get; init; }

    /// <summary>The publish link it came by; null when it has no number. Only on the way in.</summary>
    public LogProducer? Producer { get; init; }

    /// <summary>Its number on that link. Only on the way in.</summary>
    public ulong Number { get; init; }

    /// <summary>The identity it was given elsewhere, when it came by another way than its own link. Only on the way in.</summary>
    public MessageId? Id { get; init; }

    /// <summary>Whether an older broker wrote it for members of shares alone: everyone had it under an earlier position.</summary>
    public bool IsForSharesOnly { get; init; }

    /// <summary>
    /// Beside <see cref="LogReading.Lost"/>: hashes of the tenants whose messages alone were lost; empty when anybody's may be.
    /// </summary>
    internal ReadOnlySpan<uint> LostOf { get; init; }

    /// <summary>When it was appended on the loop's clock in ms; time in which no broker ran is left out. Only on the way out.</summary>
    public long AppendedAtMs { get; init; }

    /// <summary>Its place; only on the way out.</summary>
    public LogPosition Position { get; init; }

    /// <summary>The same message with its place.</summary>
    public LogRecord At(LogPosition position) => new()
    {
        Topic = Topic,
        Properties = Properties,
        Payload = Payload,
        QoS = QoS,
        Retain = Retain,
        ExpiresAtMs = ExpiresAtMs,
        Origin = Origin,
        Position = position,
    };

    /// <summary>Whether its lifetime is over [MQTT-3.3.2-5].</summary>
    public bool IsExpired(long nowMs) => ExpiresAtMs <= nowMs;

    /// <summary>Seconds left, rounded up; null for no limit [MQTT-3.3.2-6]. Ask <see cref="IsExpired"/> first.</summary>
    public uint? RemainingSeconds(long nowMs) => MessageLifetime.RemainingSeconds(ExpiresAtMs, nowMs);
}

/// <summary>Message lifetimes on the loop's clock.</summary>
internal static class MessageLifetime
{
    /// <summary>When a message that comes now expires.</summary>
    public static long ExpiresAt(long nowMs, uint? seconds) =>
        seconds is { } lifetime ? nowMs + (lifetime * 1000L) : long.MaxValue;

    /// <summary>Seconds left, rounded up, at least 1; null for no limit.</summary>
    public static uint? RemainingSeconds(long expiresAtMs, long nowMs) =>
        expiresAtMs == long.MaxValue ? null : (uint)long.Clamp((expiresAtMs - nowMs + 999) / 1000, 1, uint.MaxValue);
}
