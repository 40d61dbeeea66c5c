using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Trunkline.Hosting.Metrics;

/// <summary>
/// Answers a scrape in Prometheus' text format from the instruments of every meter whose name begins with "Trunkline".
/// Any thread. Names: dots become underscores, the unit and, for counters, <c>_total</c> are appended.
/// </summary>
public sealed class PrometheusExporter : IDisposable
{
    // Labels that are longer are made as a string each time.
    private const int LabelsOnStack = 256;

    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    private long _failures;

    /// <summary>Starts listening; instruments made earlier are found, too.</summary>
    /// <param name="meters">Which meters to answer from; null takes all of ours.</param>
    /// <exception cref="InvalidOperationException">Two instruments of different kinds would make one metric.</exception>
    public PrometheusExporter(Predicate<Meter>? meters = null)
    {
        meters ??= meter => meter.Name.StartsWith("Trunkline", StringComparison.Ordinal);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (meters(instrument.Meter))
            {
                listener.EnableMeasurementEvents(instrument, FamilyOf(instrument));
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Record(state, value, tags));
        _listener.Start();
    }

    /// <summary>The scrape's answer, UTF-8 text.</summary>
    public string Render()
    {
        lock (_gate)
        {
            foreach (MetricFamily family in _families.Values)
            {
                family.BeginScrape();
            }

            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException)
            {
                // An instrument that fails, as one may while its node stops, must not hide the others: each was asked.
                _failures++;
            }

            var text = new StringBuilder(16 * 1024);
            foreach (MetricFamily family in _families.Values)
            {
                family.Render(text);
            }

            ProcessMetrics.Render(text, _failures);
            return text.ToString();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private MetricFamily FamilyOf(Instrument instrument)
    {
        MetricKind kind = KindOf(instrument);
        MetricSource source = SourceOf(instrument);
        string name = NameOf(instrument, kind);
        lock (_gate)
        {
            if (!_families.TryGetValue(name, out MetricFamily? family))
            {
                family = new MetricFamily(name, instrument.Description ?? "", kind, source);
                _families.Add(name, family);
            }
            else if (!family.Takes(kind, source))
            {
                // Their measurements would be mixed up: one is added up, the other is forgotten at each scrape.
                throw new InvalidOperationException($"The metric {name} is made by instruments of different kinds.");
            }

            return family;
        }
    }

    private void Record(object? state, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        // Told twice for each connection, so without garbage where labels are plain: ours are.
        Span<char> room = stackalloc char[LabelsOnStack];
        ReadOnlySpan<char> labels = TryWriteLabels(tags, room, out int length) ? room[..length] : LabelsOf(tags);
        lock (_gate)
        {
            ((MetricFamily)state!).Record(labels, value);
        }
    }

    private static MetricKind KindOf(Instrument instrument)
    {
        Type generic = instrument.GetType().GetGenericTypeDefinition();
        return generic == typeof(Histogram<>) ? MetricKind.Histogram
            : generic == typeof(Counter<>) || generic == typeof(ObservableCounter<>) ? MetricKind.Counter
            : MetricKind.Gauge;
    }

    private static MetricSource SourceOf(Instrument instrument) =>
        instrument.IsObservable ? MetricSource.Scraped
        : instrument.GetType().GetGenericTypeDefinition() == typeof(Gauge<>) ? MetricSource.Values
        : MetricSource.Changes;

    private static string NameOf(Instrument instrument, MetricKind kind)
    {
        string name = instrument.Name.Replace('.', '_').Replace('-', '_');
        string? unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => null,
        };
        if (unit is not null && !name.EndsWith(unit, StringComparison.Ordinal))
        {
            name += unit;
        }

        return kind == MetricKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    /// <summary>Writes labels whose values are texts that need no escaping and fit; what <see cref="LabelsOf"/> gives for them.</summary>
    private static bool TryWriteLabels(ReadOnlySpan<KeyValuePair<string, object?>> tags, Span<char> room, out int length)
    {
        length = 0;
        foreach ((string key, object? value) in tags)
        {
            Span<char> free = room[length..];
            if (value is not string text || text.AsSpan().IndexOfAny('\\', '"', '\n') >= 0
                || !free.TryWrite($"{(length == 0 ? "" : ",")}{key}=\"{text}\"", out int written))
            {
                return false;
            }

            Span<char> name = free[..(written - text.Length - 3)];
            name.Replace('.', '_');
            length += written;
        }

        return true;
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return "";
        }

        var text = new StringBuilder();
        foreach ((string key, object? value) in tags)
        {
            text.Append(text.Length == 0 ? "" : ",")
                .Append(key.Replace('.', '_'))
                .Append("=\"")
                .Append(Convert.ToString(value, CultureInfo.InvariantCulture)!
                    .Replace("\\", "\\\\", StringComparison.Ordinal)
                    .Replace("\"", "\\\"", StringComparison.Ordinal)
                    .Replace("\n", "\\n", StringComparison.Ordinal))
                .Append('"');
        }

        return text.ToString();
    }
}
