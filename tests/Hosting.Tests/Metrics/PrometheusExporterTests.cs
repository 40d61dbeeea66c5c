using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.RegularExpressions;
using Trunkline.Hosting.Metrics;

namespace Trunkline.Hosting.Tests.Metrics;

public sealed partial class PrometheusExporterTests : IDisposable
{
    private readonly Meter _meter = new("test");
    private readonly PrometheusExporter _exporter;

    public PrometheusExporterTests() => _exporter = new PrometheusExporter(meter => ReferenceEquals(meter, _meter));

    public void Dispose()
    {
        _exporter.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void A_counter_ends_in_total_and_adds_up_by_labels()
    {
        Counter<long> counter = _meter.CreateCounter<long>("trunkline.things-done", description: "Things done.");
        counter.Add(2, KeyValuePair.Create<string, object?>("result", "ok"));
        counter.Add(3, KeyValuePair.Create<string, object?>("result", "ok"));
        counter.Add(1, KeyValuePair.Create<string, object?>("result", "no"));

        Assert.Equal(
            """
            # HELP trunkline_things_done_total Things done.
            # TYPE trunkline_things_done_total counter
            trunkline_things_done_total{result="no"} 1
            trunkline_things_done_total{result="ok"} 5

            """,
            Own());
    }

    [Fact]
    public void Units_are_base_units_and_stand_in_the_name_once()
    {
        _meter.CreateObservableCounter("trunkline.network.sent", () => 7L, "By", "Bytes.");
        _meter.CreateObservableGauge("trunkline.log.bytes", () => 8L, "By", "Bytes.");
        _meter.CreateObservableGauge("trunkline.wait", () => 1.5, "s", "Seconds.");

        Assert.Equal(
            ["trunkline_log_bytes 8", "trunkline_network_sent_bytes_total 7", "trunkline_wait_seconds 1.5"], Samples());
    }

    [Fact]
    public void Help_and_labels_are_escaped()
    {
        _meter.CreateObservableGauge(
            "g", () => new Measurement<int>(1, KeyValuePair.Create<string, object?>("a.b", "q\"b\\n\nend"), KeyValuePair.Create<string, object?>("none", null)), null, "two\nlines \\");

        Assert.Equal("# HELP g two\\nlines \\\\\n# TYPE g gauge\ng{a_b=\"q\\\"b\\\\n\\nend\",none=\"\"} 1\n", Own());
    }

    [Fact]
    public void Labels_written_in_place_are_those_that_a_string_would_have()
    {
        Counter<long> counter = _meter.CreateCounter<long>("c");
        counter.Add(1, KeyValuePair.Create<string, object?>("a.b.c", "x.y"), KeyValuePair.Create<string, object?>("reason.why", "z"));
        counter.Add(1, KeyValuePair.Create<string, object?>("a.b.c", new string('l', 300)));
        counter.Add(1, KeyValuePair.Create<string, object?>("a.b.c", 7));

        Assert.Equal(
            ["c_total{a_b_c=\"7\"} 1", $"c_total{{a_b_c=\"{new string('l', 300)}\"}} 1", "c_total{a_b_c=\"x.y\",reason_why=\"z\"} 1"],
            Samples());
    }

    [Fact]
    public void A_change_makes_no_garbage()
    {
        Counter<long> counter = _meter.CreateCounter<long>("c");
        counter.Add(1, KeyValuePair.Create<string, object?>("listener", "mqtt"));

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            counter.Add(1, KeyValuePair.Create<string, object?>("listener", "mqtt"));
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    [Fact]
    public void A_histogram_has_rising_buckets_sum_and_count()
    {
        Histogram<double> histogram = _meter.CreateHistogram<double>("trunkline.operation.duration", "s", "Time.");
        foreach (double seconds in new[] { 0.0005, 0.003, 0.003, 60 })
        {
            histogram.Record(seconds, KeyValuePair.Create<string, object?>("operation", "claim"));
        }

        string text = Own();
        long[] buckets = [.. Bucket().Matches(text).Select(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
        Assert.Equal(buckets.Order(), buckets);
        Assert.Equal((1, 4), (buckets[0], buckets[^1]));
        Assert.Contains("trunkline_operation_duration_seconds_bucket{operation=\"claim\",le=\"0.005\"} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("trunkline_operation_duration_seconds_bucket{operation=\"claim\",le=\"+Inf\"} 4\n", text, StringComparison.Ordinal);
        Assert.Contains("trunkline_operation_duration_seconds_sum{operation=\"claim\"} 60.0065\n", text, StringComparison.Ordinal);
        Assert.Contains("trunkline_operation_duration_seconds_count{operation=\"claim\"} 4\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Observed_values_do_not_add_up_over_scrapes_and_go_with_their_meter()
    {
        var other = new Meter("test.other");
        using var exporter = new PrometheusExporter(meter => ReferenceEquals(meter, other));
        other.CreateObservableGauge("g", () => 5);
        exporter.Render();
        Assert.Contains("\ng 5\n", exporter.Render(), StringComparison.Ordinal);

        other.Dispose();
        Assert.DoesNotContain("\ng 5\n", exporter.Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_meter_of_a_new_node_takes_the_place_of_the_first()
    {
        // As when a node was declared dead and starts again in the same process.
        using var exporter = new PrometheusExporter(meter => meter.Name == "test.node");
        using (var first = new Meter("test.node"))
        {
            first.CreateObservableGauge("g", () => 5);
            first.CreateUpDownCounter<int>("open").Add(1);
            exporter.Render();
        }

        using var second = new Meter("test.node");
        second.CreateObservableGauge("g", () => 6);
        Assert.Contains("\ng 6\n", exporter.Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void Changes_and_values_told_are_kept_between_scrapes()
    {
        UpDownCounter<int> open = _meter.CreateUpDownCounter<int>("open");
        Gauge<int> level = _meter.CreateGauge<int>("level");
        open.Add(3);
        open.Add(-1);
        level.Record(9);
        level.Record(4);
        _exporter.Render();

        Assert.Equal(["level 4", "open 2"], Samples());
    }

    [Fact]
    public void Instruments_of_different_kinds_may_not_make_one_metric()
    {
        _meter.CreateUpDownCounter<int>("same");

        Assert.Throws<InvalidOperationException>(() => _meter.CreateObservableGauge("same", () => 1));
    }

    [Fact]
    public void An_instrument_that_fails_is_left_out_and_counted()
    {
        _meter.CreateObservableGauge("bad", int () => throw new InvalidOperationException());
        _meter.CreateObservableGauge("good", () => 1);

        string text = _exporter.Render();
        Assert.Contains("\ngood 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\ntrunkline_scrape_failures_total 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_process_shows_under_the_customary_names()
    {
        string text = _exporter.Render();
        foreach (string name in new[] { "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds" })
        {
            Assert.Matches($"\n{name} [0-9.]*[1-9]", text);
        }
    }

    private string[] Samples() => [.. Own().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#')];

    private string Own()
    {
        string text = _exporter.Render();
        return text[..text.IndexOf("# HELP process_", StringComparison.Ordinal)];
    }

    [GeneratedRegex("_bucket\\{.*\\} (\\d+)")]
    private static partial Regex Bucket();
}
