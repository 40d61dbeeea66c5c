namespace Trunkline.Loadtest;

/// <summary>A histogram as it is reported, in microseconds.</summary>
internal sealed record LatencySummary
{
    private static readonly double[] Quantiles =
        [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.99, 0.993, 0.996, 0.998, 0.999, 0.9995, 0.9999, 0.99999];

    /// <summary>How many.</summary>
    public long Count { get; init; }

    /// <summary>The smallest.</summary>
    public double MinUs { get; init; }

    /// <summary>The mean.</summary>
    public double MeanUs { get; init; }

    /// <summary>The median.</summary>
    public double P50Us { get; init; }

    /// <summary>90% are at most this.</summary>
    public double P90Us { get; init; }

    /// <summary>95%.</summary>
    public double P95Us { get; init; }

    /// <summary>99%.</summary>
    public double P99Us { get; init; }

    /// <summary>99.9%.</summary>
    public double P999Us { get; init; }

    /// <summary>99.99%.</summary>
    public double P9999Us { get; init; }

    /// <summary>The largest.</summary>
    public double MaxUs { get; init; }

    /// <summary>The curve for the plot: share and microseconds.</summary>
    public IReadOnlyList<QuantilePoint> Curve { get; init; } = [];

    /// <summary>Summarizes; null without values.</summary>
    public static LatencySummary? Of(Histogram histogram) => histogram.Count == 0 ? null : new LatencySummary
    {
        Count = histogram.Count,
        MinUs = histogram.Min / 1e3,
        MeanUs = Math.Round(histogram.Mean / 1e3, 3),
        P50Us = histogram.ValueAt(0.5) / 1e3,
        P90Us = histogram.ValueAt(0.9) / 1e3,
        P95Us = histogram.ValueAt(0.95) / 1e3,
        P99Us = histogram.ValueAt(0.99) / 1e3,
        P999Us = histogram.ValueAt(0.999) / 1e3,
        P9999Us = histogram.ValueAt(0.9999) / 1e3,
        MaxUs = histogram.Max / 1e3,
        Curve = [.. Quantiles.Where(q => q == 0 || 1 / (1 - q) <= histogram.Count).Select(q => new QuantilePoint(q, histogram.ValueAt(q) / 1e3))],
    };

    /// <summary>A statistic by its name in thresholds.</summary>
    public double? Statistic(string name) => name switch
    {
        "min" => MinUs,
        "mean" => MeanUs,
        "p50" => P50Us,
        "p90" => P90Us,
        "p95" => P95Us,
        "p99" => P99Us,
        "p99.9" => P999Us,
        "p99.99" => P9999Us,
        "max" => MaxUs,
        _ => null,
    };
}
