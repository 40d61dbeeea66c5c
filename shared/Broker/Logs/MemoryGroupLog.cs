using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// The log in memory: as durable as the process, committed at once. Bounded in messages and bytes; at a limit the oldest
/// message is dropped. Segments of bytes, so that a million messages are a few thousand objects. Loop thread only.
/// </summary>
public sealed class MemoryGroupLog : IGroupLog
{
    private readonly Loop _loop;
    private readonly BrokerOptions _options;
    private readonly LogTerms _terms;
    private readonly LogProducers _producers;
    private readonly List<LogSegment> _segments = [];
    private byte[]? _spare;
    private int _headOffset;
    private long _firstOrdinal = 1;
    private long _lastOrdinal;

    /// <summary>Begins an empty log.</summary>
    /// <param name="loop">The group's loop, for its clock.</param>
    /// <param name="options">The limits.</param>
    /// <param name="term">
    /// The first term. Wall-clock milliseconds by default, so that a restart begins above the terms of the run before;
    /// links that know a higher one raise it.
    /// </param>
    public MemoryGroupLog(Loop loop, BrokerOptions options, ulong? term = null)
    {
        _loop = loop;
        _options = options;
        _terms = new LogTerms(term ?? (ulong)loop.Time.GetUtcNow().ToUnixTimeMilliseconds());
        _producers = new LogProducers(options.ProducersMaximum, options.ProducerMemoryMs);
    }

    /// <inheritdoc/>
    public ulong Term => _terms.Current;

    /// <inheritdoc/>
    public LogPosition Start => Messages == 0 ? Tail : _terms.PositionOf(_firstOrdinal) switch
    {
        var (term, offset) => new LogPosition(term, offset - 1),
    };

    /// <inheritdoc/>
    public LogPosition Tail => _terms.Tail(_lastOrdinal);

    /// <inheritdoc/>
    public LogPosition Committed => Tail;

    /// <inheritdoc/>
    public long Messages => _lastOrdinal - _firstOrdinal + 1;

    /// <inheritdoc/>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public long Dropped { get; private set; }

    /// <inheritdoc/>
    public long ProducersForgotten => _producers.Forgotten;

    /// <inheritdoc/>
    public ILogListener? Listener { get; set; }

    /// <inheritdoc/>
    public void RaiseTermAbove(ulong known)
    {
        if (known >= _terms.Current)
        {
            _terms.Begin(known + 1, _lastOrdinal + 1, _firstOrdinal);
        }
    }

    /// <inheritdoc/>
    public LogProducer Acquire(string node, ulong link) => _producers.Acquire(node, link, _loop.NowMs);

    /// <inheritdoc/>
    public void Release(LogProducer producer) => _producers.Release(producer, _loop.NowMs);

    /// <inheritdoc/>
    public LogPosition Append(in LogRecord record)
    {
        int size = checked((int)LogSegment.SizeOf(record));
        while (Messages > 0 && (Messages >= _options.LogMaximumMessages || Bytes + size > _options.LogMaximumBytes))
        {
            DropOldest();
        }

        SegmentFor(size).Append(record, size);
        Bytes += size;
        _lastOrdinal++;
        LogPosition position = Tail;
        if (record.Producer is { } producer)
        {
            producer.LastNumber = record.Number;
            producer.LastPosition = position;
        }

        return position;
    }

    /// <inheritdoc/>
    public LogCursor Seek(LogPosition after, out bool mayHaveLost)
    {
        long next = _terms.NextAfter(after, _lastOrdinal, out mayHaveLost);
        if (next < _firstOrdinal)
        {
            next = _firstOrdinal;
            mayHaveLost = true;
        }

        return new LogCursor { Position = mayHaveLost ? Before(next) : after, NextOrdinal = next };
    }

    /// <inheritdoc/>
    public LogReading TryRead(ref LogCursor cursor, out LogRecord record)
    {
        record = default;
        if (cursor.NextOrdinal > _lastOrdinal)
        {
            return LogReading.Tail;
        }

        if (cursor.NextOrdinal < _firstOrdinal)
        {
            cursor = new LogCursor { Position = Before(_firstOrdinal), NextOrdinal = _firstOrdinal };
            return LogReading.Lost;
        }

        LogSegment? segment = cursor.Segment;
        if (segment?.Buffer is null || !segment.Holds(cursor.NextOrdinal))
        {
            segment = Find(cursor.NextOrdinal);
            cursor.Segment = segment;
            cursor.Offset = segment.OffsetOf(cursor.NextOrdinal);
        }

        LogPosition position = _terms.PositionOf(cursor.NextOrdinal);
        record = segment.Read(cursor.Offset, position);
        cursor.Offset += segment.SizeAt(cursor.Offset);
        cursor.NextOrdinal++;
        cursor.Position = position;
        return LogReading.Record;
    }

    /// <summary>The position just before an ordinal.</summary>
    private LogPosition Before(long ordinal)
    {
        if (ordinal > _lastOrdinal)
        {
            return Tail;
        }

        LogPosition position = _terms.PositionOf(ordinal);
        return new LogPosition(position.Term, position.Offset - 1);
    }

    private LogSegment SegmentFor(int size)
    {
        if (_segments.Count > 0 && _segments[^1].Free >= size)
        {
            return _segments[^1];
        }

        byte[] buffer;
        if (_spare is not null && _spare.Length >= size)
        {
            buffer = _spare;
            _spare = null;
        }
        else
        {
            buffer = GC.AllocateUninitializedArray<byte>(int.Max(size, _options.LogSegmentBytes));
        }

        var segment = new LogSegment(buffer, _lastOrdinal + 1);
        _segments.Add(segment);
        return segment;
    }

    private void DropOldest()
    {
        LogSegment head = _segments[0];
        int size = head.SizeAt(_headOffset);
        _headOffset += size;
        Bytes -= size;
        _firstOrdinal++;
        Dropped++;
        if (head.Holds(_firstOrdinal))
        {
            return;
        }

        byte[] buffer = head.TakeBuffer();
        if (buffer.Length == _options.LogSegmentBytes)
        {
            _spare ??= buffer;
        }

        _segments.RemoveAt(0);
        _headOffset = 0;
    }

    /// <summary>The segment that holds an ordinal which is kept.</summary>
    private LogSegment Find(long ordinal)
    {
        int low = 0;
        int high = _segments.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = _segments[middle].FirstOrdinal <= ordinal ? (middle, high) : (low, middle - 1);
        }

        return _segments[low];
    }
}
