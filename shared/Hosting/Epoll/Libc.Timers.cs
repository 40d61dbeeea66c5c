using System.Runtime.InteropServices;

namespace Trunkline.Hosting;

/// <summary>timerfd, and what binds a socket to an address of this machine.</summary>
internal static unsafe partial class Libc
{
    public const int ClockMonotonic = 1;
    public const int IpProtoIp = 0, IpBindAddressNoPort = 24;

    [LibraryImport("libc", EntryPoint = "timerfd_create", SetLastError = true)]
    public static partial int TimerCreate(int clock, int flags);

    [LibraryImport("libc", EntryPoint = "timerfd_settime")]
    [SuppressGCTransition]
    public static partial int TimerSet(int descriptor, int flags, TimerSpecification* value, TimerSpecification* old);

    [LibraryImport("libc", EntryPoint = "bind")]
    [SuppressGCTransition]
    public static partial int Bind(int descriptor, byte* address, int addressLength);

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
