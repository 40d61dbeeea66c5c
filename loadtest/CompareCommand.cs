using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>`compare a.json b.json [--html FILE]`: two runs beside each other.</summary>
internal sealed class CompareCommand(TextWriter output, TextWriter errors)
{
    /// <summary>Runs it.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var files = new List<string>();
        string? html = null;
        for (int i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--html" && i + 1 < arguments.Count)
            {
                html = arguments[++i];
            }
            else
            {
                files.Add(arguments[i]);
            }
        }

        if (files.Count != 2 || files.Any(file => file.StartsWith('-')))
        {
            await errors.WriteLineAsync("loadtest: write compare A.json B.json [--html FILE].");
            return ExitCodes.Usage;
        }

        RunReport before;
        RunReport after;
        try
        {
            before = ReportFiles.FromJson(await File.ReadAllTextAsync(files[0]), files[0]);
            after = ReportFiles.FromJson(await File.ReadAllTextAsync(files[1]), files[1]);
        }
        catch (OptionException exception)
        {
            await errors.WriteLineAsync($"loadtest: {exception.Message}");
            return ExitCodes.Usage;
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{"figure",-24} {"A",14} {"B",14} {"change",9}"));
        foreach (ComparedFigure figure in Comparison.Of(before, after))
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{figure.Name,-24} {figure.Before,14} {figure.After,14} {figure.Change,9}"));
        }

        if (html is not null)
        {
            await File.WriteAllTextAsync(html, HtmlReport.Compare(before, after));
        }

        return ExitCodes.Success;
    }
}
