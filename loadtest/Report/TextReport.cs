using System.Globalization;
using System.Text;

namespace Trunkline.Loadtest;

/// <summary>A report for a terminal.</summary>
internal static class TextReport
{
    /// <summary>Writes it.</summary>
    public static string Write(RunReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"\n{report.Name}: {report.Command}\n");
        foreach ((string name, string value) in ReportTable.Of(report))
        {
            text.Append(CultureInfo.InvariantCulture, $"  {name,-26} {value}\n");
        }

        WriteLatencies(report, text);
        foreach ((string reason, long count) in report.Reasons.OrderByDescending(reason => reason.Value).Take(10))
        {
            text.Append(CultureInfo.InvariantCulture, $"  {count} x {reason}\n");
        }

        foreach (ThresholdResult rule in report.Thresholds)
        {
            string actual = rule.Actual is { } value ? value.ToString("0.###", CultureInfo.InvariantCulture) : "no such figure in this run";
            text.Append(CultureInfo.InvariantCulture, $"  {(rule.IsKept ? "kept  " : "MISSED")} {rule.Rule} (is {actual})\n");
        }

        return text.ToString();
    }

    private static void WriteLatencies(RunReport report, StringBuilder text)
    {
        if (report.Latencies.Count == 0)
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"  {"latency",-34} {"p50",9} {"p90",9} {"p99",9} {"p99.9",9} {"p99.99",9} {"max",9}\n");
        foreach ((string name, LatencySummary latency) in report.Latencies)
        {
            string title = $"{name} ({ReportTable.Meaning(name, report.Pattern)})";
            text.Append(CultureInfo.InvariantCulture, $"  {title,-34} {Units.Time(latency.P50Us),9} {Units.Time(latency.P90Us),9} ")
                .Append(CultureInfo.InvariantCulture, $"{Units.Time(latency.P99Us),9} {Units.Time(latency.P999Us),9} {Units.Time(latency.P9999Us),9} {Units.Time(latency.MaxUs),9}\n");
        }
    }
}
