using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;
using Trunkline.Tool.Bench;
using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Report;
using Trunkline.Tool.Bench.Rows;

namespace Trunkline.SystemTests.Bench;

/// <summary>The table, its JSON, and what becomes of rounds that do not count.</summary>
public sealed class BenchReportTests
{
    private static readonly BenchGoal Goal = new("cpu", "at most 2 us", "us", values => values["cpu"], 2);

    [Fact]
    public void Rows_are_found_by_name_and_by_what_names_begin_with()
    {
        IReadOnlyList<BenchRow> all = RowList.All();
        Assert.Equal(all.Count, all.Select(row => row.Name).Distinct().Count());
        Assert.Same(all, RowList.Select(all, []));
        Assert.Equal(["tier-qos0", "tier-qos1"], RowList.Select(all, ["tier"]).Select(row => row.Name));
        Assert.Equal(["pairs"], RowList.Select(all, ["pairs"]).Select(row => row.Name));
        Assert.Contains("fanout-1000", Assert.Throws<ToolException>(() => RowList.Select(all, ["pair"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_round_in_which_something_is_missing_is_done_again_and_told()
    {
        FakeRow row = new(fail: [1]);
        RowResult result = await RunAsync(row);

        Assert.Equal("met", result.Verdict);
        Assert.Equal([0, 2, 3], result.Values["cpu"].Select(value => value * 10));
        Assert.Contains("9 of 10", Assert.Single(result.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_row_that_keeps_failing_is_failed_and_not_met()
    {
        RowResult result = await RunAsync(new FakeRow(fail: [0, 1, 2]));

        Assert.Equal("failed", result.Verdict);
        Assert.Equal(3, result.Notes.Count);
    }

    [Fact]
    public async Task A_row_that_cannot_start_says_why()
    {
        RowResult result = await RunAsync(new FakeRow(fail: []) { Refusal = "nginx is missing" });

        Assert.Equal("failed", result.Verdict);
        Assert.Equal(["nginx is missing"], result.Notes);
    }

    [Fact]
    public void A_row_measured_again_takes_the_place_of_the_old_one_and_the_file_reads_back()
    {
        BenchReport report = new BenchReport { Machine = Machine.Read() }.With(Row("b", 1)).With(Row("a", 3)).With(Row("b", 9));
        string folder = Tier.NewFolder();
        string file = Path.Combine(folder, "bench.json");
        File.WriteAllText(file, report.InOrder(["a", "b"]).ToJson());
        BenchReport read = BenchReport.Load(file);
        Directory.Delete(folder, recursive: true);

        Assert.Equal(["a", "b"], read.Rows.Select(row => row.Name));
        Assert.Equal(9, read.Rows[1].Goals[0].Figure);
        Assert.Equal(report.Machine, read.Machine);
    }

    [Fact]
    public void The_table_shows_goal_figure_spread_limit_and_verdict()
    {
        BenchReport report = new BenchReport { Machine = Machine.Read() }
            .With(Row("a", 1.234, 1.5))
            .With(Row("b", 3))
            .With(RowResult.Failed("c", "what", ["it rained"]));
        string table = BenchTable.Write(report);

        Assert.Contains("| a | at most 2 us | 1.37 us (1.23 us to 1.50 us) | 2.00 us | met |", table, StringComparison.Ordinal);
        Assert.Contains("| b | at most 2 us | 3.00 us (3.00 us to 3.00 us) | 2.00 us | missed |", table, StringComparison.Ordinal);
        Assert.Contains("| c | what | - | - | failed |", table, StringComparison.Ordinal);
        Assert.Contains("c: it rained", table, StringComparison.Ordinal);
        Assert.Equal("1 met, 1 missed, 1 failed", BenchTable.Closing(report));
    }

    private static RowResult Row(string name, params double[] cpu) => RowResult.Of(name, "what", [Goal], [.. cpu.Select(Values)], []);

    private static RoundValues Values(double cpu)
    {
        RoundValues values = new();
        values["cpu"] = cpu;
        return values;
    }

    private static Task<RowResult> RunAsync(BenchRow row) =>
        new BenchRunner(new BenchSettings { Folder = Path.GetTempPath(), Rounds = 3 }, TextWriter.Null).RunAsync(row, CancellationToken.None);

    /// <summary>A row of numbers; the attempts named fail.</summary>
    private sealed class FakeRow(int[] fail) : BenchRow("fake", "numbers")
    {
        private int _attempt;

        public string? Refusal { get; init; }

        public override IReadOnlyList<BenchGoal> Goals { get; } = [Goal];

        public override Task PrepareAsync(RowRun run) => Refusal is null ? Task.CompletedTask : throw new ToolException(Refusal);

        public override Task RoundAsync(RowRun run, int round, RoundValues values)
        {
            int attempt = _attempt++;
            values["cpu"] = attempt / 10.0;
            return fail.Contains(attempt) ? throw new RoundFault("9 of 10 came") : Task.CompletedTask;
        }
    }
}
