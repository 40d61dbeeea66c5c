using System.Runtime.InteropServices;

namespace Trunkline.Hosting;

/// <summary>
/// What OpenSSL may read and write during one call: memory of ours, so that between calls no buffer is held on either
/// side. It lies on the caller's stack; a connection's BIO points to it for the length of the call only.
/// </summary>
internal unsafe struct BioWindow
{
    public byte* Input;
    public int InputLength;
    public byte* Output;
    public int OutputCapacity;
    public int OutputLength;

    /// <summary>A BIO method that reads and writes windows; whoever made it frees it after its last BIO.</summary>
    public static nint CreateMethod()
    {
        const int sourceAndSink = 0x0400;
        nint method = LibSsl.BioMethodNew(sourceAndSink | 0x7f, "trunkline");
        _ = LibSsl.BioMethodRead(method, &Read);
        _ = LibSsl.BioMethodWrite(method, &Write);
        _ = LibSsl.BioMethodControl(method, &Control);
        return method;
    }

    [UnmanagedCallersOnly]
    private static int Read(nint bio, byte* buffer, int length)
    {
        var window = (BioWindow*)LibSsl.BioGetData(bio);
        LibSsl.BioClearFlags(bio, LibSsl.BioRead | LibSsl.BioWrite | LibSsl.BioRetry);
        if (window is null || window->InputLength == 0)
        {
            LibSsl.BioSetFlags(bio, LibSsl.BioRead | LibSsl.BioRetry);
            return -1;
        }

        int count = int.Min(length, window->InputLength);
        new ReadOnlySpan<byte>(window->Input, count).CopyTo(new Span<byte>(buffer, count));
        window->Input += count;
        window->InputLength -= count;
        return count;
    }

    [UnmanagedCallersOnly]
    private static int Write(nint bio, byte* buffer, int length)
    {
        var window = (BioWindow*)LibSsl.BioGetData(bio);
        LibSsl.BioClearFlags(bio, LibSsl.BioRead | LibSsl.BioWrite | LibSsl.BioRetry);
        int count = window is null ? 0 : int.Min(length, window->OutputCapacity - window->OutputLength);
        if (count == 0)
        {
            LibSsl.BioSetFlags(bio, LibSsl.BioWrite | LibSsl.BioRetry);
            return -1;
        }

        new ReadOnlySpan<byte>(buffer, count).CopyTo(new Span<byte>(window->Output + window->OutputLength, count));
        window->OutputLength += count;
        return count;
    }

    [UnmanagedCallersOnly]
    private static nint Control(nint bio, int command, nint value, nint pointer) => command == LibSsl.BioFlush ? 1 : 0;
}
