using System.Runtime.InteropServices;

namespace Trunkline.Hosting;

/// <summary>timerfd, short sleeps, and what binds a socket to an address of this machine.</summary>
internal static unsafe partial class Libc
{
    public const int ClockMonotonic = 1;
    public const int SetTimerSlack = 29;
    public const int IpProtoIp = 0, IpBindAddressNoPort = 24, IpLocalPortRange = 51;

    [LibraryImport("libc", EntryPoint = "timerfd_create", SetLastError = true)]
    public static partial int TimerCreate(int clock, int flags);

    [LibraryImport("libc", EntryPoint = "timerfd_settime")]
    [SuppressGCTransition]
    public static partial int TimerSet(int descriptor, int flags, TimerSpecification* value, TimerSpecification* old);

    [LibraryImport("libc", EntryPoint = "bind")]
    [SuppressGCTransition]
    public static partial int Bind(int descriptor, byte* address, int addressLength);

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    public static partial int NanoSleep(TimeSpecification* time, TimeSpecification* left);

    [LibraryImport("libc", EntryPoint = "prctl")]
    [SuppressGCTransition]
    public static partial int ThreadControl(int operation, nuint argument, nuint unused3, nuint unused4, nuint unused5);

    /// <summary>struct timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpecification
    {
        public nint Seconds;
        public nint Nanoseconds;
    }

    /// <summary>struct itimerspec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimerSpecification
    {
        public nint IntervalSeconds;
        public nint IntervalNanoseconds;
        public nint Seconds;
        public nint Nanoseconds;
    }
}
