namespace Trunkline.Broker;

/// <summary>
/// Dropping at the limits: whole segments that are too old; for room the messages of those who have more than their share,
/// by writing the oldest segment with enough of them anew; the oldest segment whole when that wins nothing.
/// </summary>
internal sealed partial class FileGroupLog
{
    /// <summary>So many doublings of LogRetryMs, the least allowed too, reach a minute.</summary>
    private const int ThinningShiftMaximum = 10;

    private readonly LogTenants _tenants;

    /// <summary>Segments that retention has passed and whose files are not to be deleted yet, each with the first number behind it.</summary>
    private readonly Queue<(LogSegment Segment, long Next)> _passed = new();
    private SegmentThinning? _thinning;
    private bool _thinningWaitsForRetained;

    /// <inheritdoc/>
    public long DroppedOverShare { get; private set; }

    /// <inheritdoc/>
    public int Tenants => _tenants.Count;

    /// <inheritdoc/>
    public long TenantsTogether => _tenants.Together;

    /// <summary>Whether a segment is being written anew.</summary>
    public bool IsThinning => _thinning is not null;

    /// <summary>Whether a segment would go, or be thinned, if the file of retained messages were newer.</summary>
    public bool WaitsForRetained => _segments.Count > 1 && IsOverLimit && (_thinningWaitsForRetained || !IsRetainedSafe(_segments[0]));

    private bool IsOverLimit => IsOver(0);

    /// <inheritdoc/>
    public bool IsSlowed(ReadOnlySpan<byte> topic) =>
        _options.RetentionFloorMs > 0 && _tenants.Find(topic).SlowedUntilMs > WallMs;

    private bool IsOver(long more) =>
        Bytes + _options.LogSegmentBytes > _options.LogMaximumBytes + more
        || _messages > _options.LogMaximumMessages + (more > 0 ? _options.LogMaximumMessages / 8 : 0);

    private void MakeRoom()
    {
        while (!_isClosed && _segments.Count > 1 && (IsOld(_segments[0]) || _segments[0].Live == 0) && MayDropFirst())
        {
            DropFirst(isForRoom: false);
        }

        while (!_isClosed && _segments.Count > 1 && (IsOverLimit || _segments.Count > _options.SegmentsMaximum))
        {
            bool isFarOver = IsOver(long.Max(4L * _options.LogSegmentBytes, _options.LogMaximumBytes / 8)) || _segments.Count > _options.SegmentsMaximum;
            if (!isFarOver && (_thinning is not null || TryThin()))
            {
                return;
            }

            if (_thinning is { } thinning && thinning.Old[0] == _segments[0])
            {
                // Too slow: what it reads goes whole, and so does what it writes.
                for (int i = 0; i < thinning.Old.Count; i++)
                {
                    DropFirst(isForRoom: true);
                }
            }
            else if (MayDropFirst())
            {
                DropFirst(isForRoom: true);
            }
            else
            {
                return;
            }
        }
    }

    private bool IsOld(LogSegment segment) => WallMs - segment.NewestMs > _options.LogMaximumAgeMs;

    /// <summary>
    /// It is written, and so is the state at the beginning of the one behind it, which alone knows numbers of links and terms
    /// then; no retained message hangs on it, and it is not being thinned.
    /// </summary>
    private bool MayDropFirst() =>
        IsStateOfSecondWritten() && IsRetainedSafe(_segments[0]) && !(_thinning?.Old.Contains(_segments[0]) ?? false);

    private bool IsStateOfSecondWritten() =>
        !_dirty.TryPeek(out LogBlock? dirty)
        || (dirty.Segment != _segments[0]
            && (dirty.Segment != _segments[1] || dirty.FileOffset > LogSegment.HeaderBytes || dirty.Written > 0));

    private bool IsRetainedSafe(LogSegment segment) => !segment.HasRetained || segment.EndOrdinal <= RetainedSafeBelow;

