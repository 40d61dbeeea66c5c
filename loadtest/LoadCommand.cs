using System.Buffers;

namespace Trunkline.Loadtest;

/// <summary>One run from its arguments to its reports.</summary>
internal sealed class LoadCommand(TextWriter output, TextWriter errors, TimeProvider time)
{
    private static readonly SearchValues<char> ShellCharacters = SearchValues.Create(" <>#$&*;|'\"");

    /// <summary>Runs the pattern the arguments name.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, bool isTerminal, CancellationToken stop)
    {
        (LoadOptions options, IReadOnlyList<string> wrong) = OptionParser.Parse(arguments);
        if (wrong.Count > 0)
        {
            foreach (string sentence in wrong)
            {
                await errors.WriteLineAsync($"loadtest: {sentence}");
            }

            return ExitCodes.Usage;
        }

        RunReport report = await RunAsync(options, "trunkline loadtest " + string.Join(' ', arguments.Select(Quote)), isTerminal, stop);
        await WriteAsync(report, options);
        return report.Connected == 0 && options.Pattern != LoadPattern.Churn ? ExitCodes.Failure
            : report.Thresholds.All(rule => rule.IsKept) ? ExitCodes.Success
            : ExitCodes.ThresholdMissed;
    }

    /// <summary>Runs and returns what it found.</summary>
    public async Task<RunReport> RunAsync(LoadOptions options, string command, bool isTerminal, CancellationToken stop)
    {
        using LoadSession session = await LoadSession.CreateAsync(options, time, stop);
        ILoadRun run = options.Pattern switch
        {
            LoadPattern.Churn => new ChurnRun(session),
            LoadPattern.Storm => new StormRun(session),
            _ => new SteadyRun(session),
        };
        using var end = new CancellationTokenSource();
        Task sampling = new Progress(session.Watch, session.Clock, isTerminal && !options.IsQuiet ? errors : null).RunAsync(end.Token);
        try
        {
            await run.RunAsync(stop);
        }
        finally
        {
            await end.CancelAsync();
            await sampling;
        }

        return await ReportBuilder.BuildAsync(session, run, command, stop.IsCancellationRequested);
    }

    private async Task WriteAsync(RunReport report, LoadOptions options)
    {
        // With the JSON on standard output a program reads that; people read the other.
        TextWriter people = options.JsonPath == "-" ? errors : output;
        await people.WriteAsync(TextReport.Write(report));
        if (options.JsonPath == "-")
        {
            await output.WriteLineAsync(ReportFiles.ToJson(report));
        }
        else if (options.JsonPath is { } json)
        {
            await File.WriteAllTextAsync(json, ReportFiles.ToJson(report));
        }

        if (options.CsvPath is { } csv)
        {
            await File.WriteAllTextAsync(csv, ReportFiles.ToCsv(report));
        }

        if (options.HtmlPath is { } html)
        {
            await File.WriteAllTextAsync(html, HtmlReport.Write(report));
        }
    }

    private static string Quote(string argument) =>
        argument.AsSpan().ContainsAny(ShellCharacters) ? $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'" : argument;
}
