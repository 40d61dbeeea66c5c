using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>The figures of a report as named lines, for text and HTML alike; lines that say nothing are left out.</summary>
internal static class ReportTable
{
    /// <summary>Names and values, in reading order.</summary>
    public static IReadOnlyList<(string Name, string Value)> Of(RunReport report)
    {
        var lines = new List<(string, string)>();
        RunCounts counts = report.Counts;
        lines.Add(("clients connected", $"{Units.Count(report.Connected)} of {Units.Count(report.Clients)} in {Units.Time(report.ConnectSeconds * 1e6)}"));
        AddIf(lines, counts.ConnectFailures, "attempts failed");
        AddIf(lines, counts.Disconnects, "connections lost");
        lines.Add(("measured", $"{Units.Time(report.MeasuredSeconds * 1e6)}{(report.IsInterrupted ? ", ended by the user" : "")}"));
        if (counts.Published > 0)
        {
            lines.Add(("published", $"{Units.Count(counts.Published)}, {Units.Count(report.PublishRate)}/s"));
            AddIf(lines, counts.Acknowledged, "acknowledged");
            AddIf(lines, counts.Refused, "refused by the server");
            AddIf(lines, counts.Repeated, "sent again");
            AddIf(lines, counts.Backlog, "due and never sent");
        }

        if (counts.Expected > 0 || counts.Delivered > 0)
        {
            string of = counts.Expected > 0 ? $" of {Units.Count(counts.Expected)}" : "";
            lines.Add(("delivered", $"{Units.Count(counts.Delivered)}{of}, {Units.Count(report.DeliverRate)}/s, {Units.Bytes(report.DeliverBytesRate)}/s"));
            lines.Add(("lost", Units.Count(counts.Lost)));
            lines.Add(("duplicates", Units.Count(counts.Duplicates)));
            lines.Add(("reordered", Units.Count(counts.Reordered)));
            AddIf(lines, counts.Foreign, "messages of others");
        }

        if (report.Pattern == "churn")
        {
            lines.Add(("cycles", $"{Units.Count(counts.Cycles)}, {Units.Count(report.CycleRate)}/s"));
            AddIf(lines, counts.Backlog, "cycles due and never begun");
        }

        foreach (StormResult storm in report.Storms)
        {
            lines.Add(("storm", $"{Units.Count(storm.Back)} of {Units.Count(storm.Dropped)} back: half {Or(storm.HalfUs)}, 99% {Or(storm.Share99Us)}, all {Or(storm.AllUs)}"));
        }

        foreach (ProcessReport process in report.Processes)
        {
            lines.Add((process.Name, Describe(process, report.Unit)));
        }

        return lines;
    }

    /// <summary>What a latency is measured between.</summary>
    public static string Meaning(string latency, string pattern) => (latency, pattern) switch
    {
        ("delivery", _) => "due to received",
        ("ack", _) => "due to acknowledged",
        ("lag", _) => "due to sent by loadtest",
        ("connect", _) => "due to CONNACK",
        ("subscribe", _) => "SUBSCRIBE to SUBACK",
        ("return", _) => "cut off to up to date",
        ("undisturbed", _) => "due to received, never cut off",
        ("cycle", "storm") => "dropped to back",
        _ => "due to end of cycle",
    };

    private static string Describe(ProcessReport process, string unit)
    {
        string perUnit = process.CpuUsPerUnit is { } us ? $", {Units.Time(us)} per {unit}" : "";
        string perConnection = process.RssPerConnection is { } bytes ? $", {Units.Count(Math.Round(bytes))} B per connection" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"CPU {Units.Percent(process.CpuShare)} of a core{perUnit}; memory {Units.Bytes(process.RssEnd)}{perConnection}{(process.IsGone ? " (ENDED during the run)" : "")}");
    }

    private static void AddIf(List<(string, string)> lines, long count, string name)
    {
        if (count > 0)
        {
            lines.Add((name, Units.Count(count)));
        }
    }

    private static string Or(double? us) => us is { } value ? Units.Time(value) : "not reached";
}
