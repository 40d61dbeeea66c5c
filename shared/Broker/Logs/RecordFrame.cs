using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// One record as bytes, the same in memory and in a file: a message of the log, or what the log keeps beside them.
/// </summary>
/// <remarks>
/// <code>
///   0       4    8           12     14              16       24      32       40      42    43    44     48
///   length  crc  properties  topic  flags, choices  expires  origin  at (ms)  extra   kind  zero  batch  ...
///   ... choices (8 bytes each), extra, topic, properties, payload
/// </code>
/// Flags: bits 0 and 1 QoS, 2 RETAIN, 3 for shares only; the number of choices stands above them. Choices and bit 3 are
/// of older brokers: they are passed over, not written. The checksum covers
/// everything after itself and begins with a seed of the file and the place, so that a copy of a record inside a payload
/// is never taken for one. <c>batch</c> is where in the file the write
/// began that this record was part of; with <c>Commit: os</c> the complement of where the file was synced up to when it was appended.
/// </remarks>
internal static class RecordFrame
{
    public const int HeaderBytes = 48;
    private const int ChoiceBytes = 8;

    private const int RetainFlag = 4;
    private const int SharesOnlyFlag = 8;
    private const int ChoicesShift = 4;
    private const int ChecksumEnd = 8;

    public static long SizeOf(in LogRecord record, int extraBytes = 0) =>
        HeaderBytes + extraBytes + (long)record.Topic.Length + record.Properties.Length + record.Payload.Length;

