using System.Diagnostics;
using System.Globalization;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>
/// System calls of a running process fail with EIO on some files, by strace, until this is disposed: a disk that gives
/// errors. Calls on files made later are whole.
/// </summary>
public sealed class FailingCalls : IAsyncDisposable
{
    private readonly LiveProcess _strace;

    private FailingCalls(LiveProcess strace) => _strace = strace;

    /// <summary>They fail when this returns.</summary>
    public static async Task<FailingCalls> BeginAsync(int pid, IReadOnlyList<string> files, params string[] calls)
    {
        string names = string.Join(',', calls);
        var strace = LiveProcess.Start(
            "strace",
            [
                "-f", "-p", pid.ToString(CultureInfo.InvariantCulture), "-o", "/dev/null", "-e", $"trace={names}", "-e", $"inject={names}:error=EIO",
                .. files.SelectMany(file => (string[])["-P", file]),
            ]);
        var failing = new FailingCalls(strace);
        await strace.AwaitLineAsync(" attached");
        return failing;
    }

    /// <summary>Lets the process go.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_strace.HasExited)
        {
            using Process kill = Process.Start("kill", ["-INT", _strace.Pid.ToString(CultureInfo.InvariantCulture)]);
            await kill.WaitForExitAsync();
            await _strace.AwaitExitAsync();
        }

        await _strace.DisposeAsync();
    }
}

/// <summary>A test that lets system calls of another process fail. Where that is not to be had it is skipped, and says why.</summary>
public sealed class FailingCallsFactAttribute : FactAttribute
{
    public FailingCallsFactAttribute() => Skip = ProgramsFactAttribute.Missing(["strace"]) ?? Refused();

    private static string? Refused()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "It traces another process, which only root may.";
        }

        using Process strace = Process.Start("strace", ["-o", "/dev/null", "true"]);
        strace.WaitForExit();
        return strace.ExitCode == 0 ? null : "No process can be traced here.";
    }
}
