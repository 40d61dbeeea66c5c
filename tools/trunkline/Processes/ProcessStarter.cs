using System.Diagnostics;

namespace Trunkline.Tool.Processes;

/// <summary>Starts a program that outlives this one.</summary>
internal static class ProcessStarter
{
    /// <summary>
    /// Starts a program in a session of its own, so that a signal to the caller's terminal does not reach it, with
    /// its output appended to a file. Shell and setsid replace themselves: the id is the program's own.
    /// </summary>
    public static ProcessIdentity Start(IReadOnlyList<string> command, string workingDirectory, string logFile)
    {
        ProcessStartInfo start = new("/bin/sh")
        {
            WorkingDirectory = workingDirectory,
            UseShellExecute = false,
            ArgumentList = { "-c", "log=$1; shift; exec setsid \"$@\" </dev/null >>\"$log\" 2>&1", "sh", logFile },
        };
        foreach (string argument in command)
        {
            start.ArgumentList.Add(argument);
        }

        // Settings of the caller's own proxy must not leak into every part of a tier.
        foreach (string name in start.Environment.Keys.Where(key => key.StartsWith("TRUNKLINE__", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name);
        }

        using Process process = Process.Start(start)
            ?? throw new ToolException($"{command[0]} could not be started.");
        return ProcessIdentity.Of(process.Id)
            ?? throw new ToolException($"{command[0]} ended as soon as it was started; see {logFile}.");
    }
}
