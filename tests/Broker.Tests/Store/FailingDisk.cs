using Microsoft.Win32.SafeHandles;

namespace Trunkline.Broker.Tests.Store;

/// <summary>A disk that fails when told to: at once, or after a part of the bytes has arrived, as a full one does.</summary>
internal sealed class FailingDisk : StoreDisk
{
    private int _reads;

    public string? Error { get; set; }

    public bool FailsFlush { get; set; }

    /// <summary>Reads that still fail; what is below zero fails without end.</summary>
    public int FailingReads { get; set; }

    public int Writes { get; private set; }

    public int Reads => Volatile.Read(ref _reads);

    public override void Write(SafeFileHandle handle, ReadOnlySpan<byte> bytes, long offset)
    {
        Writes++;
        if (Error is not null)
        {
            base.Write(handle, bytes[..(bytes.Length / 2)], offset);
            throw new IOException(Error);
        }

        base.Write(handle, bytes, offset);
    }

    public override void Read(SafeFileHandle handle, Span<byte> bytes, long offset)
    {
        Interlocked.Increment(ref _reads);
        if (FailingReads != 0)
        {
            FailingReads--;
            throw new IOException("Input/output error");
        }

        base.Read(handle, bytes, offset);
    }

    public override void Flush(SafeFileHandle handle)
    {
        if (FailsFlush)
        {
            throw new IOException("Input/output error");
        }

        base.Flush(handle);
    }
}
