using System.Runtime.InteropServices;

namespace Trunkline.Loadtest;

/// <summary>CPU time of any process to the nanosecond; /proc/PID/stat counts in ticks of 10 ms, several messages' worth of a row. Any thread.</summary>
internal static partial class ProcessClock
{
    // Above what Linux allows, and what shifts into the identifier of another clock.
    private const int PidLimit = 1 << 28;

    /// <summary>User and system time of all its threads since it started; null when there is no process of that id.</summary>
    public static double? CpuSeconds(int pid)
    {
        // What clock_getcpuclockid gives for a process (CPUCLOCK_SCHED), without asking for it.
        int clock = (~pid << 3) | 2;
        return pid is > 0 and < PidLimit && ReadClock(clock, out Time time) == 0 ? time.Seconds + (time.Nanoseconds / 1e9) : null;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ReadClock(int clock, out Time time);

    /// <summary>struct timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Time
    {
        public readonly nint Seconds;
        public readonly nint Nanoseconds;
    }
}
