namespace Trunkline.Topics;

/// <summary>
/// Where a paged reading of a <see cref="TopicIndex{T}"/> stands: a place in the order of topics, not a reference into
/// the index. So it needs no registration and no disposal, survives every change, and can travel to another process
/// as a token. <c>default</c> is the beginning.
/// </summary>
public readonly struct TopicCursor : IEquatable<TopicCursor>
{
    // The next entry is the first one not below _bound, or, when _after, the first one above it. null: the beginning.
    private readonly byte[]? _bound;
    private readonly bool _after;

    private TopicCursor(byte[]? bound, bool after, bool isEnd)
    {
        _bound = bound;
        _after = after;
        IsEnd = isEnd;
    }

    /// <summary>Nothing is left to read.</summary>
    public bool IsEnd { get; }

    /// <summary>Nothing was read yet.</summary>
    public bool IsStart => _bound is null && !IsEnd;

    internal static TopicCursor End => new(null, false, true);

    internal ReadOnlySpan<byte> Bound => _bound;

    internal bool IsAfterBound => _after;

    internal static TopicCursor At(byte[] bound) => new(bound, false, false);

    internal static TopicCursor After(byte[] bound) => new(bound, true, false);

    /// <summary>
    /// The place as bytes for the wire: empty at the beginning, else one byte ('=' at, '>' after, '.' end) and a topic.
    /// </summary>
    public byte[] ToToken() => IsEnd ? [(byte)'.'] : _bound is null ? [] : [_after ? (byte)'>' : (byte)'=', .. _bound];

    /// <summary>Reads a token; false if it is none. Any topic is a lawful place, so a forged token can do no harm.</summary>
    public static bool TryFromToken(ReadOnlySpan<byte> token, out TopicCursor cursor)
    {
        cursor = default;
        if (token.IsEmpty)
        {
            return true;
        }
        if (token.Length > TopicLimits.LargestBytes + 1)
        {
            return false;
        }
        switch (token[0])
        {
            case (byte)'.' when token.Length == 1:
                cursor = End;
                return true;
            case (byte)'=':
                cursor = At(token[1..].ToArray());
                return true;
            case (byte)'>':
                cursor = After(token[1..].ToArray());
                return true;
            default:
                return false;
        }
    }

    /// <inheritdoc/>
    public bool Equals(TopicCursor other) => IsEnd == other.IsEnd && IsStart == other.IsStart && _after == other._after && Bound.SequenceEqual(other.Bound);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TopicCursor other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)KeyHash.Of(_bound);

    /// <summary>The same place.</summary>
    public static bool operator ==(TopicCursor left, TopicCursor right) => left.Equals(right);

    /// <summary>Another place.</summary>
    public static bool operator !=(TopicCursor left, TopicCursor right) => !left.Equals(right);
}
