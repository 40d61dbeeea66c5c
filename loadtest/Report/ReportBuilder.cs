using System.Globalization;
using Trunkline.Hosting.Configuration;

namespace Trunkline.Loadtest;

/// <summary>Puts together what loops, watch and processes know, after the run.</summary>
internal static class ReportBuilder
{
    /// <summary>Builds the report and judges the thresholds.</summary>
    public static async Task<RunReport> BuildAsync(LoadSession session, ILoadRun run, string command, bool isInterrupted)
    {
        var figures = new LoopFigures();
        foreach (LoadLoop loop in session.Loops)
        {
            await loop.Loop.InvokeAsync(() => figures.Add(loop.Figures));
        }

        RunWatch watch = session.Watch;
        string pattern = session.Options.Pattern.ToString().ToLowerInvariant();
        (string latency, string unit, long units) = MainOf(session.Options, watch);
        double seconds = Math.Max(1e-9, watch.MeasuredSeconds);
        var report = new RunReport
        {
            Version = ProgramVersion.Of(typeof(ReportBuilder).Assembly),
            Name = session.Options.Name ?? pattern,
            Pattern = pattern,
            Command = command,
            StartedAt = watch.StartedAt,
            Cores = Environment.ProcessorCount,
            LoadAverage = ReadLoadAverage(),
            IsInterrupted = isInterrupted,
            MeasuredSeconds = watch.MeasuredSeconds,
            Clients = run.Clients,
            Connected = watch.ConnectedAtMark,
            ConnectSeconds = watch.ConnectSeconds,
            Counts = CountsOf(figures.Counts, watch),
            PublishRate = figures.Counts.PublishedMeasured / seconds,
            DeliverRate = figures.Counts.DeliveredMeasured / seconds,
            DeliverBytesRate = figures.Counts.DeliveredBytes / seconds,
            CycleRate = figures.Counts.Cycles / seconds,
            Latencies = LatenciesOf(figures),
            MainLatency = latency,
            Unit = unit,
            Processes = [.. watch.Processes.Select(process => ProcessOf(process, watch, units))],
            Storms = [.. watch.Storms],
            Reasons = figures.Reasons.ToDictionary(),
            Seconds = [.. watch.Seconds],
            Late = figures.Late,
        };
        return report with { Thresholds = [.. session.Options.Thresholds.Select(rule => Figures.Judge(report, rule))] };
    }

    private static (string Latency, string Unit, long Units) MainOf(LoadOptions options, RunWatch watch) =>
        options.Pattern switch
        {
            LoadPattern.Conn => ("connect", "connection", 0),
            LoadPattern.Pub => ("ack", "published message", watch.Published),
            LoadPattern.Churn => ("cycle", "cycle", watch.Cycles),
            LoadPattern.Storm => ("cycle", "connection back", watch.Storms.Sum(storm => storm.Back)),
            _ => ("delivery", "delivered message", watch.Delivered),
        };

    private static RunCounts CountsOf(in Counters counts, RunWatch watch) => new()
    {
        Published = counts.Published,
        Repeated = counts.Repeated,
        Acknowledged = counts.Acknowledged,
        Refused = counts.Refused,
        Backlog = watch.Backlog,
        Expected = counts.Expected,
        Delivered = counts.Delivered,
        Lost = watch.Lost,
        Duplicates = counts.Duplicates,
        Reordered = counts.Reordered,
        Foreign = counts.Foreign,
        Connects = counts.Connects,
        ConnectFailures = counts.ConnectFailures,
        Disconnects = counts.Disconnects,
        Cycles = counts.Cycles,
    };

    private static Dictionary<string, LatencySummary> LatenciesOf(LoopFigures figures)
    {
        var all = new Dictionary<string, LatencySummary>(StringComparer.Ordinal);
        foreach ((string name, Histogram histogram) in new[]
        {
            ("delivery", figures.Delivery), ("ack", figures.Acknowledge), ("lag", figures.Lag),
            ("connect", figures.Connect), ("subscribe", figures.Subscribe), ("cycle", figures.Cycle), ("return", figures.Return),
        })
        {
            if (LatencySummary.Of(histogram) is { } summary)
            {
                all.Add(name, summary);
            }
        }

        // Where nobody was cut off it is the delivery over again.
        if (figures.Counts.Disconnects > 0 && LatencySummary.Of(figures.Undisturbed) is { } undisturbed)
        {
            all.Add("undisturbed", undisturbed);
        }

        return all;
    }

    private static ProcessReport ProcessOf(ProcessWatch process, RunWatch watch, long units) => new()
    {
        Name = process.Name,
        Pids = process.Pids,
        CpuSeconds = process.CpuSeconds,
        CpuShare = process.CpuSeconds / Math.Max(1e-9, watch.CpuSeconds),
        CpuUsPerUnit = units > 0 ? process.CpuSeconds * 1e6 / units : null,
        RssBefore = process.RssBefore,
        RssConnected = process.RssConnected,
        RssEnd = process.RssEnd,
        RssPeak = process.RssPeak,
        RssPerConnection = watch.ConnectedAtMark > 0 ? (double)(process.RssConnected - process.RssBefore) / watch.ConnectedAtMark : null,
        IsGone = process.IsGone,
    };

    private static double ReadLoadAverage() =>
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
}
