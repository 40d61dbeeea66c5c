using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Trunkline.Hosting.Memory;

/// <summary>What this process holds without mapped files, against a limit that was set. Linux; elsewhere its working set.</summary>
internal sealed class ProcessMemory(long limitBytes) : IMemorySource
{
    private readonly SystemFile? _statm = OperatingSystem.IsLinux() ? new SystemFile("/proc/self/statm") : null;

    public long LimitBytes { get; } = limitBytes;

    public long ReadUsedBytes()
    {
        if (_statm is null)
        {
            return Environment.WorkingSet;
        }

        // "size resident shared ...", in pages.
        ReadOnlySpan<byte> text = _statm.Read();
        text = text[(text.IndexOf((byte)' ') + 1)..];
        long resident = SystemFile.Number(text);
        text = text[(text.IndexOf((byte)' ') + 1)..];
        return (resident - SystemFile.Number(text)) * Environment.SystemPageSize;
    }

    public void Dispose() => _statm?.Dispose();
}

/// <summary>A small file of the kernel that is read again and again, without a byte of garbage. One caller at a time.</summary>
internal sealed class SystemFile(string path) : IDisposable
{
    private readonly SafeFileHandle _handle = File.OpenHandle(path);
    private readonly byte[] _buffer = new byte[8192];

    /// <summary>What it says now; valid until the next call.</summary>
    public ReadOnlySpan<byte> Read() => _buffer.AsSpan(0, RandomAccess.Read(_handle, _buffer, 0));

    /// <summary>The number a text begins with.</summary>
    public static long Number(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text, out long value, out _) ? value : throw new FormatException("The kernel gave no number.");

    public void Dispose() => _handle.Dispose();
}
