using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Trunkline.Directory;

/// <summary>
/// One file of records, in order; each there whole or not at all. It begins with everything there was (one record or
/// more, the last of them marked), then each step adds one:
/// <code>
/// file     "TLDIR" | schema u8 | zeros u16 | salt u32 | CRC-32C of the 12 bytes before u32 | record ...
/// record   mark u8 | length u32 | CRC-32C of salt, mark, length and payload u32 | payload (<see cref="RecordEffects"/>)
/// mark     0xD5 the beginning, more of it follows   0xD6 the beginning's last   0xD7 a step (schema 1)
///          0xD8 a step with, before the rest, up to where the file was on the disk when it was written u64 (schema 2)
/// </code>
/// Little-endian. The beginning is on the disk before the file has its name, so it is never torn. A step that the end
/// of the file cuts off was not done: it is cut. So is one that a power cut left in pieces, though others stand behind it,
/// where the system was started since and these say that the disk did not have it when they were written. Anything else that
/// is wrong is damage, and the file is refused. The salt is random: what a device sends cannot imitate a record.
/// </summary>
internal sealed class RecordFile : IDisposable
{
    internal const byte Schema = 2;
    internal const int HeaderBytes = 16;
    internal const int MaximumRecordBytes = 64 * 1024 * 1024;
    internal const int MaximumStepBytes = MaximumRecordBytes - PlaceBytes;

    private const int RecordHeaderBytes = 9;
    private const int PlaceBytes = 8;
    private const int SaltAt = 8;
    private const byte Beginning = 0xD5;
    private const byte BeginningLast = 0xD6;
    private const byte Step = 0xD7;
    private const byte PlacedStep = 0xD8;

    private readonly FileStream _file;
    private readonly uint _salt;

    private RecordFile(FileStream file, uint salt)
    {
        _file = file;
        _salt = salt;
    }

    /// <summary>Bytes of whole records and the file's header; what a failed write left behind them is written over.</summary>
    internal long Length { get; private set; }

    /// <summary>Bytes that are on the disk itself, as far as is known.</summary>
    internal long Synced { get; set; }

    /// <summary>Whether a sync of it failed: one that succeeds later says nothing of what that one had to write.</summary>
    internal bool HasFailedSync { get; set; }

