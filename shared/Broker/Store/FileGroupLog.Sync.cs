using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// Syncing beside the writes, with <c>os</c>: nobody waits for it. It bounds what a power cut takes, and records say how far
/// it had come when they were appended, so that recovery can tell what was torn from what is damaged.
/// </summary>
internal sealed partial class FileGroupLog
{
    /// <summary>A segment's part that is synced before the interval is over.</summary>
    private const int SyncedParts = 8;

    private readonly StoreThread _syncer;
    private readonly LogSync _sync;
    private readonly SyncTimer _syncTimer;

    /// <summary>Where the newest write ended.</summary>
    private LogSegment? _writtenIn;
    private long _written;

    /// <summary>Bytes that were written since the newest sync began.</summary>
    private long _unsynced;

    /// <summary>After a sync that failed, one that succeeds says nothing of what that had to write: records of this run vouch for no more.</summary>
    private bool _hasFailedSync;

    /// <summary>The first number of the segment in which the newest sync that succeeded ended: all before it is on the disk.</summary>
    private long _syncedTo;

    /// <summary>Whether files that retention has passed wait for a sync of what is behind them.</summary>
    private bool DeletesAfterSync => _options.Commit != LogCommit.Always && _options.SyncIntervalMs > 0 && !_hasFailedSync;

    private void SyncSoon()
    {
        if (_options.Commit == LogCommit.Always || _options.SyncIntervalMs == 0 || _unsynced == 0 || _sync.IsUnderWay || _isClosed)
        {
            return;
        }

        if (_unsynced >= _options.LogSegmentBytes / SyncedParts)
        {
            BeginSync();
        }
        else if (!_syncTimer.IsScheduled)
        {
            _loop.Timers.Schedule(_syncTimer, _options.SyncIntervalMs);
        }
    }

    private void BeginSync()
    {
        _loop.Timers.Cancel(_syncTimer);
        if (_sync.IsUnderWay || _unsynced == 0)
        {
            return;
        }

        _unsynced = 0;
        _sync.Begin(SegmentsFrom(_sync.Newest!.FirstOrdinal), _writtenIn!, _written);
        _syncer.Do(_sync);
    }

    private void OnSynced()
    {
        _counters.Add(BrokerCounter.LogSyncs);
        if (_sync.Error is { } error)
        {
            _counters.Add(BrokerCounter.LogSyncFailures);
            if (!_hasFailedSync)
            {
                _hasFailedSync = true;
                StoreLog.CannotSync(_logger, _folder.Group, _sync.Newest!.Path, error.Message);
            }
        }
        else if (!_hasFailedSync)
        {
            _sync.Newest!.Synced = _sync.UpTo;
            _syncedTo = _sync.Newest.FirstOrdinal;
        }

        DeletePassed();
        SyncSoon();
    }

    /// <summary>The files from the one of a number on, those that retention has passed and that are still there, too.</summary>
    private IEnumerable<LogSegment> SegmentsFrom(long ordinal) =>
        _passed.Select(passed => passed.Segment).Concat(_segments).SkipWhile(segment => segment.FirstOrdinal < ordinal);

    /// <summary>At the end, what no sync has covered. Returns whether it is on the disk.</summary>
    private bool SyncRest()
    {
        long from = _options.Commit == LogCommit.Always ? long.MaxValue : _syncedTo;
        try
        {
            foreach (LogSegment segment in SegmentsFrom(from).Union(_segments.TakeLast(1)).Where(segment => segment.Handle is not null))
            {
                segment.Flush(_disk);
            }

            _disk.FlushFolder(_folder.Path);
            return true;
        }
        catch (IOException exception)
        {
            StoreLog.CannotWrite(_logger, _folder.Group, _folder.Path, exception.Message);
            return false;
        }
    }

    private sealed class SyncTimer(FileGroupLog log) : LoopTimer
    {
        protected override void OnDue() => log.BeginSync();
    }

    /// <summary>One sync of everything from the segment on that the one before ended in.</summary>
    private sealed class LogSync(FileGroupLog log) : StoreJob
    {
        private readonly List<LogSegment> _segments = [];

        public bool IsUnderWay { get; private set; }

        /// <summary>The newest segment it syncs, and what was written to that.</summary>
        public LogSegment? Newest { get; private set; }

        public long UpTo { get; private set; }

        /// <summary>What an earlier run wrote, and this one up to here, is on the disk.</summary>
        public void BeginRun(LogSegment newest, long upTo)
        {
            Newest = newest;
            newest.Synced = upTo;
        }

        public void Begin(IEnumerable<LogSegment> segments, LogSegment newest, long upTo)
        {
            _segments.Clear();
            _segments.AddRange(segments.TakeWhile(segment => segment != newest));
            _segments.Add(newest);
            Newest = newest;
            UpTo = upTo;
            IsUnderWay = true;
        }

        protected override void Work()
        {
            if (Newest!.Synced < LogSegment.HeaderBytes)
            {
                log._disk.FlushFolder(log._folder.Path);
            }

            foreach (LogSegment segment in _segments)
            {
                segment.Flush(log._disk);
            }
        }

        protected override void Run()
        {
            IsUnderWay = false;
            log.OnSynced();
        }
    }
}
