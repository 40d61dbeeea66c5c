using System.Runtime.InteropServices;

namespace Trunkline.Hosting;

/// <summary>
/// The system calls of the event loop. Those that cannot block (all descriptors are non-blocking) skip the switch to
/// preemptive mode, which costs more than they do; errno is read right after the call, on the same thread.
/// </summary>
internal static unsafe partial class Libc
{
    public const int EpollCtlAdd = 1, EpollCtlDel = 2, EpollCtlMod = 3;
    public const uint EpollIn = 1, EpollOut = 4, EpollErr = 8, EpollHup = 0x10, EpollRdHup = 0x2000;
    public const uint EpollExclusive = 1u << 28, EpollEdge = 1u << 31;
    public const int CloseOnExec = 0x80000, NonBlocking = 0x800;
    public const int MsgNoSignal = 0x4000;
    public const int ShutdownWrite = 1;
    public const int SolSocket = 1, SoError = 4, SoLinger = 13;
    public const int AfInet = 2, AfInet6 = 10, SockStream = 1, IpProtoTcp = 6, TcpNoDelay = 1;
    public const int Eintr = 4, Eagain = 11, Emfile = 24, Enfile = 23, Enobufs = 105, Enomem = 12, Einprogress = 115, Econnaborted = 103;

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl")]
    [SuppressGCTransition]
    public static partial int EpollControl(int epoll, int operation, int descriptor, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    public static partial int EpollWait(int epoll, byte* events, int maximum, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    [SuppressGCTransition]
    public static partial int EpollPoll(int epoll, byte* events, int maximum, int zero);

    [LibraryImport("libc", EntryPoint = "write")]
    [SuppressGCTransition]
    public static partial nint Write(int descriptor, void* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "recv")]
    [SuppressGCTransition]
    public static partial nint Receive(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send")]
    [SuppressGCTransition]
    public static partial nint Send(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg")]
    [SuppressGCTransition]
    public static partial nint SendMessage(int descriptor, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "accept4")]
    [SuppressGCTransition]
    public static partial int Accept(int descriptor, byte* address, int* addressLength, int flags);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    [SuppressGCTransition]
    public static partial int Shutdown(int descriptor, int how);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "socket")]
    [SuppressGCTransition]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect")]
    [SuppressGCTransition]
    public static partial int Connect(int descriptor, byte* address, int addressLength);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    [SuppressGCTransition]
    public static partial int SetOption(int descriptor, int level, int name, void* value, int length);

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    [SuppressGCTransition]
    public static partial int GetOption(int descriptor, int level, int name, void* value, int* length);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    [SuppressGCTransition]
    private static partial int GetLimit(int resource, ulong* softAndHard);

    /// <summary>How many descriptors this process may open now; it may be changed while it runs.</summary>
    public static ulong MaximumDescriptors()
    {
        const int openFiles = 7;
        ulong* limits = stackalloc ulong[2];
        return GetLimit(openFiles, limits) == 0 ? limits[0] : ulong.MaxValue;
    }

    /// <summary>errno of the call before.</summary>
    public static int LastError => Marshal.GetLastSystemError();

    /// <summary>errno in words.</summary>
    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public byte* Base;
        public nint Length;
    }

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nint VectorCount;
        public void* Control;
        public nint ControlLength;
        public int Flags;
    }
}
