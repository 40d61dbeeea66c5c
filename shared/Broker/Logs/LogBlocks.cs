using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// The messages of one log by running number (ordinal), in blocks in order; what is common to a log in memory and one in
/// files. Between two blocks numbers may be missing: a segment that was set aside. Loop thread only.
/// </summary>
internal sealed class LogBlocks(LogTerms terms, int blockBytes, long lastOrdinal = 0)
{
    /// <summary>Bytes of a block for each hash of a level that its index may hold: an eighth of the log at most.</summary>
    public const int BytesPerLevel = 32;

    private readonly List<LogBlock> _blocks = [];
    private readonly BlockTopics _topics = new(int.Max(64, blockBytes / BytesPerLevel));
    private long _use;

    public LogTerms Terms { get; } = terms;

    /// <summary>The number of the oldest message kept; one above <see cref="LastOrdinal"/> when there is none.</summary>
    public long FirstOrdinal { get; set; } = lastOrdinal + 1;

    /// <summary>The number of the newest message.</summary>
    public long LastOrdinal { get; set; } = lastOrdinal;

    /// <summary>What a stored expiry is ahead of the loop's clock, in ms.</summary>
    public long ClockOffsetMs { get; init; }

    /// <summary>Bytes in memory of the index over the topics of complete blocks.</summary>
    public long IndexBytes { get; private set; }

    /// <summary>Messages below this number are of earlier runs.</summary>
    public long FirstOfRun { get; set; }

    /// <summary>What the times of those are behind, because their age stood still while no broker ran.</summary>
    public long EarlierShiftMs { get; set; }

    public int BlockCount => _blocks.Count;

    public LogBlock this[int index] => _blocks[index];

    public LogBlock? Last => _blocks.Count > 0 ? _blocks[^1] : null;

    public LogPosition Tail => Terms.Tail(LastOrdinal);

    public LogPosition Start => Before(FirstOrdinal);

    /// <summary>Adds a block; the one before it is complete.</summary>
    public void Add(LogBlock block)
    {
        if (_blocks.Count > 0)
        {
            BlockIndex index = _topics.Take();
            _blocks[^1].Topics = index;
            IndexBytes += index.Bytes;
        }

        _blocks.Add(block);
    }

    /// <summary>A message is added to the last block.</summary>
    public long Count(LogBlock block, ReadOnlySpan<byte> topic)
    {
        block.Count++;
        block.Live++;
        _topics.Add(topic);
        return ++LastOrdinal;
    }

    /// <summary>A gap is added to the last block.</summary>
    public void CountGap(LogBlock block, long end, ReadOnlySpan<uint> names)
    {
        block.Gaps = block.Gaps is { Length: 0 } || names.IsEmpty ? [] : [.. (block.Gaps ?? []).Union(names.ToArray())];
        block.Count += (int)(end - 1 - LastOrdinal);
        LastOrdinal = end - 1;
    }

    /// <summary>Puts other blocks in the place of some, for the same numbers; not of the last. Cursors find the new ones.</summary>
    public void Replace(int index, int count, IReadOnlyList<LogBlock> fresh)
    {
        for (int i = index; i < index + count; i++)
        {
            IndexBytes -= _blocks[i].Topics?.Bytes ?? 0;
            _blocks[i].Count = 0;
        }

        _blocks.RemoveRange(index, count);
        _blocks.InsertRange(index, fresh);
        IndexBytes += fresh.Sum(block => (long)(block.Topics?.Bytes ?? 0));
    }

    /// <summary>
    /// Moves a cursor over complete blocks that hold nothing that is wanted. False when there may be more of them than one
    /// turn looks at.
    /// </summary>
    /// <param name="cursor">The cursor.</param>
    /// <param name="wanted">What is.</param>
    /// <param name="below">Not further than to this number.</param>
    public bool Skip(ref LogCursor cursor, TopicsWanted wanted, long below)
    {
        while (wanted.HasTurn)
        {
            if (cursor.NextOrdinal < FirstOrdinal || cursor.NextOrdinal >= below || (cursor.Block?.Holds(cursor.NextOrdinal) ?? false))
            {
                return true;
            }

            LogBlock block = _blocks[IndexOf(cursor.NextOrdinal)];
            if (!block.Holds(cursor.NextOrdinal) || block.Topics is not { } topics || block.EndOrdinal > below || wanted.MayBeIn(topics)
                || (block.Gaps is { } gaps && wanted.MayConcern(gaps)))
            {
                return true;
            }

            cursor = new LogCursor { Position = Terms.PositionOf(block.EndOrdinal - 1), NextOrdinal = block.EndOrdinal };
        }

        return false;
    }

