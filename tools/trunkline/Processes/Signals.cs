using System.Runtime.InteropServices;

namespace Trunkline.Tool.Processes;

/// <summary>The few signals the tool sends; .NET itself can only kill.</summary>
internal static partial class Signals
{
    private const int Kill = 9;
    private const int Terminate = 15;
    private const int Continue = 18;

    /// <summary>Asks a process to end. A stopped one is continued, or it would never hear it.</summary>
    public static void AskToEnd(int pid)
    {
        _ = Send(pid, Terminate);
        _ = Send(pid, Continue);
    }

    /// <summary>Kills one process at once.</summary>
    public static void KillProcess(int pid) => _ = Send(pid, Kill);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int pid, int signal);
}
