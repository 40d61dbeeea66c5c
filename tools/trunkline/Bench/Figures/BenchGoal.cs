namespace Trunkline.Tool.Bench.Figures;

/// <summary>One thing that a row promises: a figure of each round, the median of which is at most a limit.</summary>
/// <param name="Name">Short name, unique in the row.</param>
/// <param name="Text">The goal as a person reads it.</param>
/// <param name="Unit">Unit of figure and limit: us, B, x (a ratio), ms.</param>
/// <param name="Figure">The figure of one round. Ratios are taken here, round by round, so that both sides saw the same machine.</param>
/// <param name="Limit">The limit, of the same round: a constant, or one that was measured too; null: the figure is stated, and nothing judged.</param>
internal sealed record BenchGoal(
    string Name,
    string Text,
    string Unit,
    Func<RoundValues, double> Figure,
    Func<RoundValues, double>? Limit)
{
    /// <summary>A goal with a fixed limit.</summary>
    public BenchGoal(string name, string text, string unit, Func<RoundValues, double> figure, double limit)
        : this(name, text, unit, figure, _ => limit)
    {
    }

    /// <summary>A figure that is stated, not judged.</summary>
    public static BenchGoal Stated(string name, string text, string unit, Func<RoundValues, double> figure) => new(name, text, unit, figure, null);

    /// <summary>Two figures are as good as equal: the larger is at most <paramref name="slack"/> of the smaller above it.</summary>
    public static BenchGoal Flat(string name, string text, Func<RoundValues, double> small, Func<RoundValues, double> large, double slack = 0.2) =>
        new(name, text, "x", values => large(values) / small(values), 1 + slack);

    /// <summary>Judges the rounds.</summary>
    public GoalResult Judge(IReadOnlyList<RoundValues> rounds)
    {
        Series figure = new([.. rounds.Select(Figure)]);
        double? limit = Limit is null ? null : new Series([.. rounds.Select(Limit)]).Median;
        return new GoalResult
        {
            Name = Name,
            Text = Text,
            Unit = Unit,
            Figure = figure.Median,
            Least = figure.Least,
            Most = figure.Most,
            Limit = limit,
            IsMet = limit is null || figure.Median <= limit,
        };
    }
}
