using Xunit.Abstractions;

namespace Trunkline.Loadtest.Tests.Measuring;

public sealed class HistogramTests(ITestOutputHelper output)
{
    private const double StatedError = 1.0 / 1024;

    private static readonly double[] Quantiles = [0.0001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1];

    public enum Shape
    {
        Even,
        Exponential,
        TwoHumps,
        Powers,
    }

    [Theory]
    [InlineData(Shape.Even, 1)]
    [InlineData(Shape.Exponential, 2)]
    [InlineData(Shape.TwoHumps, 3)]
    [InlineData(Shape.Powers, 4)]
    public void Percentiles_are_within_the_stated_error_of_the_exact_ones(Shape shape, int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        long[] values = [.. Enumerable.Range(0, 20_000).Select(_ => Next(shape, random))];
        var histogram = new Histogram();
        foreach (long value in values)
        {
            histogram.Record(value);
        }

        Array.Sort(values);
        foreach (double quantile in Quantiles)
        {
            long exact = values[Math.Clamp((int)Math.Ceiling(quantile * values.Length), 1, values.Length) - 1];
            long told = histogram.ValueAt(quantile);
            Assert.True(Math.Abs(told - exact) <= exact * StatedError, $"p{quantile * 100}: {told}, exact {exact}");
        }

        Assert.Equal(values.Length, histogram.Count);
        Assert.Equal(values[0], histogram.Min);
        Assert.Equal(values[^1], histogram.Max);
        Assert.Equal(values.Average(), histogram.Mean, 1e-3 * values.Average());
    }

    [Fact]
    public void Every_value_alone_is_told_within_the_error()
    {
        for (int bit = 0; bit < 41; bit++)
        {
            foreach (long value in new[] { (1L << bit) - 1, 1L << bit, (1L << bit) + 1, (1L << bit) + (1L << bit >> 1) })
            {
                var histogram = new Histogram();
                histogram.Record(value);
                histogram.Record(Histogram.Limit);
                long told = histogram.ValueAt(0.5);
                Assert.True(Math.Abs(told - value) <= Math.Max(value * StatedError, 0), $"{value} told as {told}");
            }
        }
    }

    [Fact]
    public void Values_beyond_the_limit_are_counted_and_the_largest_is_exact()
    {
        var histogram = new Histogram();
        histogram.Record(-5);
        histogram.Record(Histogram.Limit * 8);
        Assert.Equal(0, histogram.Min);
        Assert.Equal(Histogram.Limit * 8, histogram.ValueAt(1));
        Assert.Equal(2, histogram.Count);
    }

    [Fact]
    public void Adding_two_is_recording_all()
    {
        var random = new Random(5);
        var all = new Histogram();
        var parts = new[] { new Histogram(), new Histogram() };
        for (int i = 0; i < 5_000; i++)
        {
            long value = Next(Shape.Exponential, random);
            all.Record(value);
            parts[i % 2].Record(value);
        }

        parts[0].Add(parts[1]);
        foreach (double quantile in Quantiles)
        {
            Assert.Equal(all.ValueAt(quantile), parts[0].ValueAt(quantile));
        }

        parts[0].Reset();
        Assert.Equal((0, 0, 0), (parts[0].Count, parts[0].Max, parts[0].ValueAt(0.99)));
    }

    private static long Next(Shape shape, Random random) => shape switch
    {
        Shape.Even => random.NextInt64(1, 10_000_000),
        Shape.Exponential => (long)(-Math.Log(1 - random.NextDouble()) * 200_000),
        Shape.TwoHumps => random.Next(100) < 97 ? random.NextInt64(50_000, 90_000) : random.NextInt64(20_000_000, 40_000_000),
        _ => 1L << random.Next(0, 40),
    };
}
