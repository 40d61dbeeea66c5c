using Trunkline.Tool.Bench.Figures;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>A row that puts the same load on several sides by turns. Which side begins changes with each round.</summary>
internal sealed class LoadRow(
    string name,
    string what,
    Func<RowRun, Task> prepare,
    IReadOnlyList<LoadSide> sides,
    IReadOnlyList<BenchGoal> goals) : BenchRow(name, what)
{
    /// <summary>Seconds each side runs before the first round: the just-in-time compiler has then done its last step.</summary>
    private const double FirstWarmUpSeconds = 3;

    /// <summary>Multiplies the measured time: thin loads need longer for as many messages.</summary>
    public double TimeFactor { get; init; } = 1;

    /// <summary>
    /// How often a round measures each side, by turns; their means are its values. For sides that differ by less than one
    /// side does from one run to the next.
    /// </summary>
    public int Passes { get; init; } = 1;

    /// <summary>Adds what is known without a load.</summary>
    public Action<RowRun, RoundValues>? AfterRound { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals => goals;

    /// <inheritdoc/>
    public override async Task PrepareAsync(RowRun run)
    {
        await prepare(run);
        foreach (LoadSide side in sides)
        {
            await side.RunAsync(run, 0, Math.Min(FirstWarmUpSeconds, run.Settings.Seconds), new RoundValues());
        }
    }

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        RoundValues[] passes = [.. Enumerable.Range(0, Passes).Select(_ => new RoundValues())];
        for (int pass = 0; pass < Passes; pass++)
        {
            foreach (LoadSide side in (round + pass) % 2 == 0 ? sides : sides.Reverse())
            {
                await side.RunAsync(run, run.Settings.WarmUpSeconds, run.Settings.Seconds * TimeFactor, passes[pass]);
            }
        }

        foreach (string name in passes[0].Names)
        {
            values[name] = passes.Average(pass => pass[name]);
        }

        AfterRound?.Invoke(run, values);
    }
}
