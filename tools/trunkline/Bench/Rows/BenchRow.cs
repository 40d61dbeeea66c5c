using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>One row of the table: what it starts, what a round does, and what it promises.</summary>
/// <param name="name">Name for --row.</param>
/// <param name="what">What is measured, for the table.</param>
internal abstract class BenchRow(string name, string what)
{
    /// <summary>Name for --row.</summary>
    public string Name => name;

    /// <summary>What is measured.</summary>
    public string What => what;

    /// <summary>What it promises.</summary>
    public abstract IReadOnlyList<BenchGoal> Goals { get; }

    /// <summary>Most rounds of it: rows that take minutes and hardly vary have fewer than asked for.</summary>
    public virtual int MostRounds => int.MaxValue;

    /// <summary>Starts what it needs, and runs whatever must be warm.</summary>
    public abstract Task PrepareAsync(RowRun run);

    /// <summary>One round: every side once. Throws when a delivery is missing.</summary>
    public abstract Task RoundAsync(RowRun run, int round, RoundValues values);
}

/// <summary>What a row has while it runs.</summary>
/// <param name="Stage">Its processes.</param>
/// <param name="Settings">What was asked for.</param>
/// <param name="Cancellation">The user's signal.</param>
internal sealed record RowRun(Stage Stage, BenchSettings Settings, CancellationToken Cancellation)
{
    /// <summary>The clock.</summary>
    public TimeProvider Time => Settings.Time;
}
