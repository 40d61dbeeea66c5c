using System.Buffers.Binary;
using System.Numerics;

namespace Trunkline.Directory;

/// <summary>
/// One file of steps, in order; each step one record, so that it is there whole or not at all:
/// <code>
/// file     "TLDIR" | schema u8 | zeros u16 | record ...
/// record   0xD7 | length u32 | CRC-32C of length and payload u32 | payload (<see cref="RecordEffects"/>)
/// </code>
/// Little-endian. A record that the end of the file cuts off is a step that was not done: it is cut. A record that is
/// wrong with whole ones after it is damage, and the file is refused.
/// </summary>
internal sealed class RecordFile : IDisposable
{
    internal const byte Schema = 1;
    internal const int HeaderBytes = 8;
    private const byte Mark = 0xD7;
    private const int RecordHeaderBytes = 9;
    private const int MaximumRecordBytes = 256 * 1024 * 1024;

    private readonly FileStream _file;
    private readonly byte[] _header = new byte[RecordHeaderBytes];

    private RecordFile(FileStream file) => _file = file;

    /// <summary>Bytes of whole records and the file's header.</summary>
    internal long Length { get; private set; }

    internal string Path => _file.Name;

    internal static RecordFile Create(string path)
    {
        var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        file.Write("TLDIR"u8);
        file.Write([Schema, 0, 0]);
        return new RecordFile(file) { Length = HeaderBytes };
    }

    /// <summary>Writes one record to the system; survives the process, not the machine. IOException: nothing of it counts.</summary>
    internal void Append(ReadOnlySpan<byte> payload)
    {
        _header[0] = Mark;
        BinaryPrimitives.WriteInt32LittleEndian(_header.AsSpan(1), payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(_header.AsSpan(5), Checksum(payload));
        RandomAccess.Write(_file.SafeFileHandle, [_header, payload.ToArray()], Length);
        Length += RecordHeaderBytes + payload.Length;
    }

    /// <summary>Puts everything on the disk itself.</summary>
    internal void Flush() => _file.Flush(flushToDisk: true);

    internal void MoveTo(string path) => File.Move(_file.Name, path, overwrite: true);

    public void Dispose() => _file.Dispose();

    /// <summary>Reads all records in order; the number of bytes cut off at the end. Refuses with a sentence what is damaged.</summary>
    internal static long Read(string path, Func<ReadOnlyMemory<byte>, bool> apply)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (bytes.Length < HeaderBytes)
        {
            // It ended while it was made; what it was to replace was read instead, or there was nothing yet.
            return bytes.Length;
        }

        if (!bytes.AsSpan(0, 5).SequenceEqual("TLDIR"u8))
        {
            throw new DirectoryDataException($"{path} is not a file of the directory: set Directory:DataDirectory to a folder of its own.");
        }

        if (bytes[5] > Schema)
        {
            throw new DirectoryDataException($"{path} was written by a newer version (schema {bytes[5]}; this one knows {Schema}): start that version, or set Directory:DataDirectory to another folder.");
        }

        int at = HeaderBytes;
        while (at < bytes.Length)
        {
            int length = WholeAt(bytes, at);
            if (length < 0)
            {
                if (IsFollowedByRecord(bytes, at + 1))
                {
                    throw Damaged(path, at);
                }

                return bytes.Length - at;
            }

            if (!apply(bytes.AsMemory(at + RecordHeaderBytes, length)))
            {
                throw Damaged(path, at);
            }

            at += RecordHeaderBytes + length;
        }

        return 0;
    }

    private static DirectoryDataException Damaged(string path, int at) => new(
        $"{path} is damaged at byte {at}, with more after it: restore the folder from a backup, or move it away to begin without the sessions it holds.");

    // The payload's length when a whole record stands there, else -1.
    private static int WholeAt(ReadOnlySpan<byte> bytes, int at)
    {
        if (bytes[at] != Mark || bytes.Length - at < RecordHeaderBytes)
        {
            return -1;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[(at + 1)..]);
        return length >= 0 && length <= Math.Min(MaximumRecordBytes, bytes.Length - at - RecordHeaderBytes)
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 5)..]) == Checksum(bytes.Slice(at + RecordHeaderBytes, length))
            ? length
            : -1;
    }

    private static bool IsFollowedByRecord(ReadOnlySpan<byte> bytes, int from)
    {
        for (int at = from; at < bytes.Length; at++)
        {
            if (WholeAt(bytes, at) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    private static uint Checksum(ReadOnlySpan<byte> payload)
    {
        uint crc = BitOperations.Crc32C(uint.MaxValue, (uint)payload.Length);
        while (payload.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(payload));
            payload = payload[8..];
        }

        foreach (byte b in payload)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}
