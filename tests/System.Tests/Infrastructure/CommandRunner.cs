using System.Diagnostics;
using System.Text;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>What a command said and how it ended.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    /// <summary>Fails the test, with everything the command said, unless it exited 0.</summary>
    public CommandResult EnsureSuccess()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Output}\n{Errors}");
        return this;
    }
}

/// <summary>Runs a command to its end. A deadline ends the command and fails the test.</summary>
public static class CommandRunner
{
    public static Task<CommandResult> RunAsync(string program, params string[] arguments) =>
        RunAsync(TimeSpan.FromSeconds(60), null, program, arguments);

    public static Task<CommandResult> RunAsync(TimeSpan deadline, string program, params string[] arguments) =>
        RunAsync(deadline, null, program, arguments);

    public static async Task<CommandResult> RunAsync(
        TimeSpan deadline,
        Action<ProcessStartInfo>? change,
        string program,
        params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        change?.Invoke(start);

        StringBuilder output = new();
        StringBuilder errors = new();
        using Process process = new() { StartInfo = start };
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(errors, line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        using CancellationTokenSource cancellation = new(deadline);
        try
        {
            await process.WaitForExitAsync(cancellation.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end within {deadline}.\n{output}\n{errors}");
        }

        return new CommandResult(process.ExitCode, output.ToString(), errors.ToString());
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.AppendLine(line);
            }
        }
    }
}
