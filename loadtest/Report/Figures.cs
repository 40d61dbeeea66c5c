namespace Trunkline.Loadtest;

/// <summary>Finds figures of a report by the names of thresholds.</summary>
internal static class Figures
{
    /// <summary>The figure: microseconds for times, bytes, or a plain number; null when the run has none.</summary>
    public static double? Find(RunReport report, string name)
    {
        if (report.Latencies.GetValueOrDefault(report.MainLatency)?.Statistic(name) is { } main)
        {
            return main;
        }

        int dot = name.IndexOf('.', StringComparison.Ordinal);
        string family = dot > 0 ? name[..dot] : name;
        string rest = dot > 0 ? name[(dot + 1)..] : "";
        if (family is "cpu" or "cpushare" or "rss" or "rssperconn")
        {
            return OfProcesses(report, family, rest);
        }

        return dot > 0 ? report.Latencies.GetValueOrDefault(family)?.Statistic(rest) : Number(report, name);
    }

    /// <summary>Whether a rule is kept; a share is taken of what was expected.</summary>
    public static ThresholdResult Judge(RunReport report, Threshold rule)
    {
        double? actual = Find(report, rule.Figure);
        if (rule.Unit == ThresholdUnit.Share && rule.Figure is not "cpushare")
        {
            actual /= Math.Max(1, Base(report, rule.Figure));
        }

        return new ThresholdResult(rule.Text, actual, rule.IsKept(actual));
    }

    private static double Base(RunReport report, string figure) => figure switch
    {
        "lost" or "duplicates" or "reordered" or "delivered" or "foreign" => report.Counts.Expected > 0 ? report.Counts.Expected : report.Counts.Delivered,
        "backlog" or "refused" => report.Counts.Published + report.Counts.Backlog,
        "failures" => report.Counts.Connects + report.Counts.ConnectFailures,
        _ => report.Clients,
    };

    private static double? Number(RunReport report, string name) => name switch
    {
        "rate" => report.Pattern == "pub" ? report.PublishRate : report.DeliverRate,
        "published" => report.Counts.Published,
        "delivered" => report.Counts.Delivered,
        "connected" => report.Connected,
        "connrate" => report.Connected / Math.Max(1e-9, report.ConnectSeconds),
        "cyclerate" => report.CycleRate,
        "lost" => report.Counts.Lost,
        "duplicates" => report.Counts.Duplicates,
        "reordered" => report.Counts.Reordered,
        "foreign" => report.Counts.Foreign,
        "backlog" => report.Counts.Backlog,
        "failures" => report.Counts.ConnectFailures,
        "disconnects" => report.Counts.Disconnects,
        "refused" => report.Counts.Refused,
        "back50" => Worst(report, storm => storm.HalfUs),
        "back99" => Worst(report, storm => storm.Share99Us),
        "back100" => Worst(report, storm => storm.AllUs),
        _ => null,
    };

    /// <summary>The slowest storm; none when one did not get there.</summary>
    private static double? Worst(RunReport report, Func<StormResult, double?> time) =>
        report.Storms.Count > 0 && report.Storms.All(storm => time(storm) is not null) ? report.Storms.Max(time) : null;

    /// <summary>Without a name all processes named by the user are added, not this program.</summary>
    private static double? OfProcesses(RunReport report, string family, string name)
    {
        ProcessReport[] chosen = name.Length > 0
            ? [.. report.Processes.Where(process => process.Name == name)]
            : [.. report.Processes.SkipLast(1)];
        Func<ProcessReport, double?> value = family switch
        {
            "cpu" => process => process.CpuUsPerUnit,
            "cpushare" => process => process.CpuShare,
            "rss" => process => process.RssEnd,
            _ => process => process.RssPerConnection,
        };
        return chosen.Length > 0 && chosen.All(process => value(process) is not null) ? chosen.Sum(value) : null;
    }
}
