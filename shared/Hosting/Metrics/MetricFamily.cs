using System.Globalization;
using System.Text;

namespace Trunkline.Hosting.Metrics;

/// <summary>The kinds of metric Prometheus' text format knows and we use.</summary>
internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>What the measurements of an instrument are.</summary>
internal enum MetricSource
{
    /// <summary>Changes, to be added up.</summary>
    Changes,

    /// <summary>The value itself, told when it changes.</summary>
    Values,

    /// <summary>The value itself, asked for at each scrape; several measurements may add up to one series.</summary>
    Scraped,
}

/// <summary>One metric name with its series. The exporter's lock guards it.</summary>
internal sealed class MetricFamily(string name, string help, MetricKind kind, MetricSource source)
{
    /// <summary>Seconds; histograms of ours measure durations.</summary>
    private static ReadOnlySpan<double> Bounds => [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Dictionary<string, Series> _series = new(StringComparer.Ordinal);

    private sealed class Series
    {
        public double Value;
        public long Count;
        public long[]? Buckets;
    }

    /// <summary>Whether a further instrument of the same name can share this family.</summary>
    public bool Takes(MetricKind otherKind, MetricSource otherSource) => otherKind == kind && otherSource == source;

    /// <summary>Forgets what the last scrape was told, so that series whose meter is gone go, too.</summary>
    public void BeginScrape()
    {
        if (source == MetricSource.Scraped)
        {
            _series.Clear();
        }
    }

    public void Record(ReadOnlySpan<char> labels, double value)
    {
        Dictionary<string, Series>.AlternateLookup<ReadOnlySpan<char>> lookup = _series.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!lookup.TryGetValue(labels, out Series? series))
        {
            series = new Series();
            lookup[labels] = series;
        }

        series.Value = source == MetricSource.Values ? value : series.Value + value;
        if (kind != MetricKind.Histogram)
        {
            return;
        }

        series.Count++;
        series.Buckets ??= new long[Bounds.Length];
        for (int i = 0; i < Bounds.Length; i++)
        {
            if (value <= Bounds[i])
            {
                series.Buckets[i]++;
            }
        }
    }

    public void Render(StringBuilder text)
    {
        text.Append("# HELP ").Append(name).Append(' ')
            .Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n')
            .Append("# TYPE ").Append(name).Append(' ').Append(kind switch
            {
                MetricKind.Counter => "counter",
                MetricKind.Gauge => "gauge",
                _ => "histogram",
            }).Append('\n');
        foreach ((string labels, Series series) in _series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (kind == MetricKind.Histogram)
            {
                RenderHistogram(text, labels, series);
            }
            else
            {
                Line(text, "", labels, series.Value);
            }
        }
    }

    private void RenderHistogram(StringBuilder text, string labels, Series series)
    {
        string prefix = labels.Length == 0 ? "" : labels + ",";
        for (int i = 0; i < Bounds.Length; i++)
        {
            Line(text, "_bucket", $"{prefix}le=\"{Bounds[i].ToString(CultureInfo.InvariantCulture)}\"", series.Buckets![i]);
        }

        Line(text, "_bucket", prefix + "le=\"+Inf\"", series.Count);
        Line(text, "_sum", labels, series.Value);
        Line(text, "_count", labels, series.Count);
    }

    private void Line(StringBuilder text, string suffix, string labels, double value)
    {
        text.Append(name).Append(suffix);
        if (labels.Length > 0)
        {
            text.Append('{').Append(labels).Append('}');
        }

        text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }
}
