using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Trunkline.Hosting.Metrics;

/// <summary>
/// How many files a folder of /proc holds, without making anything for each: a proxy has a descriptor for each device, and
/// a list of their names would be megabytes of garbage a scrape. Any thread.
/// </summary>
[SupportedOSPlatform("linux")]
internal static unsafe partial class FileCounts
{
    private const int AtFdCwd = -100;
    private const uint StatxSize = 0x200;
    private const int StatxBytes = 256, StatxSizeAt = 40;

    /// <summary>Descriptors this process has open; -1 when the kernel does not tell.</summary>
    public static long OpenDescriptors()
    {
        const string folder = "/proc/self/fd";

        // Since Linux 6.2 the folder's size is their number; before it was 0, and each is walked past, with the one that walks.
        long size = SizeOf(folder);
        return size > 0 ? size : long.Max(EntriesOf(folder) - 1, -1);
    }

    /// <summary>Entries of a folder, "." and ".." not counted; -1 when it cannot be read.</summary>
    public static long EntriesOf(string folder)
    {
        nint stream = OpenFolder(folder);
        if (stream == 0)
        {
            return -1;
        }

        long entries = -2;
        while (ReadEntry(stream) != 0)
        {
            entries++;
        }

        _ = CloseFolder(stream);
        return entries;
    }

    /// <summary>The size a file or folder has by its own account; -1 when there is none.</summary>
    public static long SizeOf(string path)
    {
        byte* answer = stackalloc byte[StatxBytes];
        return Statx(AtFdCwd, path, 0, StatxSize, answer) == 0 ? *(long*)(answer + StatxSizeAt) : -1;
    }

    [LibraryImport("libc", EntryPoint = "opendir", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenFolder(string folder);

    [LibraryImport("libc", EntryPoint = "readdir")]
    private static partial nint ReadEntry(nint stream);

    [LibraryImport("libc", EntryPoint = "closedir")]
    private static partial int CloseFolder(nint stream);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int at, string path, int flags, uint asked, byte* answer);
}
