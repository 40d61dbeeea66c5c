using System.Diagnostics;
using System.Globalization;
using System.Text;
using Trunkline.Topics;

namespace Trunkline.Benchmarks;

/// <summary>One node's index with many filters, half exact and half with wildcards: what subscribing and matching take, and what a filter weighs.</summary>
public static class ManyFilters
{
    private const int Rounds = 5;

    /// <summary>Measures; one line of JSON. Every match is counted, so that an index that finds less than it must is seen.</summary>
    public static string Measure(int count)
    {
        byte[][] filters = [.. Enumerable.Range(0, count).Select(FilterOf)];
        byte[][] topics = [.. Enumerable.Range(0, count).Select(TopicOf)];
        double subscribe = double.MaxValue;
        double match = double.MaxValue;
        double bytes = 0;
        for (int round = 0; round < Rounds; round++)
        {
            long heap = GC.GetTotalMemory(forceFullCollection: true);
            FilterIndex<int> index = new();
            subscribe = Math.Min(subscribe, Time(count, i => index.Add(filters[i], i)));
            bytes = (double)(GC.GetTotalMemory(forceFullCollection: true) - heap) / count;
            Collector found = default;
            match = Math.Min(match, Time(count, i => index.Match(topics[i], ref found)));
            if (found.Count != Expected(count))
            {
                throw new InvalidOperationException($"{found.Count} matches instead of {Expected(count)}.");
            }

            GC.KeepAlive(index);
        }

        return string.Create(CultureInfo.InvariantCulture, $$"""{"filters":{{count}},"subscribeUs":{{subscribe:0.000}},"matchUs":{{match:0.000}},"bytesPerFilter":{{bytes:0.0}}}""");
    }

    // Even ones are exact; odd ones take every device of their site, or everything below a device.
    internal static byte[] FilterOf(int i) => Encoding.UTF8.GetBytes((i % 4) switch
    {
        1 => string.Create(CultureInfo.InvariantCulture, $"sites/{i}/+/state"),
        3 => string.Create(CultureInfo.InvariantCulture, $"sites/{i}/device/#"),
        _ => string.Create(CultureInfo.InvariantCulture, $"sites/{i}/device/state"),
    });

    internal static byte[] TopicOf(int i) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"sites/{i}/device/state"));

    // Each topic is matched by the one filter of its site.
    private static long Expected(int count) => count;

    private static double Time(int count, Action<int> action)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            action(i);
        }

        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / count;
    }

    internal struct Collector : IFilterCollector<int>
    {
        public long Count { get; private set; }

        public void Add(int value) => Count++;
    }
}
