namespace Trunkline.Loadtest;

/// <summary>
/// Names of the figures that thresholds compare and `compare` lists: a percentile alone is that of the delivery latency
/// (churn: of the cycle, storm: of the return, conn: of the connect, pub: of the acknowledgement).
/// </summary>
internal static class FigureNames
{
    private static readonly string[] Latencies = ["connect", "subscribe", "ack", "lag", "delivery", "cycle", "return", "undisturbed"];
    private static readonly string[] Statistics = ["min", "mean", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max"];
    private static readonly string[] Numbers =
    [
        "rate", "published", "delivered", "connected", "connrate", "cyclerate", "lost", "duplicates", "reordered",
        "foreign", "backlog", "failures", "disconnects", "refused",
    ];

    private static readonly string[] PerProcess = ["cpu", "rss", "rssperconn", "cpushare"];

    /// <summary>All in one sentence, for an error.</summary>
    public static string Known =>
        $"{string.Join(", ", Statistics)} (alone or after {string.Join(", ", Latencies.Select(latency => latency + "."))}), {string.Join(", ", Numbers)}, "
        + "back50, back99, back100, and cpu, cpushare, rss, rssperconn (alone for all processes named, or .NAME; .loadtest is this program)";

    /// <summary>Whether there is such a figure.</summary>
    public static bool IsKnown(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return Statistics.Contains(name) || Numbers.Contains(name) || IsStorm(name)
            || (dot > 0 && Latencies.Contains(name[..dot]) && Statistics.Contains(name[(dot + 1)..]))
            || PerProcess.Contains(dot > 0 ? name[..dot] : name);
    }

    /// <summary>Whether its values are times, in microseconds.</summary>
    public static bool IsTime(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        string family = dot > 0 ? name[..dot] : name;
        return Statistics.Contains(name) || Latencies.Contains(family) || IsStorm(name) || family == "cpu";
    }

    private static bool IsStorm(string name) => name is "back50" or "back99" or "back100";
}