    /// <summary>Drops the oldest blocks.</summary>
    public void RemoveFirst(int count)
    {
        for (int i = 0; i < count; i++)
        {
            IndexBytes -= _blocks[i].Topics?.Bytes ?? 0;
        }

        _blocks.RemoveRange(0, count);
    }

    public LogCursor Seek(LogPosition after, out bool mayHaveLost)
    {
        long next = Terms.NextAfter(after, LastOrdinal, out mayHaveLost);
        if (next < FirstOrdinal)
        {
            next = FirstOrdinal;
            mayHaveLost = true;
        }

        return new LogCursor { Position = mayHaveLost ? Before(next) : after, NextOrdinal = next };
    }

    /// <summary>Reads at a cursor. Pending: the bytes of <paramref name="absent"/> are on disk alone.</summary>
    public LogReading TryRead(ref LogCursor cursor, out LogRecord record, out LogBlock? absent)
    {
        record = default;
        absent = null;
        if (cursor.NextOrdinal > LastOrdinal)
        {
            return LogReading.Tail;
        }

        if (cursor.NextOrdinal < FirstOrdinal)
        {
            return MoveTo(ref cursor, FirstOrdinal);
        }

        LogBlock? block = cursor.Block;
        if (block is null || !block.Holds(cursor.NextOrdinal))
        {
            int index = IndexOf(cursor.NextOrdinal);
            block = _blocks[index];
            if (!block.Holds(cursor.NextOrdinal))
            {
                return MoveTo(ref cursor, _blocks[index + 1].FirstOrdinal);
            }

            cursor.Block = block;
            cursor.Offset = -1;
        }

        block.LastUse = ++_use;
        if (block.Buffer is null)
        {
            absent = block;
            return LogReading.Pending;
        }

        if (cursor.Offset < 0)
        {
            cursor.Offset = block.OffsetOf(cursor.NextOrdinal);
        }

        int offset = cursor.Offset;
        if (block.IsGapAt(ref offset))
        {
            return PassGap(ref cursor, block.At(offset), offset, out record);
        }

        LogPosition position = Terms.PositionOf(cursor.NextOrdinal);
        record = block.ReadAt(ref offset, position, ClockOffsetMs, cursor.NextOrdinal < FirstOfRun ? EarlierShiftMs : 0);
        cursor.Offset = offset;
        cursor.NextOrdinal++;
        cursor.Position = position;
        return LogReading.Record;
    }

    /// <summary>Moves a cursor over a block that cannot be read.</summary>
    public LogReading PassOver(ref LogCursor cursor, LogBlock block) => MoveTo(ref cursor, block.EndOrdinal);

    /// <summary>The block that begins at or before a number that is kept.</summary>
    public int IndexOf(long ordinal)
    {
        int low = 0;
        int high = _blocks.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = _blocks[middle].FirstOrdinal <= ordinal ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    /// <summary>The position just before an ordinal.</summary>
    private LogPosition Before(long ordinal)
    {
        if (ordinal > LastOrdinal)
        {
            return Tail;
        }

        LogPosition position = Terms.PositionOf(ordinal);
        return new LogPosition(position.Term, position.Offset - 1);
    }

    private LogReading PassGap(ref LogCursor cursor, ReadOnlySpan<byte> gap, int offset, out LogRecord record)
    {
        cursor.Offset = offset + RecordFrame.LengthOf(gap);
        cursor.NextOrdinal = RecordFrame.GapEnd(gap);
        cursor.Position = Terms.PositionOf(cursor.NextOrdinal - 1);
        record = new LogRecord
        {
            Topic = default,
            LostOf = RecordFrame.GapNames(gap),
            QoS = default,
            ExpiresAtMs = long.MaxValue,
        };
        return LogReading.Lost;
    }

    private LogReading MoveTo(ref LogCursor cursor, long ordinal)
    {
        cursor = new LogCursor { Position = Before(ordinal), NextOrdinal = ordinal };
        return LogReading.Lost;
    }
}
