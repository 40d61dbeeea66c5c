using System.Diagnostics;
using System.Text;

namespace Trunkline.Tool.Suite;

/// <summary>What a command of the suite said and how it ended; null when its deadline passed.</summary>
internal sealed record SuiteProcessResult(int? ExitCode, string Output)
{
    private const int TailLines = 60;

    /// <summary>The last lines of what it said.</summary>
    public string Tail => string.Join('\n', Output.Split('\n').TakeLast(TailLines));
}

/// <summary>Runs one command of the suite, with a deadline, its output kept.</summary>
internal static class SuiteProcess
{
    public static async Task<SuiteProcessResult> RunAsync(
        TimeSpan deadline, string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        StringBuilder output = new();
        using Process process = new() { StartInfo = start };
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(output, line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(deadline);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellation.ThrowIfCancellationRequested();
            return new SuiteProcessResult(null, Text(output));
        }

        return new SuiteProcessResult(process.ExitCode, Text(output));
    }

    private static void Append(StringBuilder output, string? line)
    {
        if (line is not null)
        {
            lock (output)
            {
                output.AppendLine(line);
            }
        }
    }

    private static string Text(StringBuilder output)
    {
        lock (output)
        {
            return output.ToString();
        }
    }
}
