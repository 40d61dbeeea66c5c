using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// The file of retained messages: all of them, each with the position it stands for, so that the log's newer changes can
/// be played on top. It is written whole beside the old one and then takes its place.
/// </summary>
/// <remarks>
/// <code>
///   0         8       12      16    20    24          32    92   96
///   TRUNKRET  schema  length  salt  zero  safe below  zero  crc  a record a message, then the end: group, how many
/// </code>
/// </remarks>
internal static class RetainedFile
{
    private const int HeaderBytes = 96;
    private const int Schema = 1;
    private const int ChecksumOffset = 92;
    private const int PositionBytes = 16;
    private const uint HeaderSeed = 0x54524E52;

    private static ReadOnlySpan<byte> Magic => "TRUNKRET"u8;

    /// <summary>The file's beginning.</summary>
    /// <param name="safeBelow">Messages of the log below this number are in the file.</param>
    /// <param name="salt">A random number of this file.</param>
    public static byte[] Header(long safeBelow, uint salt)
    {
        byte[] header = new byte[HeaderBytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Schema);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), salt);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), safeBelow);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(ChecksumOffset), Crc32C.Of(HeaderSeed, header.AsSpan(0, ChecksumOffset)));
        return header;
    }

    /// <summary>Adds one message.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="place">Where in the file that will stand.</param>
    /// <param name="topic">Its topic.</param>
    /// <param name="message">The message.</param>
    /// <param name="clockOffsetMs">What the clock of the files is ahead of the loop's.</param>
    /// <param name="salt">The file's.</param>
    public static void Add(
        IBufferWriter<byte> output, long place, ReadOnlySpan<byte> topic, RetainedMessage message, long clockOffsetMs, uint salt)
    {
        var record = new LogRecord
        {
            Topic = topic,
            Properties = message.Properties,
            Payload = message.Payload,
            QoS = message.QoS,
            Retain = true,
            ExpiresAtMs = message.ExpiresAtMs,
            Origin = message.Origin,
        };
        long expires = message.ExpiresAtMs == long.MaxValue ? long.MaxValue : message.ExpiresAtMs + clockOffsetMs;
        Span<byte> extra = stackalloc byte[PositionBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(extra, message.Position.Term);
        BinaryPrimitives.WriteUInt64LittleEndian(extra[8..], message.Position.Offset);
        Write(output, place, record, new RecordStamp(RecordKind.Retained, 0, expires, PositionBytes), extra, salt);
    }

    /// <summary>Ends the file.</summary>
    public static void End(IBufferWriter<byte> output, long place, long count, string group, uint salt)
    {
        var record = new LogRecord
        {
            Topic = Encoding.UTF8.GetBytes(group),
            Payload = BitConverter.GetBytes(count),
            QoS = QoS.AtMostOnce,
            ExpiresAtMs = long.MaxValue,
        };
        Write(output, place, record, new RecordStamp(RecordKind.End, 0, long.MaxValue), [], salt);
    }

    /// <summary>Reads a file into a store; returns the number below which it has what the log did.</summary>
    /// <exception cref="StoreException">It is damaged, of a newer version or of another group.</exception>
    public static long Read(string file, ReadOnlySpan<byte> bytes, string group, RetainedMessages retained, long clockOffsetMs)
    {
        if (bytes.Length < HeaderBytes || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]) != Crc32C.Of(HeaderSeed, bytes[..ChecksumOffset]))
        {
            throw Damaged(file, 0);
        }

        int schema = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (schema > Schema)
        {
            throw new StoreException(
                $"{file} was written by a newer version (schema {schema}; this one knows {Schema}): start that version, or set Broker:DataDirectory to another folder.");
        }

        uint salt = BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]);
        Check(file, bytes, group, salt);
        for (int offset = HeaderBytes; offset < bytes.Length; offset += RecordFrame.LengthOf(bytes[offset..]))
        {
            ReadOnlySpan<byte> source = bytes[offset..];
            if (RecordFrame.KindOf(source) == RecordKind.Retained)
            {
                ReadOnlySpan<byte> extra = RecordFrame.Extra(source);
                var position = new LogPosition(
                    BinaryPrimitives.ReadUInt64LittleEndian(extra), BinaryPrimitives.ReadUInt64LittleEndian(extra[8..]));
                retained.Apply(RecordFrame.Read(source, position, clockOffsetMs));
            }
        }

        return BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]);
    }

    private static void Check(string file, ReadOnlySpan<byte> bytes, string group, uint salt)
    {
        long count = 0;
        for (int offset = HeaderBytes; ;)
        {
            if (!RecordFrame.TryCheck(bytes[offset..], SeedAt(salt, offset), out int length))
            {
                throw Damaged(file, offset);
            }

            ReadOnlySpan<byte> source = bytes[offset..];
            if (RecordFrame.KindOf(source) == RecordKind.Retained)
            {
                offset += length;
                count++;
                continue;
            }

            LogRecord end = RecordFrame.Read(source, default, 0);
            if (offset + length != bytes.Length || BinaryPrimitives.ReadInt64LittleEndian(end.Payload) != count)
            {
                throw Damaged(file, offset);
            }

            string owner = Encoding.UTF8.GetString(end.Topic);
            if (owner != group)
            {
                throw new StoreException($"{file} belongs to group '{owner}', not to '{group}': set Broker:DataDirectory to the folder of this group.");
            }

            return;
        }
    }

    private static void Write(
        IBufferWriter<byte> output, long place, in LogRecord record, in RecordStamp stamp, ReadOnlySpan<byte> extra, uint salt)
    {
        int size = (int)RecordFrame.SizeOf(record, stamp.ExtraBytes);
        Span<byte> frame = output.GetSpan(size)[..size];
        extra.CopyTo(RecordFrame.Write(frame, record, stamp));
        RecordFrame.Seal(frame, SeedAt(salt, place));
        output.Advance(size);
    }

    private static uint SeedAt(uint salt, long offset) => salt ^ (uint)((ulong)offset * 0x9E3779B97F4A7C15 >> 32);

    private static StoreException Damaged(string file, int offset) => new(
        $"{file} is damaged at offset {offset}. Bring back a sound copy, or start once with --Broker:DamagedSegments set-aside: the file is then renamed, and retained messages that the log does not hold any more are lost.");
}
