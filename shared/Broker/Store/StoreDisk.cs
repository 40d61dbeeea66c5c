using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// What the store asks of the disk; every failure is an <see cref="IOException"/>. Any thread. Tests put one in its
/// place that fails.
/// </summary>
internal partial class StoreDisk
{
    private const int ReadOnlyFolder = 0x10000; // O_RDONLY | O_DIRECTORY

    /// <summary>See <see cref="SystemStart.ReadId"/>.</summary>
    public virtual string SystemStartId { get; } = SystemStart.ReadId();

    /// <summary>Makes a file that begins with a header and appears whole or not at all.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="header">Its first bytes.</param>
    /// <param name="isDurable">Whether it must survive a power cut once this returns.</param>
    public virtual SafeFileHandle Create(string path, ReadOnlySpan<byte> header, bool isDurable)
    {
        string fresh = path + GroupFolder.FreshEnding;
        SafeFileHandle handle = File.OpenHandle(fresh, FileMode.Create, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        try
        {
            Write(handle, header, 0);
            if (isDurable)
            {
                Flush(handle);
            }

            File.Move(fresh, path, overwrite: true);
            if (isDurable)
            {
                FlushFolder(Path.GetDirectoryName(path)!);
            }

            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Writes all bytes at a place; what a failed write left there is written over by the next try.</summary>
    public virtual void Write(SafeFileHandle handle, ReadOnlySpan<byte> bytes, long offset) =>
        RandomAccess.Write(handle, bytes, offset);

    /// <summary>Reads exactly as many bytes as there is room for.</summary>
    public virtual void Read(SafeFileHandle handle, Span<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(handle, bytes, offset);
            if (read == 0)
            {
                throw new EndOfStreamException("The file is shorter than it was.");
            }

            bytes = bytes[read..];
            offset += read;
        }
    }

    /// <summary>Returns when what was written survives a power cut.</summary>
    public virtual void Flush(SafeFileHandle handle)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(handle);
            return;
        }

        bool isHeld = false;
        handle.DangerousAddRef(ref isHeld);
        try
        {
            Check(FlushData((int)handle.DangerousGetHandle()));
        }
        finally
        {
            handle.DangerousRelease();
        }
    }

    /// <summary>Returns when names made or changed in a folder survive a power cut.</summary>
    public virtual void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        int descriptor = OpenFile(folder, ReadOnlyFolder);
        Check(descriptor);
        try
        {
            Check(FlushAll(descriptor));
        }
        finally
        {
            _ = CloseFile(descriptor);
        }
    }

    private static void Check(int result)
    {
        if (result < 0)
        {
            throw new IOException(new Win32Exception(Marshal.GetLastPInvokeError()).Message);
        }
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FlushData(int descriptor);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FlushAll(int descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int descriptor);
}
