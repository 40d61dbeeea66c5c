using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Trunkline.Protocol;

namespace Trunkline.Broker;

/// <summary>A block of records, one behind the other; no object per message.</summary>
/// <remarks>
/// <code>
///   0       4        8           12     14              16           24      32         32 + 8n
///   length  payload  properties  topic  flags, choices  expires at   origin  n choices  topic, properties, payload
/// </code>
/// Flags: bits 0 and 1 QoS, 2 RETAIN, 3 for shares only; the number of choices stands above them.
/// </remarks>
internal sealed class LogSegment(byte[] buffer, long firstOrdinal)
{
    public const int HeaderBytes = 32;
    public const int ChoiceBytes = 8;

    /// <summary>Choices one record can hold.</summary>
    public const int MaximumChoices = 4095;

    private const int RetainFlag = 4;
    private const int SharesOnlyFlag = 8;
    private const int ChoicesShift = 4;

    /// <summary>The bytes; taken away when retention drops the segment.</summary>
    public byte[]? Buffer { get; private set; } = buffer;

    public long FirstOrdinal { get; } = firstOrdinal;

    public int Used { get; private set; }

    public int Count { get; private set; }

    public int Free => Buffer!.Length - Used;

    public bool Holds(long ordinal) => ordinal >= FirstOrdinal && ordinal < FirstOrdinal + Count;

    public static long SizeOf(in LogRecord record) =>
        HeaderBytes + ((long)record.Choices.Length * ChoiceBytes) + record.Topic.Length + record.Properties.Length + record.Payload.Length;

    public byte[] TakeBuffer()
    {
        byte[] taken = Buffer!;
        Buffer = null;
        return taken;
    }

    public void Append(in LogRecord record, int size)
    {
        Span<byte> target = Buffer.AsSpan(Used, size);
        BinaryPrimitives.WriteInt32LittleEndian(target, size);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], record.Payload.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], record.Properties.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(target[12..], (ushort)record.Topic.Length);
        int flags = (int)record.QoS | (record.Retain ? RetainFlag : 0) | (record.IsForSharesOnly ? SharesOnlyFlag : 0);
        BinaryPrimitives.WriteUInt16LittleEndian(target[14..], (ushort)(flags | (record.Choices.Length << ChoicesShift)));
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], record.ExpiresAtMs);
        BinaryPrimitives.WriteUInt64LittleEndian(target[24..], record.Origin);
        Span<byte> rest = target[HeaderBytes..];
        ReadOnlySpan<byte> choices = MemoryMarshal.AsBytes(record.Choices);
        choices.CopyTo(rest);
        rest = rest[choices.Length..];
        record.Topic.CopyTo(rest);
        rest = rest[record.Topic.Length..];
        record.Properties.CopyTo(rest);
        record.Payload.CopyTo(rest[record.Properties.Length..]);
        Used += size;
        Count++;
    }

    public int SizeAt(int offset) => BinaryPrimitives.ReadInt32LittleEndian(Buffer.AsSpan(offset));

    /// <summary>Where a record of this segment begins.</summary>
    public int OffsetOf(long ordinal)
    {
        int offset = 0;
        for (long skip = ordinal - FirstOrdinal; skip > 0; skip--)
        {
            offset += SizeAt(offset);
        }

        return offset;
    }

    public LogRecord Read(int offset, Sessions.LogPosition position)
    {
        ReadOnlySpan<byte> source = Buffer.AsSpan(offset);
        int payload = BinaryPrimitives.ReadInt32LittleEndian(source[4..]);
        int properties = BinaryPrimitives.ReadInt32LittleEndian(source[8..]);
        int topic = BinaryPrimitives.ReadUInt16LittleEndian(source[12..]);
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(source[14..]);
        int choices = (flags >> ChoicesShift) * ChoiceBytes;
        ReadOnlySpan<byte> rest = source[(HeaderBytes + choices)..];
        return new LogRecord
        {
            Topic = rest[..topic],
            Properties = rest.Slice(topic, properties),
            Payload = rest.Slice(topic + properties, payload),
            QoS = (QoS)(flags & 3),
            Retain = (flags & RetainFlag) != 0,
            ExpiresAtMs = BinaryPrimitives.ReadInt64LittleEndian(source[16..]),
            Origin = BinaryPrimitives.ReadUInt64LittleEndian(source[24..]),
            Choices = MemoryMarshal.Cast<byte, ShareChoice>(source.Slice(HeaderBytes, choices)),
            IsForSharesOnly = (flags & SharesOnlyFlag) != 0,
            Position = position,
        };
    }
}
