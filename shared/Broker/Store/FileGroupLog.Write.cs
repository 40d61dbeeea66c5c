namespace Trunkline.Broker;

/// <summary>
/// Writing what was appended, one batch at a time. <c>os</c> writes on the loop, which waits for the page cache alone;
/// when a write was slow or failed, and with <c>always</c>, the writing thread does it. What is appended while a batch is
/// under way is the next batch, so that all who wait share it.
/// </summary>
/// <remarks>
/// <code>
///   idle --end of turn--> writing --written--> idle, or the next batch at once
///                            |
///                            +--failed--> waits LogRetryMs, then the same batch again
/// </code>
/// A batch that failed is written again to the same place, so a half-written one leaves nothing behind.
/// </remarks>
internal sealed partial class FileGroupLog
{
    /// <summary>Milliseconds writes go by the writing thread after one was slow.</summary>
    private const long SlowMemoryMs = 10_000;

    private readonly LogBatch _batch;
    private bool _isListed;
    private long _byThreadUntilMs;

    /// <inheritdoc/>
    public void OnEndOfTurn()
    {
        _isListed = false;
        BeginWrite();
    }

    /// <summary>
    /// Writes what is left and gives the files back. What cannot be written is not acknowledged either. On the loop;
    /// waits for the disk.
    /// </summary>
    public void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _loop.Timers.Cancel(this);
        _loop.Timers.Cancel(_syncTimer);
        _cache.Close();
        _writer.Dispose();
        _syncer.Dispose();
        if (_batch.IsUnderWay)
        {
            // Its thread is done with it, but its word may not have come through. Writing it again changes nothing.
            Rewrite();
        }

        if (_dirty.Count > 0 && !IsFailing)
        {
            _batch.Gather(_dirty, Tail, _blocks.LastOrdinal);
            Rewrite();
        }

        EndPassed(SyncRest());
        foreach (LogSegment segment in _segments)
        {
            segment.Close();
        }
    }

    /// <summary>The time to try again has come.</summary>
    protected override void OnDue() => _writer.Do(_batch);

    private void WriteAtEndOfTurn()
    {
        if (!_isListed)
        {
            _isListed = true;
            _loop.AtEndOfTurn(this);
        }
    }

    private void BeginWrite()
    {
        if (_batch.IsUnderWay || _dirty.Count == 0 || _isClosed)
        {
            return;
        }

        _batch.Gather(_dirty, Tail, _blocks.LastOrdinal);
        _batchOffset = _segments[^1].Length;
        if (_options.Commit == LogCommit.Always || _loop.NowMs < _byThreadUntilMs)
        {
            _writer.Do(_batch);
            return;
        }

        long before = _loop.Time.GetTimestamp();
        _batch.Execute();
        if (_loop.Time.GetElapsedTime(before).TotalMilliseconds >= _options.LogSlowWriteMs)
        {
            _byThreadUntilMs = _loop.NowMs + SlowMemoryMs;
            _counters.Add(BrokerCounter.LogSlowWrites);
        }

        OnBatchDone(_batch);
    }

    private void OnBatchDone(LogBatch batch)
    {
        if (_isClosed)
        {
            return;
        }

        if (batch.Error is { } error)
        {
            Fail(error);
            return;
        }

        if (IsFailing)
        {
            IsFailing = false;
            StoreLog.WritingAgain(_logger, _folder.Group, UncommittedBytes);
        }

        Committing();
        Listener?.OnCommitted();
        BeginWrite();
    }

    private void Committing()
    {
        (_writtenIn, _written) = _batch.End;
        _unsynced += _batch.Bytes;
        _batch.Finish();
        UncommittedBytes -= _batch.Bytes;
        Committed = _batch.Target;
        CommittedOrdinal = _batch.TargetOrdinal;
        while (_dirty.TryPeek(out LogBlock? block) && block.Written == block.Used)
        {
            _dirty.Dequeue();
            block.IsDirty = false;
            if (block != _blocks.Last)
            {
                _cache.Add(block);
            }
        }

        SyncSoon();
    }

    private void Fail(Exception error)
    {
        _counters.Add(BrokerCounter.LogWriteFailures);
        if (!IsFailing)
        {
            IsFailing = true;
            StoreLog.CannotWrite(_logger, _folder.Group, _folder.Path, error.Message);
        }

        _loop.Timers.Schedule(this, _options.LogRetryMs);
    }

    private void Rewrite()
    {
        _batch.Execute();
        if (_batch.Error is { } error)
        {
            StoreLog.CannotWrite(_logger, _folder.Group, _folder.Path, error.Message);
            return;
        }

        Committing();
    }
}
