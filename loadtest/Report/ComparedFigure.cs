namespace Trunkline.Loadtest;

/// <summary>A figure of two runs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Before">In the first.</param>
/// <param name="After">In the second.</param>
/// <param name="Change">In percent, or empty.</param>
/// <param name="IsBetter">Whether the second is better by 10% or more; null when neither is.</param>
internal sealed record ComparedFigure(string Name, string Before, string After, string Change, bool? IsBetter);
