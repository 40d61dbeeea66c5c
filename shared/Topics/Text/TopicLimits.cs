namespace Trunkline.Topics;

/// <summary>How long and how deep a topic name or filter may be. Input; immutable; shared by every caller.</summary>
public sealed record TopicLimits
{
    /// <summary>The longest UTF-8 string the protocol can carry, in bytes [MQTT-4.7.3-3].</summary>
    public const int LargestBytes = 65_535;

    /// <summary>A string of 65,535 slashes has this many levels.</summary>
    public const int LargestLevels = LargestBytes + 1;

    /// <summary>128 levels, 65,535 bytes.</summary>
    public static TopicLimits Default { get; } = new();

    /// <summary>Levels a name or filter may have, the share name not counted; 1 to 65,536.</summary>
    public int MaximumLevels
    {
        get;
        init => field = value is >= 1 and <= LargestLevels ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 128;

    /// <summary>
    /// Levels of a filter that may be the wildcard +; 0 to 65,536. It bounds what a match can cost: over a topic of n levels
    /// at most the sum of C(n + 1, k + 1) for k from 0 to this limit (8 levels of 16: 89,845 nodes; 4: 9,401), whatever the
    /// filters, and never more than there are nodes.
    /// </summary>
    public int MaximumSingleLevelWildcards
    {
        get;
        init => field = value is >= 0 and <= LargestLevels ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = LargestLevels;

    /// <summary>Bytes a name or filter may have, <c>$share/name/</c> counted; 1 to 65,535.</summary>
    public int MaximumBytes
    {
        get;
        init => field = value is >= 1 and <= LargestBytes ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = LargestBytes;
}
