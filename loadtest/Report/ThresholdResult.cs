namespace Trunkline.Loadtest;

/// <summary>A rule and what came of it.</summary>
/// <param name="Rule">As written.</param>
/// <param name="Actual">The figure in its base unit; null when the run has none.</param>
/// <param name="IsKept">Whether it was kept.</param>
internal sealed record ThresholdResult(string Rule, double? Actual, bool IsKept);
