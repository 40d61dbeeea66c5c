namespace Trunkline.Links;

/// <summary>The topics links and our broker talk on, and those no device may use.</summary>
internal static class ControlTopics
{
    public static ReadOnlySpan<byte> Prefix => "$trunkline/"u8;

    public static ReadOnlySpan<byte> Resume => "$trunkline/resume"u8;

    public static ReadOnlySpan<byte> Retained => "$trunkline/retained"u8;

    public static ReadOnlySpan<byte> Log => "$trunkline/log"u8;

    public static ReadOnlySpan<byte> Shares => "$trunkline/shares"u8;

    public static ReadOnlySpan<byte> Tail => "$trunkline/tail"u8;

    /// <summary>The response topic of every request of a link; nobody subscribes it, replies come to the asking connection alone.</summary>
    public static ReadOnlySpan<byte> Reply => "$trunkline/reply"u8;

    /// <summary>Where the markers of replay connections go on a foreign broker, before the node's own name.</summary>
    public static ReadOnlySpan<byte> Marker => "trunkline/marker/"u8;

    /// <summary>Where the probe of a foreign broker plays.</summary>
    public static ReadOnlySpan<byte> Probe => "trunkline/probe/"u8;

    public static ReadOnlySpan<byte> Sys => "$SYS"u8;

    /// <summary>Whether a message of a foreign broker is the links' own: a device's # must not show it.</summary>
    public static bool IsForeignTraffic(ReadOnlySpan<byte> topic) => topic.StartsWith(Marker) || topic.StartsWith(Probe);

    /// <summary>Whether a topic or filter belongs to $SYS, which the node answers itself.</summary>
    public static bool IsSys(ReadOnlySpan<byte> topic) => IsUnder(topic, Sys);

    /// <summary>Whether a topic or filter is the tier's own.</summary>
    public static bool IsTrunkline(ReadOnlySpan<byte> topic) => IsUnder(topic, Prefix[..^1]);

    /// <summary>Whether devices may not publish there.</summary>
    public static bool IsReserved(ReadOnlySpan<byte> topic) =>
        topic[0] == (byte)'$' && (IsSys(topic) || IsTrunkline(topic));

    private static bool IsUnder(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> first) =>
        topic.StartsWith(first) && (topic.Length == first.Length || topic[first.Length] == (byte)'/');
}
