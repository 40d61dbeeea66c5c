namespace Trunkline.Loadtest;

/// <summary>A point of a percentile curve.</summary>
/// <param name="Share">Share of all values, 0 to 1.</param>
/// <param name="Us">What they do not exceed, in microseconds.</param>
internal sealed record QuantilePoint(double Share, double Us);
