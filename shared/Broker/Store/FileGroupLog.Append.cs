using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>Adding records.</summary>
internal sealed partial class FileGroupLog
{
    private readonly Queue<LogBlock> _dirty = new();
    private long _messages;

    /// <summary>Where in the newest segment the next write begins.</summary>
    private long _batchOffset;

    /// <summary>
    /// Begins the term of this run, above every term the log knows and, so that a folder that was lost does not repeat
    /// positions, above the clock's milliseconds. Written and on disk when it returns; before the loop starts.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void BeginRun(ulong above)
    {
        // What an earlier run wrote and was killed before it synced it counts as committed, and this run's first record vouches for it.
        _disk.FlushFolder(_folder.Path);
        foreach (LogSegment segment in _segments)
        {
            segment.Flush(_disk);
            segment.Synced = segment.Length;
        }

        if (_segments.Count > 0 && _segments[^1].Length == LogSegment.HeaderBytes)
        {
            AppendState(_segments[^1]);
        }

        AppendTerm(ulong.Max(ulong.Max(Term, above) + 1, (ulong)long.Max(1, WallMs)));
        _batch.Gather(_dirty, Tail, _blocks.LastOrdinal);
        _batch.Execute();
        if (_batch.Error is { } error)
        {
            throw new IOException(error.Message, error);
        }

        _segments[^1].Flush(_disk);
        _disk.FlushFolder(_folder.Path);
        _folder.NoteSystemStart(_disk);
        _batchOffset = _segments[^1].Length;
        Committing();
        _sync.BeginRun(_writtenIn!, _written);
        _syncedTo = _writtenIn!.FirstOrdinal;
        _unsynced = 0;
        DeletePassed();
    }

    /// <inheritdoc/>
    public void RaiseTermAbove(ulong known)
    {
        if (known >= Term)
        {
            AppendTerm(known + 1);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> TakeShareRecords()
    {
        IReadOnlyList<byte[]> taken = _shareRecords;
        _shareRecords = [];
        return taken;
    }

    /// <inheritdoc/>
    public long AppendShares(ReadOnlySpan<byte> record)
    {
        var frame = new LogRecord { Topic = default, Payload = record, QoS = default, ExpiresAtMs = long.MaxValue };
        AppendRecord(frame, RecordKind.Shares, checked((int)RecordFrame.SizeOf(frame)));
        return AppendedBytes;
    }

    /// <inheritdoc/>
    public bool IsCommitted(long shareRecord) => shareRecord <= AppendedBytes - UncommittedBytes;

    /// <inheritdoc/>
    public LogPosition Append(in LogRecord record)
    {
        int size = checked((int)RecordFrame.SizeOf(record, RecordIds.SizeOf(record)));
        LogBlock block = AppendRecord(record, RecordKind.Message, size);
        _messages++;
        long ordinal = _blocks.Count(block, record.Topic);
        LogSegment segment = _segments[^1];
        segment.NewestMs = WallMs;
        segment.Live++;
        _tenants.Add(segment.Tenants, record.Topic, size);
        segment.EndOrdinal = ordinal + 1;
        segment.HasRetained |= record.Retain;
        LogPosition position = Tail;
        _identities.Add(record, ordinal, position);
        return position;
    }

    /// <summary>The file of retained messages has all that messages below a number did.</summary>
    public void OnRetainedSafe(long below)
    {
        RetainedSafeBelow = long.Max(RetainedSafeBelow, below);
        MakeRoom();
    }

    private long WallMs => _loop.NowMs + _blocks.ClockOffsetMs;

    private void AppendTerm(ulong term)
    {
        byte[] payload = BitConverter.GetBytes(term);
        var record = new LogRecord { Topic = default, Payload = payload, QoS = default, ExpiresAtMs = long.MaxValue };
        AppendRecord(record, RecordKind.Term, (int)RecordFrame.SizeOf(record));
        _blocks.Terms.Begin(term, _blocks.LastOrdinal + 1, _blocks.FirstOrdinal);
    }

    private LogBlock AppendRecord(in LogRecord record, RecordKind kind, int size)
    {
        LogBlock block = BlockFor(size);
        LogSegment segment = block.Segment!;
        long place = block.FileOffset + block.Used;
        long batch = _options.Commit == LogCommit.Always ? _batchOffset : ~segment.Synced;
        block.Places.Pass(block.Used, block.Count);
        Span<byte> frame = block.Extend(size);
        long expires = record.ExpiresAtMs == long.MaxValue ? long.MaxValue : record.ExpiresAtMs + _blocks.ClockOffsetMs;
        int extraBytes = kind == RecordKind.Message ? RecordIds.SizeOf(record) : 0;
        Span<byte> extra = RecordFrame.Write(frame, record, new RecordStamp(kind, WallMs, expires, extraBytes, (int)batch));
        RecordIds.Write(extra, record);
        RecordFrame.Seal(frame, segment.SeedAt(place));
        segment.Length += size;
        Bytes += size;
        AppendedBytes += size;
        UncommittedBytes += size;
        if (!block.IsDirty)
        {
            block.IsDirty = true;
            _dirty.Enqueue(block);
        }

        WriteAtEndOfTurn();
        return block;
    }

    private LogBlock BlockFor(int size)
    {
        LogBlock? last = _blocks.Last;
        LogSegment? segment = _segments.Count > 0 ? _segments[^1] : null;
        if (last is not null && last.Segment == segment && last.Free >= size)
        {
            return last;
        }

        if (last is { IsDirty: false, Buffer: not null })
        {
            _cache.Add(last);
        }

        if (segment is null || (segment.Length + size > _options.LogSegmentBytes && HasMessage(segment)))
        {
            return BeginSegment(size);
        }

        return AddBlock(segment, size);
    }

    /// <summary>
    /// Segments are named by their first message. One of records of shares and terms alone goes on beyond its size until a
    /// message comes: the next one would have its name.
    /// </summary>
    private bool HasMessage(LogSegment segment) => _blocks.LastOrdinal >= segment.FirstOrdinal;

    /// <summary>A new segment begins with what its predecessors may soon not tell any more.</summary>
    private LogBlock BeginSegment(int size)
    {
        bool isFirst = _segments.Count == 0;
        var segment = LogSegment.Begin(_folder, _blocks.LastOrdinal + 1, WallMs);
        segment.Synced = isFirst || _segments[^1].Synced == _segments[^1].Length ? LogSegment.EarlierSynced : 0;
        _segments.Add(segment);
        Bytes += segment.Length;
        _batchOffset = 0;
        AppendState(segment);
        MakeRoom();
        if (!isFirst)
        {
            SegmentSealed?.Invoke();
        }

        return _blocks.Last is { } state && state.Free >= size ? state : AddBlock(segment, size);
    }

    private void AppendState(LogSegment segment)
    {
        // Until somebody keeps the shares, what was written of them is handed on as it is.
        byte[] shares = ShareSnapshot?.Invoke() ?? [.. _shareRecords.SelectMany(record => record)];
        byte[] state = LogState.Write(_blocks.Terms, _identities.Producers.All, shares);
        var record = new LogRecord { Topic = default, Payload = state, QoS = default, ExpiresAtMs = long.MaxValue };
        int size = (int)RecordFrame.SizeOf(record);
        AddBlock(segment, size);
        AppendRecord(record, RecordKind.Snapshot, size);
    }

    private LogBlock AddBlock(LogSegment segment, int size)
    {
        var block = new LogBlock(_cache.Rent(size), _blocks.LastOrdinal + 1) { Segment = segment, FileOffset = segment.Length };
        _blocks.Add(block);
        return block;
    }
}
