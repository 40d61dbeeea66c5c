namespace Trunkline.Loadtest;

/// <summary>A line of a plot.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">X and Y.</param>
internal sealed record PlotLine(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A plot: lines over one pair of axes.</summary>
internal sealed record Plot
{
    /// <summary>Title.</summary>
    public required string Title { get; init; }

    /// <summary>The lines.</summary>
    public required IReadOnlyList<PlotLine> Lines { get; init; }

    /// <summary>How a value of the vertical axis is written.</summary>
    public required Func<double, string> YText { get; init; }

    /// <summary>How a value of the horizontal axis is written.</summary>
    public required Func<double, string> XText { get; init; }

    /// <summary>Whether the vertical axis is logarithmic.</summary>
    public bool IsLogY { get; init; }

    /// <summary>Marks of the horizontal axis; empty for even ones.</summary>
    public IReadOnlyList<double> XMarks { get; init; } = [];
}
