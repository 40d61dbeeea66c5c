using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// A block of records, one behind the other; no object per message. In a file log it is a piece of a segment, and its
/// bytes may be away: then they are read back when a cursor comes.
/// </summary>
internal sealed class LogBlock(byte[]? buffer, long firstOrdinal)
{
    /// <summary>The bytes; null when retention dropped the block, or when they are on disk alone.</summary>
    public byte[]? Buffer { get; set; } = buffer;

    /// <summary>The running number of its first message.</summary>
    public long FirstOrdinal { get; } = firstOrdinal;

    /// <summary>Bytes used.</summary>
    public int Used { get; set; }

    /// <summary>Messages in it; other records are not counted.</summary>
    public int Count { get; set; }

    /// <summary>Hashes of what topics it holds, sorted, once it is complete; null while it is not.</summary>
    public uint[]? Topics { get; set; }

    /// <summary>The segment file it is part of; null in memory.</summary>
    public LogSegment? Segment { get; init; }

    /// <summary>Where in that file it begins.</summary>
    public long FileOffset { get; init; }

    /// <summary>Bytes that are as durable as the group promises.</summary>
    public int Written { get; set; }

    /// <summary>Whether it is listed as having bytes to write.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Whether its bytes are on their way from disk.</summary>
    public bool IsLoading { get; set; }

    /// <summary>Whether its bytes could not be read back; its messages are lost.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>Mark of its last use, for the cache.</summary>
    public long LastUse { get; set; }

    /// <summary>Bytes that are free at its end.</summary>
    public int Free => Buffer!.Length - Used;

    /// <summary>The number after its last message.</summary>
    public long EndOrdinal => FirstOrdinal + Count;

    /// <summary>Whether a message of that number stands here.</summary>
    public bool Holds(long ordinal) => ordinal >= FirstOrdinal && ordinal < EndOrdinal;

    /// <summary>Takes the bytes away.</summary>
    public byte[] TakeBuffer()
    {
        byte[] taken = Buffer!;
        Buffer = null;
        return taken;
    }

    /// <summary>Room for a record at the end.</summary>
    public Span<byte> Extend(int size)
    {
        Span<byte> room = Buffer.AsSpan(Used, size);
        Used += size;
        return room;
    }

    /// <summary>The bytes from a record on.</summary>
    public ReadOnlySpan<byte> At(int offset) => Buffer.AsSpan(offset, Used - offset);

    /// <summary>Where a message of this block begins.</summary>
    public int OffsetOf(long ordinal)
    {
        int offset = 0;
        for (long skip = ordinal - FirstOrdinal; skip > 0 || RecordFrame.KindOf(At(offset)) != RecordKind.Message;)
        {
            ReadOnlySpan<byte> source = At(offset);
            skip -= RecordFrame.KindOf(source) == RecordKind.Message ? 1 : 0;
            offset += RecordFrame.LengthOf(source);
        }

        return offset;
    }

    /// <summary>Reads the message at an offset, passing over records of other kinds; <paramref name="offset"/> moves behind it.</summary>
    public LogRecord ReadAt(scoped ref int offset, LogPosition position, long clockOffsetMs)
    {
        ReadOnlySpan<byte> source = At(offset);
        while (RecordFrame.KindOf(source) != RecordKind.Message)
        {
            offset += RecordFrame.LengthOf(source);
            source = At(offset);
        }

        offset += RecordFrame.LengthOf(source);
        return RecordFrame.Read(source, position, clockOffsetMs);
    }
}