    /// <summary>Writes all but the checksum and the extra bytes; returns where those go.</summary>
    public static Span<byte> Write(Span<byte> target, in LogRecord record, in RecordStamp stamp)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, target.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], record.Properties.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(target[12..], (ushort)record.Topic.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(target[14..], (ushort)((int)record.QoS | (record.Retain ? RetainFlag : 0)));
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], stamp.ExpiresAtMs);
        BinaryPrimitives.WriteUInt64LittleEndian(target[24..], record.Origin);
        BinaryPrimitives.WriteInt64LittleEndian(target[32..], stamp.AtMs);
        BinaryPrimitives.WriteUInt16LittleEndian(target[40..], (ushort)stamp.ExtraBytes);
        target[42] = (byte)stamp.Kind;
        target[43] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(target[44..], stamp.Batch);
        Span<byte> rest = target[HeaderBytes..];
        Span<byte> extra = rest[..stamp.ExtraBytes];
        rest = rest[stamp.ExtraBytes..];
        record.Topic.CopyTo(rest);
        rest = rest[record.Topic.Length..];
        record.Properties.CopyTo(rest);
        record.Payload.CopyTo(rest[record.Properties.Length..]);
        return extra;
    }

    /// <summary>Bytes of a gap that names so many tenants.</summary>
    public static int SizeOfGap(int names) => HeaderBytes + (names * sizeof(uint));

    /// <summary>
    /// Writes a gap, all but the checksum. Its first number stands where a message has its expiry, how many there were where
    /// it has its origin; the payload are hashes of the tenants' names, none when there were too many.
    /// </summary>
    public static void WriteGap(Span<byte> target, long first, long count, long atMs, ReadOnlySpan<uint> names)
    {
        var record = new LogRecord
        {
            Topic = default,
            Payload = MemoryMarshal.AsBytes(names),
            QoS = QoS.AtMostOnce,
            ExpiresAtMs = first,
            Origin = (ulong)count,
        };
        Write(target, record, new RecordStamp(RecordKind.Gap, atMs, first));
    }

    /// <summary>
    /// Puts in the place of damaged bytes, in memory, what says how many messages are lost there; for none a record that is
    /// passed over. Looks like a gap that names nobody, whatever its length.
    /// </summary>
    public static void WriteDamaged(Span<byte> target, long first, long count)
    {
        target[..HeaderBytes].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(target, target.Length);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], first);
        BinaryPrimitives.WriteInt64LittleEndian(target[24..], count);
        target[42] = (byte)(count > 0 ? RecordKind.Damaged : RecordKind.Shares);
    }

    /// <summary>The number after the last message of a gap.</summary>
    public static long GapEnd(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt64LittleEndian(source[16..]) + GapCount(source);

    /// <summary>The messages of a gap.</summary>
    public static long GapCount(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt64LittleEndian(source[24..]);

    /// <summary>Hashes of the names of a gap's tenants.</summary>
    public static ReadOnlySpan<uint> GapNames(ReadOnlySpan<byte> source) =>
        KindOf(source) == RecordKind.Damaged ? default : MemoryMarshal.Cast<byte, uint>(source[HeaderBytes..LengthOf(source)]);

    /// <summary>The topic of a message.</summary>
    public static ReadOnlySpan<byte> Topic(ReadOnlySpan<byte> source) =>
        source.Slice(HeaderBytes + (ChoicesOf(source) * ChoiceBytes) + ExtraOf(source), TopicOf(source));

    /// <summary>A record that is written anew is part of no other write, and says nothing of what was on the disk.</summary>
    public static void Unbatch(Span<byte> record) => BinaryPrimitives.WriteInt32LittleEndian(record[44..], ~0);

    /// <summary>Writes the checksum of a record that is complete.</summary>
    public static void Seal(Span<byte> record, uint seed) =>
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Crc32C.Of(seed, record[ChecksumEnd..]));

    /// <summary>Whether a whole and undamaged record begins here; its length then.</summary>
    public static bool TryCheck(ReadOnlySpan<byte> source, uint seed, out int length)
    {
        length = 0;
        if (source.Length < HeaderBytes)
        {
            return false;
        }

        int claimed = LengthOf(source);
        int properties = BinaryPrimitives.ReadInt32LittleEndian(source[8..]);
        long parts = HeaderBytes + ((long)ChoicesOf(source) * ChoiceBytes) + ExtraOf(source) + TopicOf(source) + properties;
        if (claimed < HeaderBytes || claimed > source.Length || properties < 0 || parts > claimed || source[43] != 0 || source[42] > (byte)RecordKind.Gap
            || BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) != Crc32C.Of(seed, source[ChecksumEnd..claimed]))
        {
            return false;
        }

        length = claimed;
        return true;
    }

    public static int LengthOf(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt32LittleEndian(source);

    public static RecordKind KindOf(ReadOnlySpan<byte> source) => (RecordKind)source[42];

    public static long AtMsOf(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt64LittleEndian(source[32..]);

    /// <summary>Whether a record says that what stands at a place of its file was written, or, after a start of the system, that it was on the disk.</summary>
    public static bool Vouches(ReadOnlySpan<byte> source, long place, bool isAfterSystemStart)
    {
        int batch = BatchOf(source);
        return batch >= 0 ? batch > place : !isAfterSystemStart || ~batch > place;
    }

    /// <summary>Whether a record says that the files before its own were on the disk.</summary>
    public static bool VouchesForEarlier(ReadOnlySpan<byte> source) => BatchOf(source) is >= 0 or < -1;

    private static int BatchOf(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt32LittleEndian(source[44..]);

    /// <summary>The extra bytes of a record.</summary>
    public static ReadOnlySpan<byte> Extra(ReadOnlySpan<byte> source) =>
        source.Slice(HeaderBytes + (ChoicesOf(source) * ChoiceBytes), ExtraOf(source));

    /// <summary>Reads a record that was checked before.</summary>
    /// <param name="source">From its first byte.</param>
    /// <param name="position">Its place.</param>
    /// <param name="clockOffsetMs">What its expiry is ahead of the loop's clock.</param>
    /// <param name="ageShiftMs">What the time it was appended at is behind that clock.</param>
    public static LogRecord Read(ReadOnlySpan<byte> source, LogPosition position, long clockOffsetMs, long ageShiftMs = 0)
    {
        int length = LengthOf(source);
        int properties = BinaryPrimitives.ReadInt32LittleEndian(source[8..]);
        int topic = TopicOf(source);
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(source[14..]);
        int choices = (flags >> ChoicesShift) * ChoiceBytes;
        ReadOnlySpan<byte> rest = source[(HeaderBytes + choices + ExtraOf(source))..length];
        long expires = BinaryPrimitives.ReadInt64LittleEndian(source[16..]);
        return new LogRecord
        {
            Topic = rest[..topic],
            Properties = rest.Slice(topic, properties),
            Payload = rest[(topic + properties)..],
            QoS = (QoS)(flags & 3),
            Retain = (flags & RetainFlag) != 0,
            ExpiresAtMs = expires == long.MaxValue ? expires : expires - clockOffsetMs,
            Origin = BinaryPrimitives.ReadUInt64LittleEndian(source[24..]),
            AppendedAtMs = AtMsOf(source) - clockOffsetMs + ageShiftMs,
            IsForSharesOnly = (flags & SharesOnlyFlag) != 0,
            Position = position,
        };
    }

    private static int ChoicesOf(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadUInt16LittleEndian(source[14..]) >> ChoicesShift;

    private static int ExtraOf(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadUInt16LittleEndian(source[40..]);

    private static int TopicOf(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadUInt16LittleEndian(source[12..]);
}

/// <summary>What a record is stamped with beside its message.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="AtMs">When it was appended.</param>
/// <param name="ExpiresAtMs">When it expires, on the same clock; <see cref="long.MaxValue"/> for never.</param>
/// <param name="ExtraBytes">Length of what stands before its topic.</param>
/// <param name="Batch">Where in its file the write begins that it is part of; or the complement of where the file was synced up to.</param>
internal readonly record struct RecordStamp(RecordKind Kind, long AtMs, long ExpiresAtMs, int ExtraBytes = 0, int Batch = 0);

/// <summary>What a record is; values are on disk.</summary>
internal enum RecordKind : byte
{
    /// <summary>A message of the log.</summary>
    Message = 0,

    /// <summary>A term begins; the payload is its number.</summary>
    Term = 1,

    /// <summary>Terms and numbers of publish links as of the beginning of a segment.</summary>
    Snapshot = 2,

    /// <summary>A retained message, in the file of retained messages.</summary>
    Retained = 3,

    /// <summary>The end of the file of retained messages; the payload is how many there are.</summary>
    End = 4,

    /// <summary>What shares have to remember, since the record of theirs before.</summary>
    Shares = 5,

    /// <summary>In the place of messages that were dropped because their tenants had more than their share.</summary>
    Gap = 6,

    /// <summary>In the place of what was damaged when it was read back: in memory alone, never on disk.</summary>
    Damaged = 7,
}
