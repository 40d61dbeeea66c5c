namespace Trunkline.Topics;

/// <summary>Whether one filter matches one topic name; for many filters there is <see cref="FilterIndex{T}"/>. Any thread.</summary>
public static class TopicMatcher
{
    /// <summary>
    /// Whether a valid filter (without <c>$share/name/</c>) matches a valid topic name. One pass over both, no
    /// allocation: each level is compared once, since a wildcard never has to be tried at several places.
    /// </summary>
    public static bool Matches(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic)
    {
        if (HidesReserved(filter, topic))
        {
            return false; // [MQTT-4.7.2-1]
        }
        int filterStart = 0, topicStart = 0;
        while (true)
        {
            int filterEnd = TopicText.LevelEnd(filter, filterStart);
            ReadOnlySpan<byte> level = filter[filterStart..filterEnd];
            if (filterEnd == filter.Length && level is [TopicText.MultiLevel])
            {
                return true;
            }
            int topicEnd = TopicText.LevelEnd(topic, topicStart);
            if (level is not [TopicText.SingleLevel] && !level.SequenceEqual(topic[topicStart..topicEnd]))
            {
                return false; // Byte for byte: no folding, no normalization [MQTT-4.7.3-4].
            }
            if (topicEnd == topic.Length)
            {
                // # also stands for the level above it: sport/# matches sport.
                return filterEnd == filter.Length || filter[filterEnd..] is [TopicText.Separator, TopicText.MultiLevel];
            }
            if (filterEnd == filter.Length)
            {
                return false;
            }
            filterStart = filterEnd + 1;
            topicStart = topicEnd + 1;
        }
    }

    /// <summary>A filter that begins with a wildcard does not see topics that begin with $ [MQTT-4.7.2-1].</summary>
    internal static bool HidesReserved(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic) =>
        topic is [TopicText.Reserved, ..] && filter is [TopicText.SingleLevel or TopicText.MultiLevel, ..];
}
