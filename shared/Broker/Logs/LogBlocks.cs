using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// The messages of one log by running number (ordinal), in blocks in order; what is common to a log in memory and one in
/// files. Between two blocks numbers may be missing: a segment that was set aside. Loop thread only.
/// </summary>
internal sealed class LogBlocks(LogTerms terms, long lastOrdinal = 0)
{
    /// <summary>Comparisons one call of <see cref="Skip"/> makes at most, so that the loop goes on.</summary>
    private const int SkipComparisons = 50_000;

    private readonly List<LogBlock> _blocks = [];
    private readonly BlockTopics _topics = new();
    private long _use;

    public LogTerms Terms { get; } = terms;

    /// <summary>The number of the oldest message kept; one above <see cref="LastOrdinal"/> when there is none.</summary>
    public long FirstOrdinal { get; set; } = lastOrdinal + 1;

    /// <summary>The number of the newest message.</summary>
    public long LastOrdinal { get; set; } = lastOrdinal;

    /// <summary>What a stored expiry is ahead of the loop's clock, in ms.</summary>
    public long ClockOffsetMs { get; init; }

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
            _blocks[^1].Topics = _topics.Take();
        }

        _blocks.Add(block);
    }

    /// <summary>A message is added to the last block.</summary>
    public long Count(LogBlock block, ReadOnlySpan<byte> topic)
    {
        block.Count++;
        _topics.Add(topic);
        return ++LastOrdinal;
    }

    /// <summary>
    /// Moves a cursor over complete blocks that hold nothing that is wanted. False when there may be more of them than one
    /// step looks at.
    /// </summary>
    /// <param name="cursor">The cursor.</param>
    /// <param name="wanted">See <see cref="BlockTopics.Wanted"/>.</param>
    /// <param name="below">Not further than to this number.</param>
    public bool Skip(ref LogCursor cursor, uint[] wanted, long below)
    {
        for (int left = SkipComparisons; left > 0; left -= 1 + wanted.Length)
        {
            if (cursor.NextOrdinal < FirstOrdinal || cursor.NextOrdinal >= below || (cursor.Block?.Holds(cursor.NextOrdinal) ?? false))
            {
                return true;
            }

            LogBlock block = _blocks[IndexOf(cursor.NextOrdinal)];
            if (!block.Holds(cursor.NextOrdinal) || block.Topics is not { } topics || block.EndOrdinal > below
                || BlockTopics.HoldsAny(topics, wanted))
            {
                return true;
            }

            cursor = new LogCursor { Position = Terms.PositionOf(block.EndOrdinal - 1), NextOrdinal = block.EndOrdinal };
        }

        return false;
    }

    /// <summary>Drops the oldest blocks.</summary>
    public void RemoveFirst(int count) => _blocks.RemoveRange(0, count);

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
            if (block.IsUnreadable)
            {
                return MoveTo(ref cursor, block.EndOrdinal);
            }

            absent = block;
            return LogReading.Pending;
        }

        if (cursor.Offset < 0)
        {
            cursor.Offset = block.OffsetOf(cursor.NextOrdinal);
        }

        LogPosition position = Terms.PositionOf(cursor.NextOrdinal);
        int offset = cursor.Offset;
        record = block.ReadAt(ref offset, position, ClockOffsetMs);
        cursor.Offset = offset;
        cursor.NextOrdinal++;
        cursor.Position = position;
        return LogReading.Record;
    }

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

    private LogReading MoveTo(ref LogCursor cursor, long ordinal)
    {
        cursor = new LogCursor { Position = Before(ordinal), NextOrdinal = ordinal };
        return LogReading.Lost;
    }
}
