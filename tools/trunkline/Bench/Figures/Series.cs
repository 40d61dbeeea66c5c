namespace Trunkline.Tool.Bench.Figures;

/// <summary>One figure over the rounds of a row. Immutable; at least one value.</summary>
internal sealed record Series(IReadOnlyList<double> Values)
{
    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    public double Median
    {
        get
        {
            double[] sorted = [.. Values.Order()];
            int middle = sorted.Length / 2;
            return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        }
    }

    /// <summary>The smallest.</summary>
    public double Least => Values.Min();

    /// <summary>The largest.</summary>
    public double Most => Values.Max();
}
