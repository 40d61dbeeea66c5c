using Trunkline.Sessions;

namespace Trunkline.Directory;

/// <summary>The directory's own part of one session's record; the fields of <see cref="RedisKeys"/> by name.</summary>
internal readonly record struct MemoryHeader(long Epoch, NodeId Node, long AttachNumber, string Info)
{
    /// <summary>Number of the last write under this token.</summary>
    internal long Number { get; init; }

    /// <summary>Session expiry, s; above 0 a persistent session is stored.</summary>
    internal uint ExpirySeconds { get; init; }

    /// <summary>Delay of the stored will, s; null without one.</summary>
    internal uint? WillDelaySeconds { get; init; }

    internal long WillEpoch { get; init; }

    internal NodeId LastNode { get; init; }

    internal IReadOnlyList<LogPosition>? Checkpoint { get; init; }

    internal bool IsHeld => !Node.IsNone;

    internal SessionToken Token => IsHeld ? new(Epoch, Node) : SessionToken.None;
}

/// <summary>One session's record.</summary>
internal sealed class MemorySession
{
    internal MemoryHeader Header { get; set; }

    internal Dictionary<string, ReadOnlyMemory<byte>> Fields { get; } = new(StringComparer.Ordinal);

    internal StoredSession ToStored() => new(
        Header.Token, Header.AttachNumber, Header.Info, Header.ExpirySeconds > 0, Header.ExpirySeconds,
        [.. Fields.Select(field => new SessionField(field.Key, field.Value))])
    {
        LastNode = Header.LastNode,
        Checkpoint = Header.Checkpoint,
        WillDelaySeconds = Header.WillDelaySeconds,
    };
}
