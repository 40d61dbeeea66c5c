using Trunkline.Tool.Bench.Figures;

namespace Trunkline.SystemTests.Bench;

/// <summary>Medians, spread and verdicts of ./trunkline bench.</summary>
public sealed class FigureTests
{
    private static readonly BenchGoal Ratio = new("cpu", "at most 0.7 x", "x", values => values["ours"] / values["peer"], 0.7);

    [Theory]
    [InlineData(3.0, new double[] { 9, 1, 3 })]
    [InlineData(4.0, new double[] { 9, 1, 3, 5 })]
    [InlineData(7.0, new double[] { 7 })]
    public void The_median_is_the_middle(double expected, double[] values) => Assert.Equal(expected, new Series(values).Median);

    [Fact]
    public void A_ratio_is_taken_round_by_round_and_judged_by_its_median()
    {
        // The machine was twice as slow in the second round, for both sides.
        GoalResult result = Ratio.Judge([Round(6, 10), Round(12, 20), Round(9, 10)]);

        Assert.Equal(0.6, result.Figure, 3);
        Assert.Equal(0.6, result.Least, 3);
        Assert.Equal(0.9, result.Most, 3);
        Assert.True(result.IsMet);
        Assert.False(Ratio.Judge([Round(8, 10), Round(6, 10), Round(9, 10)]).IsMet);
    }

    [Fact]
    public void A_figure_at_its_limit_is_met() => Assert.True(Ratio.Judge([Round(7, 10)]).IsMet);

    [Fact]
    public void A_limit_may_be_measured_too()
    {
        BenchGoal goal = new("bytes", "the floor and 1,500 B", "B", values => values["ours"], values => values["peer"] + 1500);

        Assert.True(goal.Judge([Round(21_000, 20_000)]).IsMet);
        GoalResult missed = goal.Judge([Round(21_501, 20_000)]);
        Assert.False(missed.IsMet);
        Assert.Equal(21_500, missed.Limit);
    }

    [Fact]
    public void Flat_means_at_most_a_fifth_more()
    {
        BenchGoal flat = BenchGoal.Flat("cpu", "flat", values => values["peer"], values => values["ours"]);

        Assert.True(flat.Judge([Round(11.9, 10)]).IsMet);
        Assert.False(flat.Judge([Round(12.1, 10)]).IsMet);
        Assert.True(flat.Judge([Round(5, 10)]).IsMet);
    }

    [Fact]
    public void One_missed_goal_makes_a_missed_row()
    {
        BenchGoal other = new("p99", "below 5", "ms", values => values["ours"], 5);
        RowResult row = RowResult.Of("a", "what", [Ratio, other], [Round(6, 10), Round(6, 10)], []);

        Assert.Equal("missed", row.Verdict);
        Assert.Equal([true, false], row.Goals.Select(goal => goal.IsMet));
        Assert.Equal([6, 6], row.Values["ours"]);
        Assert.Equal("met", RowResult.Of("a", "what", [Ratio], [Round(6, 10)], []).Verdict);
    }

    [Fact]
    public void A_value_that_was_never_measured_is_named()
    {
        RoundValues values = Round(1, 2);
        Assert.Contains("'third'", Assert.Throws<Tool.ToolException>(() => values["third"]).Message, StringComparison.Ordinal);
    }

    private static RoundValues Round(double ours, double peer)
    {
        RoundValues values = new();
        values["ours"] = ours;
        values["peer"] = peer;
        return values;
    }
}
