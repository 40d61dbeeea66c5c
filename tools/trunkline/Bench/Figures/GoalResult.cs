namespace Trunkline.Tool.Bench.Figures;

/// <summary>What became of one goal. Field names are a contract of --json.</summary>
internal sealed record GoalResult
{
    /// <summary>Short name.</summary>
    public required string Name { get; init; }

    /// <summary>The goal in words.</summary>
    public required string Text { get; init; }

    /// <summary>Unit of the figures.</summary>
    public required string Unit { get; init; }

    /// <summary>Median of the rounds.</summary>
    public required double Figure { get; init; }

    /// <summary>The smallest round.</summary>
    public required double Least { get; init; }

    /// <summary>The largest round.</summary>
    public required double Most { get; init; }

    /// <summary>What the median may be at most; null where it is only stated.</summary>
    public required double? Limit { get; init; }

    /// <summary>Whether it is; a figure that is only stated is.</summary>
    public required bool IsMet { get; init; }
}
