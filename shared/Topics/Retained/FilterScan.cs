namespace Trunkline.Topics;

/// <summary>What a topic of the ordered sequence means for a filter.</summary>
internal enum ScanStep
{
    /// <summary>It matches; go on with the next entry.</summary>
    Match,

    /// <summary>It does not, but the next one may.</summary>
    Next,

    /// <summary>No topic below the target, which is above this one, does.</summary>
    Seek,

    /// <summary>No topic above does.</summary>
    End,
}

/// <summary>Decides how a reading of a <see cref="TopicIndex{T}"/> goes on; <c>default</c> matches everything.</summary>
internal readonly ref struct FilterScan(ReadOnlySpan<byte> filter)
{
    private readonly ReadOnlySpan<byte> _filter = filter;

    /// <summary>No match is below this: what stands before the first wildcard, without its last slash (a/# matches a).</summary>
    public ReadOnlySpan<byte> FirstTopic
    {
        get
        {
            int wildcard = _filter.IndexOfAny(TopicText.SingleLevel, TopicText.MultiLevel);
            return wildcard < 0 ? _filter : wildcard == 0 ? default : _filter[..(wildcard - 1)];
        }
    }

    /// <summary>Looks at a topic; the target of a Seek is written to the buffer, which grows as needed.</summary>
    public ScanStep Look(ReadOnlySpan<byte> topic, ref byte[] target, out int targetLength)
    {
        targetLength = 0;
        if (_filter.IsEmpty)
        {
            return ScanStep.Match;
        }
        if (TopicMatcher.HidesReserved(_filter, topic))
        {
            return SeekTo(default, [TopicText.Reserved + 1], ref target, out targetLength); // [MQTT-4.7.2-1]
        }
        int filterStart = 0, topicStart = 0;
        bool fixedSoFar = true;
        while (true)
        {
            int filterEnd = TopicText.LevelEnd(_filter, filterStart);
            ReadOnlySpan<byte> wanted = _filter[filterStart..filterEnd];
            if (filterEnd == _filter.Length && wanted is [TopicText.MultiLevel])
            {
                return ScanStep.Match;
            }
            int topicEnd = TopicText.LevelEnd(topic, topicStart);
            if (wanted is [TopicText.SingleLevel])
            {
                fixedSoFar = false;
            }
            else
            {
                int order = TopicOrder.Compare(topic[topicStart..topicEnd], wanted);
                if (order != 0)
                {
                    return order < 0
                        ? SeekTo(topic[..topicStart], wanted, ref target, out targetLength)
                        : fixedSoFar ? ScanStep.End : SeekPast(topic, topicStart, ref target, out targetLength);
                }
            }
            if (topicEnd == topic.Length)
            {
                bool matches = filterEnd == _filter.Length || _filter[filterEnd..] is [TopicText.Separator, TopicText.MultiLevel];
                return matches ? ScanStep.Match : ScanStep.Next; // What it matches may be right below this topic.
            }
            if (filterEnd == _filter.Length)
            {
                // Nothing below here is short enough.
                return fixedSoFar ? ScanStep.End : SeekPast(topic, topicEnd + 1, ref target, out targetLength);
            }
            filterStart = filterEnd + 1;
            topicStart = topicEnd + 1;
        }
    }

    /// <summary>
    /// To the end of the topics that share the levels before <paramref name="levelStart"/>: one of them met a +, so there
    /// is at least one. Where none did there is no other way to meet the filter, and the reading ends instead.
    /// </summary>
    private static ScanStep SeekPast(ReadOnlySpan<byte> topic, int levelStart, ref byte[] target, out int targetLength) =>
        SeekTo(topic[..(levelStart - 1)], [TopicOrder.AfterSubtree], ref target, out targetLength);

    private static ScanStep SeekTo(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> rest, ref byte[] target, out int length)
    {
        length = prefix.Length + rest.Length;
        if (target.Length < length)
        {
            target = new byte[Math.Max(256, length)];
        }
        prefix.CopyTo(target);
        rest.CopyTo(target.AsSpan(prefix.Length));
        return ScanStep.Seek;
    }
}
