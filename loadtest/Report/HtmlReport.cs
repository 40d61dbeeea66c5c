using System.Globalization;
using System.Net;
using System.Text;

namespace Trunkline.Loadtest;

/// <summary>A report, or two beside each other, as one page that opens offline: styles and plots inside, no script.</summary>
internal static class HtmlReport
{
    private const string Style = """
        body{font:15px/1.45 system-ui,sans-serif;max-width:820px;margin:2em auto;padding:0 1em;color:#1b1b1b;background:#fff}
        h1{font-size:1.4em;margin-bottom:.2em} h2{font-size:1.1em;margin-top:1.8em} code{background:#f2f2f2;padding:.1em .3em;word-break:break-all}
        table{border-collapse:collapse;width:100%} td,th{padding:.25em .6em;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
        td.n,th.n{text-align:right;white-space:nowrap} .bad{color:#a40000;font-weight:600} .good{color:#0a6b2d} figure{margin:1.4em 0 0}
        svg{width:100%;height:auto} svg text{font:12px system-ui,sans-serif;fill:#333} svg .t{font-weight:600;font-size:13px}
        svg .y{text-anchor:end} svg .x{text-anchor:middle} svg .g{stroke:#e3e3e3} figcaption span{margin-right:1em;white-space:nowrap}
        figcaption i{display:inline-block;width:.9em;height:.9em;margin-right:.35em;vertical-align:-.1em;border-radius:2px}
        """;

    /// <summary>The page of one run.</summary>
    public static string Write(RunReport report)
    {
        StringBuilder page = Begin(report.Name);
        Head(page, report);
        if (report.Thresholds.Count > 0)
        {
            Thresholds(page, report);
        }

        page.Append("<h2>Figures</h2><table>");
        foreach ((string name, string value) in ReportTable.Of(report))
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(name)}</td><td>{Text(value)}</td></tr>");
        }

        page.Append("</table>\n");
        Latencies(page, report);
        Reasons(page, report);
        return End(page, [report]);
    }

    /// <summary>The page of two runs.</summary>
    public static string Compare(RunReport before, RunReport after)
    {
        StringBuilder page = Begin($"{before.Name} and {after.Name}");
        page.Append("<h2>A</h2>");
        Head(page, before);
        page.Append("<h2>B</h2>");
        Head(page, after);
        page.Append("<h2>Figures</h2><table><tr><th>figure</th><th class=\"n\">A</th><th class=\"n\">B</th><th class=\"n\">change</th></tr>");
        foreach (ComparedFigure figure in Comparison.Of(before, after))
        {
            string kind = figure.IsBetter switch { true => "good", false => "bad", null => "" };
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(figure.Name)}</td><td class=\"n\">{Text(figure.Before)}</td><td class=\"n\">{Text(figure.After)}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"n {kind}\">{Text(figure.Change)}</td></tr>");
        }

        page.Append("</table><p>Changes below 10% are not coloured: two runs of the same on a machine that does other work differ by more.</p>\n");
        return End(page, [before, after]);
    }

    private static StringBuilder Begin(string title)
    {
        var page = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">");
        return page.Append(CultureInfo.InvariantCulture, $"<title>{Text(title)} - trunkline loadtest</title><style>{Style}</style></head><body><h1>{Text(title)}</h1>\n");
    }

    private static string End(StringBuilder page, IReadOnlyList<RunReport> reports)
    {
        page.Append("<h2>Plots</h2>\n");
        foreach (Plot plot in ReportPlots.Of(reports))
        {
            page.Append(SvgPlot.Draw(plot));
        }

        return page.Append("<p>Latency counts from when a message was due, so that a stall delays all that were due in it. Percentiles are off by at most 0.1%.</p></body></html>\n").ToString();
    }

    private static void Head(StringBuilder page, RunReport report)
    {
        page.Append(CultureInfo.InvariantCulture, $"<p><code>{Text(report.Command)}</code></p><p>{report.StartedAt:yyyy-MM-dd HH:mm:ss} UTC, ")
            .Append(CultureInfo.InvariantCulture, $"{report.Cores} cores, load average {report.LoadAverage:0.##}, trunkline {Text(report.Version)}{(report.IsInterrupted ? ", ended by the user" : "")}.</p>\n");
    }

    private static void Thresholds(StringBuilder page, RunReport report)
    {
        page.Append("<h2>Thresholds</h2><table>");
        foreach (ThresholdResult rule in report.Thresholds)
        {
            string actual = rule.Actual is { } value ? value.ToString("0.###", CultureInfo.InvariantCulture) : "none";
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(rule.Rule)}</td><td class=\"n\">{Text(actual)}</td>")
                .Append(rule.IsKept ? "<td class=\"good\">kept</td></tr>" : "<td class=\"bad\">missed</td></tr>");
        }

        page.Append("</table>\n");
    }

    private static void Latencies(StringBuilder page, RunReport report)
    {
        page.Append("<h2>Latency</h2><table><tr><th>what</th><th class=\"n\">count</th><th class=\"n\">p50</th><th class=\"n\">p90</th><th class=\"n\">p99</th><th class=\"n\">p99.9</th><th class=\"n\">p99.99</th><th class=\"n\">max</th></tr>");
        foreach ((string name, LatencySummary latency) in report.Latencies)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(name)}: {Text(ReportTable.Meaning(name, report.Pattern))}</td><td class=\"n\">{Units.Count(latency.Count)}</td>");
            foreach (double us in new[] { latency.P50Us, latency.P90Us, latency.P99Us, latency.P999Us, latency.P9999Us, latency.MaxUs })
            {
                page.Append(CultureInfo.InvariantCulture, $"<td class=\"n\">{Units.Time(us)}</td>");
            }

            page.Append("</tr>");
        }

        page.Append("</table>\n");
    }

    private static void Reasons(StringBuilder page, RunReport report)
    {
        if (report.Reasons.Count == 0)
        {
            return;
        }

        page.Append("<h2>What failed</h2><table>");
        foreach ((string reason, long count) in report.Reasons.OrderByDescending(reason => reason.Value))
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"n\">{Units.Count(count)}</td><td>{Text(reason)}</td></tr>");
        }

        page.Append("</table>\n");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
