using Microsoft.Win32.SafeHandles;

namespace Trunkline.Broker.Tests.Store;

/// <summary>A disk that fails when told to: at once, or after a part of the bytes has arrived, as a full one does.</summary>
internal sealed class FailingDisk : StoreDisk
{
    public string? Error { get; set; }

    public bool FailsFlush { get; set; }

    public int Writes { get; private set; }

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

    public override void Flush(SafeFileHandle handle)
    {
        if (FailsFlush)
        {
            throw new IOException("Input/output error");
        }

        base.Flush(handle);
    }
}
