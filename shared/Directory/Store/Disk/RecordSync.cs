namespace Trunkline.Directory;

/// <summary>
/// Puts steps on the disk itself. With <see cref="DirectoryCommit.Always"/> they are answered then: one sync is for all who
/// came before it began, and who comes meanwhile waits for the next. With <see cref="DirectoryCommit.Os"/> one comes an interval
/// after the first step that none has covered, and nobody waits. Everything is under the gate of <see cref="DirectoryMemory"/>
/// but the sync itself, on a thread of the pool.
/// </summary>
internal sealed class RecordSync : IThreadPoolWorkItem
{
    private readonly Lock _gate;
    private readonly RecordJournal _journal;
    private readonly TimeSpan _interval;
    private readonly ITimer? _timer;
    private TaskCompletionSource<string?>? _waiting;
    private bool _isTimed;
    private bool _isUnderWay;
    private bool _isEnded;

    /// <param name="gate">The memory's.</param>
    /// <param name="journal">Whose file it syncs.</param>
    /// <param name="commit">Whether steps wait for it.</param>
    /// <param name="intervalMs">With <see cref="DirectoryCommit.Os"/>; 0 leaves it to the system.</param>
    /// <param name="time">The clock of the interval.</param>
    internal RecordSync(Lock gate, RecordJournal journal, DirectoryCommit commit, int intervalMs, TimeProvider time)
    {
        _gate = gate;
        _journal = journal;
        FlushAll = journal.FlushAll;
        IsWaitedFor = commit == DirectoryCommit.Always;
        _interval = TimeSpan.FromMilliseconds(intervalMs);
        _timer = IsWaitedFor || intervalMs == 0
            ? null
            : time.CreateTimer(static sync => ((RecordSync)sync!).BeginTimed(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether steps are answered when it is done.</summary>
    internal bool IsWaitedFor { get; }

    /// <summary>How it is done; another for tests.</summary>
    internal Action<RecordFile> FlushAll { get; set; }

    /// <summary>
    /// After a step: null when nobody waits or the disk has everything that was written; else completes when it has, with
    /// null, or with the sentence that says why it may not.
    /// </summary>
    internal Task<string?>? WhenSynced()
    {
        if (_journal.IsSynced)
        {
            return null;
        }

        if (!IsWaitedFor)
        {
            if (!_isTimed && _timer is not null)
            {
                _isTimed = true;
                _timer.Change(_interval, Timeout.InfiniteTimeSpan);
            }

            return null;
        }

        _waiting ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        Begin();
        return _waiting.Task;
    }

    /// <summary>The file was synced for the last time and is closed.</summary>
    internal void End()
    {
        _isEnded = true;
        _timer?.Dispose();
    }

    void IThreadPoolWorkItem.Execute()
    {
        TaskCompletionSource<string?> served;
        lock (_gate)
        {
            (served, _waiting) = (_waiting!, null);
            _isTimed = false;
        }

        string? fault = Sync();
        lock (_gate)
        {
            _isUnderWay = false;
            Begin();
        }

        served.SetResult(fault);
    }

    private void BeginTimed()
    {
        lock (_gate)
        {
            _waiting ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            Begin();
        }
    }

    private void Begin()
    {
        if (!_isUnderWay && _waiting is not null)
        {
            _isUnderWay = true;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Until it went well, or not, for the file that is in use then: what stood in one before it stands in that, too.</summary>
    private string? Sync()
    {
        while (true)
        {
            RecordFile file;
            long length;
            lock (_gate)
            {
                if (_isEnded || _journal.Doubt is not null)
                {
                    return _journal.Doubt;
                }

                (file, length) = (_journal.InUse, _journal.InUse.Length);
            }

            string? failure = null;
            try
            {
                FlushAll(file);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                failure = exception.Message;
            }
            catch (ObjectDisposedException)
            {
                continue;
            }

            lock (_gate)
            {
                if (file != _journal.InUse)
                {
                    continue;
                }

                if (failure is not null && IsWaitedFor)
                {
                    return _journal.SyncFailed(failure);
                }

                if (failure is not null)
                {
                    _journal.SyncDoubted(failure);
                    return failure;
                }

                _journal.Synced(length);
                return null;
            }
        }
    }
}
