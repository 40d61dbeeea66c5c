using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Trunkline.Hosting;

/// <summary>struct epoll_event, which is packed on x86-64 only: { uint events; [4 padding elsewhere]; ulong data }.</summary>
internal static unsafe class EpollEvents
{
    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture == Architecture.X64;

    public static int Size => IsPacked ? 12 : 16;

    private static int DataOffset => IsPacked ? 4 : 8;

    public static uint Events(byte* element) => Unsafe.ReadUnaligned<uint>(element);

    public static int Descriptor(byte* element) => Unsafe.ReadUnaligned<int>(element + DataOffset);

    public static void Set(byte* element, uint events, int descriptor)
    {
        Unsafe.WriteUnaligned(element, events);
        Unsafe.WriteUnaligned(element + DataOffset, (ulong)(uint)descriptor);
    }
}
