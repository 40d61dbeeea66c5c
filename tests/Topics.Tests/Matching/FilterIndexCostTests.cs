using System.Diagnostics;
using Xunit.Abstractions;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

/// <summary>Measurements share the process with other tests, so they run alone.</summary>
[CollectionDefinition(nameof(MeasuredAlone), DisableParallelization = true)]
public sealed class MeasuredAlone;

/// <summary>
/// The goal of the performance issue: 200,000 filters, add and match below 5 us each, bytes per filter stated. The
/// median of five rounds is compared, so that a busy machine has to be busy all the time to make it fail.
/// Figures: dotnet test tests/Topics.Tests -c Release --filter FilterIndexCostTests --logger "console;verbosity=detailed".
/// </summary>
[Collection(nameof(MeasuredAlone))]
public class FilterIndexCostTests(ITestOutputHelper output)
{
    private const int Filters = 200_000;
    private const double LimitUs = 5;

    [Fact]
    public void Exact_filters() => Measure("exact", i => $"site/{i % 1000}/device/{i}/state");

    [Fact]
    public void Wildcard_filters() => Measure("wildcard", i => (i % 3) switch
    {
        0 => $"site/{i % 1000}/device/{i}/+",
        1 => $"site/+/device/{i}/state",
        _ => $"fleet/{i}/#",
    });

    [Fact]
    public void Retained_topics()
    {
        byte[][] topics = Shuffled(i => $"site/{i % 1000}/device/{i}/state");
        double[] set = new double[5], read = new double[5];
        long bytes = 0;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetTotalMemory(forceFullCollection: true);
            TopicIndex<object> index = new();
            set[round] = Time(() => Array.ForEach(topics, topic => index.Set(topic, topics, out _)));
            bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
            Counter counter = default;
            read[round] = Time(() =>
            {
                for (int i = 0; i < Filters; i++)
                {
                    TopicCursor cursor = default;
                    index.Read(topics[i], ref cursor, 10, ref counter);
                }
            });
            GC.KeepAlive(index);
        }
        output.WriteLine($"retained: set {Median(set):F2} us, read one {Median(read):F2} us, {(double)bytes / Filters:F0} B a topic, its text of {topics.Average(topic => topic.Length):F0} B included");
        Assert.InRange(Median(set), 0, LimitUs);
    }

    private void Measure(string name, Func<int, string> filterOf)
    {
        byte[][] filters = Shuffled(filterOf);
        byte[][] topics = Shuffled(i => i % 3 == 2 ? $"fleet/{i}/a" : $"site/{i % 1000}/device/{i}/state");
        object value = new();
        double[] add = new double[5], match = new double[5], remove = new double[5];
        long bytes = 0;
        int matched = 0;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetTotalMemory(forceFullCollection: true);
            FilterIndex<object> index = new();
            add[round] = Time(() => Array.ForEach(filters, filter => index.Add(filter, value)));
            bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
            CountCollector<object> count = default;
            match[round] = Time(() => Array.ForEach(topics, topic => index.Match(topic, ref count)));
            matched = count.Count;
            remove[round] = Time(() => Array.ForEach(filters, filter => index.Remove(filter, value)));
            Assert.Equal(0, index.Count);
        }
        double text = filters.Average(filter => (24 + filter.Length + 7) / 8 * 8);
        output.WriteLine(
            $"{name}: add {Median(add):F2} us, match {Median(match):F2} us, remove {Median(remove):F2} us, "
            + $"{(double)bytes / Filters:F0} B a filter, {text:F0} of them its text object; {matched} matches");
        Assert.True(matched >= Filters / 2);
        Assert.InRange(Median(add), 0, LimitUs);
        Assert.InRange(Median(match), 0, LimitUs);
        Assert.InRange(Median(remove), 0, LimitUs);
    }

    private static byte[][] Shuffled(Func<int, string> textOf)
    {
        byte[][] texts = Enumerable.Range(0, Filters).Select(i => Bytes(textOf(i))).ToArray();
        new Random(7).Shuffle(texts);
        return texts;
    }

    private static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / Filters;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    private struct Counter : ITopicReader<object>
    {
        public int Count;

        public bool Read(ReadOnlyMemory<byte> topic, object value) => ++Count >= 0;
    }
}