    /// <summary>
    /// Begins to thin the oldest segment of which a quarter or more goes. The newest two are left alone: the state at the
    /// beginning of a later one must be written before numbers of links may go with their messages. False when none is to be.
    /// </summary>
    private bool TryThin()
    {
        _thinningWaitsForRetained = false;
        if (_tenants.Count <= 1)
        {
            return false;
        }

        _tenants.Reckon(_tenants.Bytes - _options.LogSegmentBytes);
        for (int i = 0; _tenants.HasBoth && i < _segments.Count - 1 && _segments[i + 1].FirstOrdinal <= CommittedOrdinal; i++)
        {
            LogSegment segment = _segments[i];
            long over = segment.Tenants.Over;
            if (over == 0 || over * LogTenants.ThinnedAtShare < segment.Tenants.All || _loop.NowMs < segment.ThinAgainMs)
            {
                continue;
            }

            if (!IsRetainedSafe(segment))
            {
                _thinningWaitsForRetained = true;
                continue;
            }

            if (i == 0 && over == segment.Tenants.All)
            {
                // Nothing of it stays.
                return false;
            }

            bool joins = i > 0 && MayJoin(_segments[i - 1], segment, segment.Tenants.All - over);
            LogSegment[] old = joins ? [_segments[i - 1], segment] : [segment];
            _thinning = new SegmentThinning(_disk, old, _segments[i + 1], _tenants.Losers(), _options.LogBlockBytes, OnThinned);
            _helper.Do(_thinning);
            return true;
        }

        return false;
    }

    /// <summary>
    /// Two become one when they are small, and alike in age: they will go together. Neither where one of them failed: the other
    /// can be written without it.
    /// </summary>
    private bool MayJoin(LogSegment before, LogSegment segment, long left) =>
        before.IsThinned && before.ThinningFailures == 0 && segment.ThinningFailures == 0 && IsRetainedSafe(before)
        && before.Length + left <= _options.LogSegmentBytes / 4
        && segment.NewestMs - before.NewestMs <= _options.LogMaximumAgeMs / 16;

    private void OnThinned(SegmentThinning thinning)
    {
        _thinning = null;
        if (_isClosed || thinning.Old[0].IsDropped)
        {
            thinning.Fresh.Close();
            return;
        }

        if (!thinning.IsDone)
        {
            ThinLater(thinning);
            return;
        }

        int failures = thinning.Old.Max(segment => segment.ThinningFailures);
        if (failures > 0)
        {
            StoreLog.ThinnedAtLast(_logger, _folder.Group, thinning.Fresh.Path, failures);
        }

        Exchange(thinning);
        UnitThinner thinner = thinning.Thinner;
        _messages -= thinner.Dropped;
        Dropped += thinner.Dropped;
        DroppedOverShare += thinner.Dropped;
        _counters.Add(BrokerCounter.LogThinned);
        if (_options.RetentionFloorMs > 0)
        {
            _tenants.Slow(thinner.YoungestMs + _options.RetentionFloorMs);
        }

        MakeRoom();
        if (WaitsForRetained)
        {
            // The last segment may have been completed meanwhile, when nothing waited yet.
            SegmentSealed?.Invoke();
        }
    }

    /// <summary>
    /// What it could not read or write may be passing: it is tried again when room is needed, after LogRetryMs at first and a
    /// minute at last. Meanwhile others are thinned, and the oldest goes whole.
    /// </summary>
    private void ThinLater(SegmentThinning thinning)
    {
        _counters.Add(BrokerCounter.LogThinningFailures);
        foreach (LogSegment segment in thinning.Old)
        {
            segment.ThinningFailures++;
        }

        LogSegment last = thinning.Old[^1];
        long backoff = _options.LogRetryMs * (1L << int.Min(last.ThinningFailures - 1, ThinningShiftMaximum));
        last.ThinAgainMs = _loop.NowMs + long.Min(backoff, BlockCache.GivenUpRetryMs);
        if (last.ThinningFailures == 1)
        {
            StoreLog.ThinningFailed(_logger, _folder.Group, last.Path, thinning.Error?.Message ?? "");
        }
    }

