using System.CommandLine;

namespace Trunkline.Tool.Suite;

/// <summary>./trunkline test: the script has installed and built; this runs and counts.</summary>
internal static class SuiteCommand
{
    public static Command Create()
    {
        Option<string[]> projects = new("--project") { Description = "Only this test project, for example Protocol.Tests. Repeatable." };
        Option<string?> filter = new("--filter") { Description = "Only tests that match, as dotnet test --filter." };
        Option<bool> noInstall = new("--no-install") { Description = "Install nothing first." };
        Command test = new("test", "Run the standing suite. The last line is 'N passed, N failed, N skipped'.")
        {
            projects, filter, noInstall,
        };
        test.SetAction(async (parsed, cancellation) =>
        {
            SuiteSelection selection = new(parsed.GetValue(projects) ?? [], parsed.GetValue(filter));
            SuiteResult result = await new SuiteRunner(TimeProvider.System, Console.Out).RunAsync(selection, cancellation);
            Console.WriteLine(result.ClosingLine);
            return result.IsGood ? ExitCodes.Success : ExitCodes.Failure;
        });
        return test;
    }
}

/// <summary>What of the suite to run; empty means all.</summary>
internal sealed record SuiteSelection(IReadOnlyList<string> Projects, string? Filter)
{
    public bool IsEverything => Projects.Count == 0 && Filter is null;
}
