using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>Two runs, figure by figure.</summary>
internal static class Comparison
{
    private const double Notable = 0.1;

    private static readonly string[] HigherIsBetter = ["rate", "delivered", "published", "connected", "connrate", "cyclerate"];
    private static readonly string[] Names =
    [
        "connected", "connrate", "rate", "cyclerate", "published", "delivered", "lost", "duplicates", "reordered", "backlog", "failures", "disconnects",
        "min", "mean", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max", "ack.p50", "ack.p99", "connect.p50", "connect.p99", "subscribe.p50", "subscribe.p99",
        "lag.p99", "back50", "back99", "back100",
    ];

    /// <summary>All figures that either run has.</summary>
    public static IEnumerable<ComparedFigure> Of(RunReport before, RunReport after)
    {
        IEnumerable<string> processes = before.Processes.Concat(after.Processes).Select(process => process.Name).Distinct()
            .SelectMany(name => new[] { $"cpu.{name}", $"cpushare.{name}", $"rss.{name}", $"rssperconn.{name}" });
        foreach (string name in Names.Concat(processes))
        {
            double? a = Figures.Find(before, name);
            double? b = Figures.Find(after, name);
            if (a is > 0 || b is > 0)
            {
                yield return Compare(name, a, b);
            }
        }
    }

    private static ComparedFigure Compare(string name, double? a, double? b)
    {
        double? change = a is { } from && b is { } to && from != 0 ? (to - from) / Math.Abs(from) : null;
        bool? isBetter = change is { } notable && Math.Abs(notable) >= Notable ? notable > 0 == HigherIsBetter.Contains(name) : null;
        string text = change is { } share ? (share * 100).ToString("+0.#;-0.#;0", CultureInfo.InvariantCulture) + "%" : "";
        return new ComparedFigure(name, Text(name, a), Text(name, b), text, isBetter);
    }

    private static string Text(string name, double? value) => value is not { } number ? "-"
        : FigureNames.IsTime(name) ? Units.Time(number)
        : name.StartsWith("rss", StringComparison.Ordinal) ? Units.Bytes(number)
        : name.StartsWith("cpushare", StringComparison.Ordinal) ? Units.Percent(number)
        : Units.Count(number);
}
