using System.Globalization;

namespace Trunkline.Tool.Suite;

/// <summary>
/// Runs every test project that is built, two at a time, and beside them, at the lowest priority, the check of the sources'
/// format; then System.Tests alone because it measures real processes. Counts what the projects' TRX files say.
/// </summary>
internal sealed class SuiteRunner(TimeProvider time, TextWriter output)
{
    private const string Alone = "System.Tests";
    private const string Format = "dotnet format";
    private const int Parallel = 2;
    private const int MostLines = 60;

    // A project that reaches its limit hangs. The whole suite takes below 15 minutes on two cores of usual speed; these leave
    // room for a machine of half that speed, where System.Tests took 7 minutes one day and more than 12 the next.
    private static readonly TimeSpan ProjectDeadline = TimeSpan.FromMinutes(12);
    private static readonly TimeSpan AloneDeadline = TimeSpan.FromMinutes(25);
    private static readonly TimeSpan FormatDeadline = TimeSpan.FromMinutes(12);

    private readonly string _resultsFolder = Path.Combine(Repository.Root, "artifacts", "test-results");

    public async Task<SuiteResult> RunAsync(SuiteSelection selection, CancellationToken cancellation)
    {
        if (Directory.Exists(_resultsFolder))
        {
            Directory.Delete(_resultsFolder, recursive: true);
        }

        Directory.CreateDirectory(_resultsFolder);
        string[] projects = Select(selection);
        SuiteResult total = SuiteResult.Nothing;
        using SemaphoreSlim slots = new(Parallel);
        List<Task<SuiteResult>> together = selection.IsEverything ? [TimedAsync(Format, () => CheckFormatAsync(cancellation))] : [];
        together.AddRange(projects.Where(project => Name(project) != Alone).Select(project => RunAsync(project, ProjectDeadline)));
        foreach (SuiteResult result in await Task.WhenAll(together))
        {
            total += result;
        }

        foreach (string project in projects.Where(project => Name(project) == Alone))
        {
            total += await RunAsync(project, AloneDeadline);
        }

        await PrintFailuresAsync(total);
        return total;

        Task<SuiteResult> RunAsync(string project, TimeSpan deadline) =>
            InSlotAsync(Name(project), () => RunProjectAsync(project, selection, deadline, cancellation), slots, cancellation);
    }

    private static string Name(string project) => Path.GetFileNameWithoutExtension(project);

    private static string[] Select(SuiteSelection selection)
    {
        string[] all =
        [
            .. Directory.GetDirectories(Path.Combine(Repository.Root, "tests"), "*.Tests")
                .SelectMany(folder => Directory.GetFiles(folder, "*.Tests.csproj"))
                .Order(StringComparer.Ordinal),
        ];
        foreach (string wanted in selection.Projects)
        {
            if (!all.Any(project => Name(project) == wanted))
            {
                throw new ToolException($"There is no test project '{wanted}'; there are {string.Join(", ", all.Select(Name))}.", ExitCodes.Usage);
            }
        }

        return selection.Projects.Count == 0 ? all : [.. all.Where(project => selection.Projects.Contains(Name(project)))];
    }

    private async Task<SuiteResult> InSlotAsync(string name, Func<Task<SuiteResult>> run, SemaphoreSlim slots, CancellationToken cancellation)
    {
        await slots.WaitAsync(cancellation);
        try
        {
            return await TimedAsync(name, run);
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task<SuiteResult> TimedAsync(string name, Func<Task<SuiteResult>> run)
    {
        long start = time.GetTimestamp();
        SuiteResult result = await run();
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{name,-18} {result.ClosingLine} ({time.GetElapsedTime(start).TotalSeconds:F0} s)"));
        return result;
    }

    private async Task<SuiteResult> RunProjectAsync(
        string project, SuiteSelection selection, TimeSpan deadline, CancellationToken cancellation)
    {
        string name = Name(project);
        string assembly = Repository.TestAssembly(project);
        if (!File.Exists(assembly))
        {
            return SuiteResult.Failure(name, $"{assembly} is not built: is {name} in Proxy.sln?");
        }

        List<string> arguments = ["test", assembly, "--nologo", "--logger", $"trx;LogFileName={name}.trx", "--results-directory", _resultsFolder];
        if (selection.Filter is not null)
        {
            arguments.AddRange(["--filter", selection.Filter]);
        }

        SuiteProcessResult run = await SuiteProcess.RunAsync(deadline, "dotnet", arguments, cancellation);
        await File.WriteAllTextAsync(Path.Combine(_resultsFolder, name + ".log"), run.Output, cancellation);
        string trx = Path.Combine(_resultsFolder, name + ".trx");
        SuiteResult counted = File.Exists(trx) ? TrxFile.Read(trx) : SuiteResult.Nothing;
        if (run.ExitCode is null)
        {
            return counted + SuiteResult.Failure(name, $"did not end within {deadline.TotalMinutes} minutes.\n{run.Tail}");
        }

        if (counted.Passed + counted.Skipped + counted.Failures.Count == 0)
        {
            return selection.Filter is null ? SuiteResult.Failure(name, $"ran no test.\n{run.Tail}") : SuiteResult.Nothing;
        }

        // A crash of the test process loses tests without a failed one to show for it.
        return run.ExitCode != 0 && counted.Failures.Count == 0
            ? counted + SuiteResult.Failure(name, $"exited {run.ExitCode} with no failed test.\n{run.Tail}")
            : counted;
    }

    // What the compiler does not check as it builds: white space, line ends, names. It would take a core for a minute and a half:
    // at the lowest priority it has what the tests beside it leave free.
    private static async Task<SuiteResult> CheckFormatAsync(CancellationToken cancellation)
    {
        SuiteProcessResult run = await SuiteProcess.RunAsync(
            FormatDeadline, "nice", ["-n", "19", "dotnet", "format", "Proxy.sln", "--no-restore", "--verify-no-changes"], cancellation);
        return run.ExitCode == 0 ? new SuiteResult(1, 0, []) : SuiteResult.Failure(Format, run.Tail);
    }

    private async Task PrintFailuresAsync(SuiteResult result)
    {
        foreach (SuiteFailure failure in result.Failures)
        {
            await output.WriteLineAsync($"\nFAILED {failure.Name}\n{Indent(failure.Message)}");
        }

        if (result.Failures.Count > 0)
        {
            await output.WriteLineAsync($"\nFull output: {_resultsFolder}\n");
        }
    }

    private static string Indent(string text)
    {
        string[] lines = text.TrimEnd().ReplaceLineEndings("\n").Split('\n');
        IEnumerable<string> shown = lines.Length <= MostLines
            ? lines
            : lines.Take(MostLines).Append($"... and {lines.Length - MostLines} more lines in the project's .trx file.");
        return "  " + string.Join("\n  ", shown);
    }
}
