namespace Trunkline.Tool.Suite;

/// <summary>A test, or a check, that failed, and why.</summary>
internal sealed record SuiteFailure(string Name, string Message);

/// <summary>What one project, or one check, came to. Results add up.</summary>
internal sealed record SuiteResult(int Passed, int Skipped, IReadOnlyList<SuiteFailure> Failures)
{
    public static SuiteResult Nothing { get; } = new(0, 0, []);

    /// <summary>One failure that is no test's: a crash, a deadline, a project that ran nothing.</summary>
    public static SuiteResult Failure(string name, string message) => new(0, 0, [new SuiteFailure(name, message)]);

    /// <summary>No test run is a failure.</summary>
    public bool IsGood => Failures.Count == 0 && Passed > 0;

    /// <summary>The last line of ./trunkline test: a contract with whoever reads it.</summary>
    public string ClosingLine => FormattableString.Invariant($"{Passed} passed, {Failures.Count} failed, {Skipped} skipped");

    public static SuiteResult operator +(SuiteResult left, SuiteResult right) =>
        new(left.Passed + right.Passed, left.Skipped + right.Skipped, [.. left.Failures, .. right.Failures]);
}
