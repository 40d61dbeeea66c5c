using System.Diagnostics;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>
/// A program that runs beside the test, its lines kept as they come. A test awaits lines with a deadline, never a
/// pause. Disposing kills it.
/// </summary>
public class LiveProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly LineLog _lines = new();

    protected LiveProcess(ProcessStartInfo start)
    {
        ArgumentNullException.ThrowIfNull(start);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => _lines.Add(line.Data);
        _process.ErrorDataReceived += (_, line) => _lines.Add(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Everything it said so far, output and errors.</summary>
    public IReadOnlyList<string> Lines => _lines.Snapshot();

    public static LiveProcess Start(string program, params string[] arguments) => new(new ProcessStartInfo(program, arguments));

    public static LiveProcess Start(ProcessStartInfo start) => new(start);

    /// <summary>The first line, from the beginning, that the predicate takes. Fails the test when the deadline passes.</summary>
    public Task<string> AwaitLineAsync(Func<string, bool> predicate, TimeSpan? deadline = null) =>
        _lines.AwaitAsync(predicate, deadline ?? Eventually.Patience, ToString);

    /// <summary>The first line that holds the text.</summary>
    public Task<string> AwaitLineAsync(string text, TimeSpan? deadline = null) =>
        AwaitLineAsync(line => line.Contains(text, StringComparison.Ordinal), deadline);

    /// <summary>The first <paramref name="count"/> lines that the predicate takes, in order.</summary>
    public Task<IReadOnlyList<string>> AwaitLinesAsync(int count, Func<string, bool> predicate, TimeSpan? deadline = null) =>
        _lines.AwaitManyAsync(count, predicate, deadline ?? Eventually.Patience, ToString);

    /// <summary>Its exit code, once it has ended by itself.</summary>
    public async Task<int> AwaitExitAsync(TimeSpan? deadline = null)
    {
        using CancellationTokenSource cancellation = new(deadline ?? Eventually.Patience);
        try
        {
            await _process.WaitForExitAsync(cancellation.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{this} did not end in time.\n{string.Join('\n', Lines)}");
        }

        return _process.ExitCode;
    }

    public override string ToString() =>
        $"{Path.GetFileName(_process.StartInfo.FileName)} {string.Join(' ', _process.StartInfo.ArgumentList)}";

    public virtual async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        GC.SuppressFinalize(this);
    }
}