    /// <summary>Makes one at a path; what stands there is written over.</summary>
    internal static RecordFile Create(string path)
    {
        var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0);
        try
        {
            byte[] header = [.. "TLDIR"u8, Schema, 0, 0, .. RandomNumberGenerator.GetBytes(4), 0, 0, 0, 0];
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderBytes - 4), Checksum(0, header.AsSpan(0, HeaderBytes - 4)));
            file.Write(header);
            return new RecordFile(file, BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(SaltAt))) { Length = HeaderBytes };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a part of what the file begins with.</summary>
    /// <exception cref="IOException">The file is not to be used.</exception>
    internal void AppendBeginning(ReadOnlyMemory<byte> payload, bool isLast) => Append(isLast ? BeginningLast : Beginning, payload);

    /// <summary>Writes one step to the system; survives the process, and the machine once it is synced.</summary>
    /// <exception cref="IOException">Nothing of it counts; the next one takes its place.</exception>
    internal void AppendStep(ReadOnlyMemory<byte> payload) => Append(PlacedStep, payload);

    /// <summary>Puts everything that was written on the disk itself. Any thread, also while steps are added.</summary>
    /// <exception cref="IOException">What was written since the last one that went well may be lost.</exception>
    /// <exception cref="ObjectDisposedException">Another file is in use by now.</exception>
    internal void Flush() => RandomAccess.FlushToDisk(_file.SafeFileHandle);

    public void Dispose() => _file.Dispose();

    /// <summary>Reads all records in order; the number of bytes cut off at the end.</summary>
    /// <param name="path">Where.</param>
    /// <param name="isAfterSystemStart">Whether the system was started since it was written, so that pieces that were not synced may be missing.</param>
    /// <param name="apply">Takes each; false when it cannot be read.</param>
    /// <exception cref="DirectoryDataException">The file is damaged or of a newer version; a sentence says what to do.</exception>
    internal static long Read(string path, bool isAfterSystemStart, Func<ArraySegment<byte>, bool> apply)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 64 * 1024);
        long length = file.Length;
        uint salt = ReadHeader(path, file);
        byte[] buffer = new byte[64 * 1024];
        bool isBegun = false;
        for (long at = HeaderBytes; at < length;)
        {
            int size = ReadRecord(file, length - at, ref buffer);
            if (size < 0 || !IsWhole(buffer.AsSpan(0, size), salt))
            {
                return isBegun && IsTorn(file, at, length, salt, isAfterSystemStart) ? length - at : throw Damaged(path, at);
            }

            bool isStep = buffer[0] is Step or PlacedStep;
            int payloadAt = RecordHeaderBytes + (buffer[0] == PlacedStep ? PlaceBytes : 0);
            if (isStep != isBegun || size < payloadAt || !apply(new ArraySegment<byte>(buffer, payloadAt, size - payloadAt)))
            {
                throw Damaged(path, at);
            }

            isBegun |= buffer[0] == BeginningLast;
            at += size;
        }

        return isBegun ? 0 : throw Damaged(path, length);
    }

    private void Append(byte mark, ReadOnlyMemory<byte> payload)
    {
        byte[] header = new byte[RecordHeaderBytes + (mark == PlacedStep ? PlaceBytes : 0)];
        header[0] = mark;
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(1), header.Length - RecordHeaderBytes + payload.Length);
        if (mark == PlacedStep)
        {
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(RecordHeaderBytes), Synced);
        }

        uint checksum = Checksum(Checksum(_salt, header.AsSpan(0, 5)), header.AsSpan(RecordHeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(5), Checksum(checksum, payload.Span));
        RandomAccess.Write(_file.SafeFileHandle, (IReadOnlyList<ReadOnlyMemory<byte>>)[header, payload], Length);
        Length += header.Length + payload.Length;
    }

    private static uint ReadHeader(string path, FileStream file)
    {
        byte[] header = new byte[HeaderBytes];
        if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes || !header.AsSpan(0, 5).SequenceEqual("TLDIR"u8))
        {
            throw Damaged(path, 0);
        }

        // Before the checksum, whose rules may be others in a newer version.
        if (header[5] > Schema)
        {
            throw new DirectoryDataException($"{path} was written by a newer version (schema {header[5]}; this one knows {Schema}): start that version, or set Directory:DataDirectory to another folder.");
        }

        return BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(HeaderBytes - 4)) == Checksum(0, header.AsSpan(0, HeaderBytes - 4))
            ? BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(SaltAt))
            : throw Damaged(path, 0);
    }

    // Reads as many bytes as the record there says it has; -1 when there are fewer or its header is none.
    private static int ReadRecord(FileStream file, long left, ref byte[] buffer)
    {
        if (left < RecordHeaderBytes)
        {
            return -1;
        }

        file.ReadExactly(buffer, 0, RecordHeaderBytes);
        int size = SizeOf(buffer, left);
        if (size > buffer.Length)
        {
            Array.Resize(ref buffer, (int)Math.Min(MaximumRecordBytes + RecordHeaderBytes, Math.Max(size, 2L * buffer.Length)));
        }

        if (size >= 0)
        {
            file.ReadExactly(buffer, RecordHeaderBytes, size - RecordHeaderBytes);
        }

        return size;
    }

    // A torn step is the last thing in the file: nothing whole after it but, where the system was started since, steps from
    // before it was on the disk.
    private static bool IsTorn(FileStream file, long at, long length, uint salt, bool isAfterSystemStart)
    {
        if (length - at > (isAfterSystemStart ? int.MaxValue / 2 : MaximumRecordBytes + RecordHeaderBytes))
        {
            return false;
        }

        byte[] rest = new byte[length - at];
        file.Position = at;
        file.ReadExactly(rest);
        for (int from = 1; from < rest.Length; from++)
        {
            int size = SizeOf(rest.AsSpan(from), rest.Length - from);
            if (size >= 0 && IsWhole(rest.AsSpan(from, size), salt) && !(isAfterSystemStart && WasWrittenBeforeSyncOf(rest.AsSpan(from, size), at)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool WasWrittenBeforeSyncOf(ReadOnlySpan<byte> record, long place) =>
        record[0] == PlacedStep && record.Length >= RecordHeaderBytes + PlaceBytes
        && BinaryPrimitives.ReadInt64LittleEndian(record[RecordHeaderBytes..]) <= place;

    // The bytes of the record that begins there, by its header; -1 when that is none or there are fewer.
    private static int SizeOf(ReadOnlySpan<byte> bytes, long left)
    {
        if (left < RecordHeaderBytes || bytes[0] is < Beginning or > PlacedStep)
        {
            return -1;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]);
        return length is >= 0 and <= MaximumRecordBytes && length <= left - RecordHeaderBytes ? RecordHeaderBytes + length : -1;
    }

    private static bool IsWhole(ReadOnlySpan<byte> record, uint salt) =>
        BinaryPrimitives.ReadUInt32LittleEndian(record[5..]) == Checksum(Checksum(salt, record[..5]), record[RecordHeaderBytes..]);

    private static DirectoryDataException Damaged(string path, long at) => new(
        $"{path} is damaged at byte {at}: restore the folder from a backup, or move it away to begin without the sessions it holds.");

    private static uint Checksum(uint seed, ReadOnlySpan<byte> bytes)
    {
        uint crc = ~seed;
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (byte b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}