    /// <summary>The new segment and its blocks take the place of the old ones.</summary>
    private void Exchange(SegmentThinning thinning)
    {
        LogSegment fresh = thinning.Fresh;
        int at = _segments.IndexOf(thinning.Old[0]);
        int first = _blocks.IndexOf(thinning.Old[0].FirstOrdinal);
        int count = 0;
        while (first + count < _blocks.BlockCount && thinning.Old.Contains(_blocks[first + count].Segment!))
        {
            _cache.Remove(_blocks[first + count]);
            count++;
        }

        List<LogBlock> blocks = [.. thinning.Thinner.Blocks.Select(made => new LogBlock(null, made.FirstOrdinal)
        {
            Segment = fresh,
            FileOffset = LogSegment.HeaderBytes + made.Offset,
            Used = made.Used,
            Written = made.Used,
            Count = made.Count,
            Live = made.Live,
            Topics = made.Topics,
            Gaps = made.Gaps,
            Places = made.Places,
        })];
        _blocks.Replace(first, count, blocks);
        fresh.Length = LogSegment.HeaderBytes + thinning.Thinner.Used;
        fresh.EndOrdinal = thinning.Old[^1].EndOrdinal;
        fresh.NewestMs = thinning.Old.Max(segment => segment.NewestMs);
        fresh.HasRetained = thinning.Old.Any(segment => segment.HasRetained);
        fresh.Live = blocks.Sum(block => (long)block.Live);
        Bytes += fresh.Length;
        foreach (LogSegment old in thinning.Old)
        {
            Bytes -= old.Length;
            _tenants.Release(old.Tenants);
            old.IsDropped = true;
            _helper.Do(new SegmentClosing(old));
        }

        foreach ((byte[] name, long bytes) in thinning.Thinner.Kept)
        {
            _tenants.Add(fresh.Tenants, name, bytes);
        }

        _segments.RemoveRange(at, thinning.Old.Count);
        _segments.Insert(at, fresh);
    }

    private void DropFirst(bool isForRoom)
    {
        LogSegment segment = _segments[0];
        _segments.RemoveAt(0);
        segment.IsDropped = true;
        int count = 0;
        while (count < _blocks.BlockCount && _blocks[count].Segment == segment)
        {
            _cache.Remove(_blocks[count]);
            count++;
        }

        _blocks.RemoveFirst(count);
        _blocks.FirstOrdinal = _blocks.BlockCount > 0 ? _blocks[0].FirstOrdinal : _blocks.LastOrdinal + 1;
        _identities.Ids.DropBefore(_blocks.FirstOrdinal);
        _messages -= segment.Live;
        Dropped += segment.Live;
        Bytes -= segment.Length;
        if (isForRoom && _options.RetentionFloorMs > 0)
        {
            SlowThoseIn(segment);
        }

        _tenants.Release(segment.Tenants);
        _passed.Enqueue((segment, _segments[0].FirstOrdinal));
        DeletePassed();
    }

    /// <summary>
    /// Deletes the files of what retention has passed, where syncs go on beside the writes once one has covered the segment
    /// behind it: its state, which alone knows numbers of links and terms then, is on the disk, and so is every file that a
    /// power cut may bring back. One of which nothing had arrived would end the log before all that are whole behind it.
    /// </summary>
    private void DeletePassed()
    {
        while (_passed.TryPeek(out (LogSegment Segment, long Next) passed) && (!DeletesAfterSync || passed.Next <= _syncedTo))
        {
            _passed.Dequeue();
            _helper.Do(new SegmentDeletion(passed.Segment, this));
        }
    }

    /// <summary>At the end, when the helping thread has ended: deletes those files here, or closes them where they must stay.</summary>
    private void EndPassed(bool isSynced)
    {
        while (_passed.TryDequeue(out (LogSegment Segment, long Next) passed))
        {
            if (isSynced)
            {
                var deletion = new SegmentDeletion(passed.Segment, this);
                deletion.Execute();
                deletion.Tell();
            }
            else
            {
                passed.Segment.Close();
            }
        }
    }

    private void SlowThoseIn(LogSegment segment)
    {
        foreach ((LogTenant tenant, long bytes) in segment.Tenants)
        {
            if (bytes > 0 && (tenant.IsOver || _tenants.Count <= 1))
            {
                tenant.SlowedUntilMs = segment.NewestMs + _options.RetentionFloorMs;
            }
        }
    }

    private sealed class SegmentDeletion(LogSegment segment, FileGroupLog log) : StoreJob
    {
        protected override void Work()
        {
            segment.Delete();

            // Before the next one goes: a power cut that brought this one back and not its successor would leave a hole.
            log._disk.FlushFolder(log._folder.Path);
        }

        public void Tell()
        {
            if (Error is not null)
            {
                StoreLog.DeletionFailed(log._logger, log._folder.Group, segment.Path, Error.Message);
            }
        }

        protected override void Run() => Tell();
    }

    /// <summary>Behind the reads that may still need the file.</summary>
    private sealed class SegmentClosing(LogSegment segment) : StoreJob
    {
        protected override void Work() => segment.Close();

        protected override void Run()
        {
        }
    }
}
