using System.Numerics;

namespace Trunkline.Loadtest;

/// <summary>
/// Counts of values in nanoseconds with a bounded relative error, after the idea of HdrHistogram: values below 1,024 are
/// counted exactly, each doubling above has 512 buckets of equal width. One thread at a time.
/// </summary>
/// <remarks>
/// A bucket is at most 1/512 of its lower bound wide and is told by its middle: <see cref="ValueAt"/> is off by at most
/// 1/1024 (0.1%) from the exact percentile of the recorded values. Count, smallest, largest and mean are exact.
/// <code>
/// value     0 .. 1023 | 1024 .. 2047 | 2048 .. 4095 | ...
/// bucket    one each  | 512 of 2     | 512 of 4     | 512 of 2^n
/// </code>
/// </remarks>
internal sealed class Histogram
{
    /// <summary>Values from here on (about 36 minutes) share the last bucket; <see cref="Max"/> stays exact.</summary>
    public const long Limit = 1L << 41;

    private const int ExactBits = 10;
    private const int Half = 1 << (ExactBits - 1);

    private readonly long[] _counts = new long[BucketOf(Limit - 1) + 1];
    private double _sum;

    /// <summary>How many values.</summary>
    public long Count { get; private set; }

    /// <summary>The smallest; 0 without values.</summary>
    public long Min { get; private set; }

    /// <summary>The largest.</summary>
    public long Max { get; private set; }

    /// <summary>The mean; 0 without values.</summary>
    public double Mean => Count == 0 ? 0 : _sum / Count;

    /// <summary>Counts a value; a negative one as 0.</summary>
    public void Record(long value)
    {
        value = Math.Max(0, value);
        _counts[BucketOf(Math.Min(value, Limit - 1))]++;
        Min = Count == 0 ? value : Math.Min(Min, value);
        Max = Math.Max(Max, value);
        _sum += value;
        Count++;
    }

    /// <summary>Adds all that another one counted.</summary>
    public void Add(Histogram other)
    {
        if (other.Count == 0)
        {
            return;
        }

        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Min = Count == 0 ? other.Min : Math.Min(Min, other.Min);
        Max = Math.Max(Max, other.Max);
        _sum += other._sum;
        Count += other.Count;
    }

    /// <summary>Forgets everything.</summary>
    public void Reset()
    {
        if (Count > 0)
        {
            Array.Clear(_counts);
            Count = 0;
            Min = 0;
            Max = 0;
            _sum = 0;
        }
    }

    /// <summary>The smallest value that at least this share (0 to 1) of all values does not exceed; 0 without values.</summary>
    public long ValueAt(double quantile)
    {
        if (Count == 0)
        {
            return 0;
        }

        long rank = Math.Clamp((long)Math.Ceiling(quantile * Count), 1, Count);
        if (rank == Count)
        {
            return Max;
        }

        long seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return Math.Clamp(MiddleOf(i), Min, Max);
            }
        }

        return Max;
    }

    private static int BucketOf(long value)
    {
        int shift = Math.Max(0, BitOperations.Log2((ulong)value | 1) - (ExactBits - 1));
        return (shift * Half) + (int)(value >> shift);
    }

    private static long MiddleOf(int bucket)
    {
        int shift = Math.Max(0, (bucket / Half) - 1);
        long lower = (long)(bucket - (shift * Half)) << shift;
        return lower + ((1L << shift) >> 1);
    }
}
