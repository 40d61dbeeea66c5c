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

    /// <summary>Numbers of messages it covers, those of gaps included; other records are not counted. 0: another is in its place.</summary>
    public int Count { get; set; }

    /// <summary>Messages in it.</summary>
    public int Live { get; set; }

    /// <summary>Hashes of the tenants whose messages were dropped in it; null for no gap, empty for too many to name.</summary>
    public uint[]? Gaps { get; set; }

    /// <summary>What the tenants have in it, in memory; in files a segment knows.</summary>
    public TenantBytes Tenants { get; } = new();

    /// <summary>What topics it holds, once it is complete; null while it is not.</summary>
    public BlockIndex? Topics { get; set; }

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

    /// <summary>Where some of its records begin, in files.</summary>
    public BlockPlaces Places { get; init; } = new();

    /// <summary>What went wrong with reading it back; null as long as nothing did.</summary>
    public BlockTrouble? Trouble { get; set; }

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

    /// <summary>Where a message of this block begins, or the gap it is part of.</summary>
    public int OffsetOf(long ordinal)
    {
        int offset = 0;
        for (long at = FirstOrdinal; ;)
        {
            ReadOnlySpan<byte> source = At(offset);
            at = RecordFrame.KindOf(source) switch
            {
                RecordKind.Message => at + 1,
                RecordKind.Gap or RecordKind.Damaged => RecordFrame.GapEnd(source),
                _ => at,
            };
            if (ordinal < at)
            {
                return offset;
            }

            offset += RecordFrame.LengthOf(source);
        }
    }

    /// <summary>Reads the message at an offset, which moves behind it.</summary>
    public LogRecord ReadAt(scoped ref int offset, LogPosition position, long clockOffsetMs, long ageShiftMs)
    {
        ReadOnlySpan<byte> source = At(offset);
        offset += RecordFrame.LengthOf(source);
        return RecordFrame.Read(source, position, clockOffsetMs, ageShiftMs);
    }

    /// <summary>Moves an offset over records that are neither message nor gap. Whether a gap is there.</summary>
    public bool IsGapAt(ref int offset)
    {
        RecordKind kind = RecordFrame.KindOf(At(offset));
        while (kind is not (RecordKind.Message or RecordKind.Gap or RecordKind.Damaged))
        {
            offset += RecordFrame.LengthOf(At(offset));
            kind = RecordFrame.KindOf(At(offset));
        }

        return kind != RecordKind.Message;
    }
}

/// <summary>What went wrong with reading a block back.</summary>
internal sealed class BlockTrouble
{
    /// <summary>When it could not be read for the first time in a row; null when it could the last time.</summary>
    public long? FailingSinceMs { get; set; }

    /// <summary>How often in a row.</summary>
    public int Failures { get; set; }

    /// <summary>When it is read again, while it is failing.</summary>
    public long RetryAtMs { get; set; }

    /// <summary>Whether it is passed over by now, until it can be read.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>Damaged places that were told of.</summary>
    public HashSet<long> Told { get; } = [];
}
