namespace Trunkline.Tool.Bench.Figures;

/// <summary>What a row found. Field names are a contract of --json.</summary>
internal sealed record RowResult
{
    /// <summary>Name of the row.</summary>
    public required string Name { get; init; }

    /// <summary>What it measures.</summary>
    public required string What { get; init; }

    /// <summary>met, missed, or failed (it could not be measured).</summary>
    public required string Verdict { get; init; }

    /// <summary>Its goals.</summary>
    public IReadOnlyList<GoalResult> Goals { get; init; } = [];

    /// <summary>All values by name, one a round.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> Values { get; init; } = new Dictionary<string, IReadOnlyList<double>>();

    /// <summary>Why it could not be measured, or which rounds were thrown away and why.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Rounds that count.</summary>
    public int Rounds { get; init; }

    /// <summary>How long it took.</summary>
    public double Seconds { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The commit it was built from; a plus sign says that files were changed since.</summary>
    public string Commit { get; init; } = "";

    /// <summary>Judges what was measured.</summary>
    public static RowResult Of(string name, string what, IReadOnlyList<BenchGoal> goals, IReadOnlyList<RoundValues> rounds, IReadOnlyList<string> notes)
    {
        GoalResult[] judged = [.. goals.Select(goal => goal.Judge(rounds))];
        return new RowResult
        {
            Name = name,
            What = what,
            Verdict = judged.All(goal => goal.IsMet) ? "met" : "missed",
            Goals = judged,
            Values = rounds[0].Names.ToDictionary(value => value, value => (IReadOnlyList<double>)[.. rounds.Select(round => round[value])]),
            Notes = notes,
            Rounds = rounds.Count,
        };
    }

    /// <summary>A row that could not be measured.</summary>
    public static RowResult Failed(string name, string what, IReadOnlyList<string> notes) =>
        new() { Name = name, What = what, Verdict = "failed", Notes = notes };
}
