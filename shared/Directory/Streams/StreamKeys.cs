using System.Globalization;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// Keys of one group's stream, all with one tag, so that each script has one Cluster slot:
/// <code>
/// {tl1:log:(group)}:s   stream  one field d per message
/// {tl1:log:(group)}:n   hash    producer -> its last number
/// {tl1:log:(group)}:u   zset    producer by its last append (ms)
/// {tl1:log:(group)}:i   zset    ids of messages that were appended under an id of their own, by time (ms)
/// {tl1:log:(group)}:m   list    marks, oldest first: (bytes appended so far) (stream id) (ms); what trimming cuts at
/// {tl1:log:(group)}:t   hash    b bytes appended so far, l last id, mb and mt bytes and time of the last mark,
///                               rb bytes trimmed so far, r the last id that was trimmed
/// </code>
/// </summary>
internal sealed class StreamKeys
{
    internal StreamKeys(string prefix, string group)
    {
        string tag = string.Create(CultureInfo.InvariantCulture, $"{{{prefix}{RedisKeys.Schema}:log:{Uri.EscapeDataString(group)}}}:");
        Stream = tag + "s";
        All = [Stream, tag + "n", tag + "t", tag + "i", tag + "m", tag + "u"];
        StreamAndState = [Stream, tag + "t"];
        Reading = [Stream, tag + "t", tag + "m"];
    }

    internal RedisKey Stream { get; }

    internal RedisKey[] All { get; }

    internal RedisKey[] StreamAndState { get; }

    internal RedisKey[] Reading { get; }
}
