using System.Diagnostics;
using System.Globalization;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Bench.Load;

/// <summary>Runs loadtest as a process of its own and reads its report.</summary>
internal static class LoadRunner
{
    /// <summary>Runs to the end; throws a sentence when a delivery is missing or the program failed.</summary>
    public static async Task<LoadReport> RunAsync(LoadTarget target, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        string[] all = [.. arguments, .. target.Arguments(), "--json", "-", "--quiet"];
        await using LoadProcessHandle handle = Start(all);
        LoadReport report = await handle.ReportAsync(cancellation);
        if (report.Fault() is string fault)
        {
            throw new RoundFault($"{fault}: loadtest {string.Join(' ', arguments)}");
        }

        string[] gone = [.. report.Processes.Where(process => process.IsGone).Select(process => process.Name)];
        return gone.Length == 0 ? report : throw new RoundFault($"{string.Join(", ", gone)} ended during the run");
    }

    /// <summary>Starts one that goes on beside others, until it is disposed or asked for its report.</summary>
    public static LoadProcessHandle Start(IReadOnlyList<string> arguments)
    {
        ProcessStartInfo start = new(Programs.Own(Repository.LoadtestProgram))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return new LoadProcessHandle(Process.Start(start) ?? throw new ToolException("loadtest could not be started."));
    }

    /// <summary>Seconds as loadtest reads them.</summary>
    public static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0}ms");
}

/// <summary>A loadtest that runs. Killed when disposed.</summary>
internal sealed class LoadProcessHandle : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    public LoadProcessHandle(Process process)
    {
        _process = process;
        process.StandardInput.Close();
        _output = process.StandardOutput.ReadToEndAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Whether it still runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>Waits for its end and reads what it found.</summary>
    public async Task<LoadReport> ReportAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        string output = await _output;
        int start = output.IndexOf('{', StringComparison.Ordinal);
        return start >= 0
            ? LoadReport.Parse(output[start..])
            : throw new ToolException($"loadtest ended with {_process.ExitCode}: {(await _errors).Trim()}");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
