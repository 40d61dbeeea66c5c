using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>The plots of one report or of several on the same axes.</summary>
internal static class ReportPlots
{
    private static readonly double[] Shares = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];

    /// <summary>All plots that have something to show.</summary>
    public static IEnumerable<Plot> Of(IReadOnlyList<RunReport> reports)
    {
        foreach (string latency in reports.SelectMany(report => report.Latencies.Keys).Distinct())
        {
            yield return Percentiles(reports, latency);
        }

        yield return OverTime(reports, "messages a second", Units.Count,
            ("published", second => second.PublishRate), ("delivered", second => second.DeliverRate));
        yield return OverTime(reports, "delivery latency", Units.Time, isLogY: true,
            ("p50", second => second.P50Us), ("p99", second => second.P99Us), ("max", second => second.MaxUs));
        yield return OverTime(reports, "connections", Units.Count, ("connected", second => second.Connected));
        yield return OverTime(reports, "new connections a second", Units.Count, ("connects", second => second.ConnectRate));
        yield return Processes(reports, "CPU, share of a core", Units.Percent, process => process.CpuShare);
        yield return Processes(reports, "resident memory", Units.Bytes, process => process.RssBytes);
    }

    /// <summary>Percentiles to the right get rarer by even steps of ten, so that the tail has room.</summary>
    private static Plot Percentiles(IReadOnlyList<RunReport> reports, string latency) => new()
    {
        Title = $"{latency} latency by percentile ({ReportTable.Meaning(latency, reports[0].Pattern)})",
        IsLogY = true,
        YText = Units.Time,
        XText = x => x < 0.001 ? "0%" : (100 - Math.Pow(10, 2 - x)).ToString("0.####", CultureInfo.InvariantCulture) + "%",
        XMarks = [.. Shares.Select(Place)],
        Lines = [.. reports.Where(report => report.Latencies.ContainsKey(latency)).Select((report, i) =>
            new PlotLine(NameOf(reports, i), [.. report.Latencies[latency].Curve.Select(point => (Place(point.Share), point.Us))]))],
    };

    private static Plot OverTime(
        IReadOnlyList<RunReport> reports, string title, Func<double, string> text, params ReadOnlySpan<(string Name, Func<RunSecond, double> Value)> values) =>
        OverTime(reports, title, text, isLogY: false, values);

    private static Plot OverTime(
        IReadOnlyList<RunReport> reports, string title, Func<double, string> text, bool isLogY, params ReadOnlySpan<(string Name, Func<RunSecond, double> Value)> values)
    {
        var lines = new List<PlotLine>();
        for (int i = 0; i < reports.Count; i++)
        {
            foreach ((string name, Func<RunSecond, double> value) in values)
            {
                (double, double)[] points = [.. reports[i].Seconds.Select(second => (second.At, value(second)))];
                if (points.Any(point => point.Item2 > 0))
                {
                    lines.Add(new PlotLine(Prefix(reports, i) + name, points));
                }
            }
        }

        return new Plot { Title = title, Lines = lines, YText = text, XText = Seconds, IsLogY = isLogY };
    }

    private static Plot Processes(IReadOnlyList<RunReport> reports, string title, Func<double, string> text, Func<ProcessSecond, double> value) => new()
    {
        Title = title,
        YText = text,
        XText = Seconds,
        Lines = [.. reports.SelectMany((report, i) => report.Processes.Select(process => new PlotLine(
            Prefix(reports, i) + process.Name,
            [.. report.Seconds.SelectMany(second => second.Processes.Where(sample => sample.Name == process.Name).Select(sample => (second.At, value(sample))))])))],
    };

    private static double Place(double share) => -Math.Log10(Math.Max(1 - share, 1e-7));

    private static string Seconds(double x) => x.ToString("0.#", CultureInfo.InvariantCulture) + " s";

    private static string NameOf(IReadOnlyList<RunReport> reports, int i) =>
        reports.Count > 1 && reports[0].Name == reports[^1].Name ? $"{(char)('A' + i)}: {reports[i].Name}" : reports[i].Name;

    private static string Prefix(IReadOnlyList<RunReport> reports, int i) => reports.Count > 1 ? NameOf(reports, i) + " " : "";
}
