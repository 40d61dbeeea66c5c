namespace Trunkline.Directory;

/// <summary>
/// Answers steps once they are on the disk itself: one sync is for all who came before it began, and who comes meanwhile
/// waits for the next. Everything is under the gate of <see cref="DirectoryMemory"/> but the sync itself, on a thread of the pool.
/// </summary>
internal sealed class RecordSync(Lock gate, RecordJournal journal) : IThreadPoolWorkItem
{
    private TaskCompletionSource<string?>? _waiting;
    private bool _isUnderWay;
    private bool _isEnded;

    /// <summary>How it is done; another for tests.</summary>
    internal Action<RecordFile> FlushAll { get; set; } = journal.FlushAll;

    /// <summary>
    /// Null when the disk has everything that was written; else completes when it has, with null, or with the sentence that
    /// says why it may not.
    /// </summary>
    internal Task<string?>? WhenSynced()
    {
        if (journal.IsSynced)
        {
            return null;
        }

        _waiting ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        Begin();
        return _waiting.Task;
    }

    /// <summary>The file was synced for the last time and is closed.</summary>
    internal void End() => _isEnded = true;

    void IThreadPoolWorkItem.Execute()
    {
        TaskCompletionSource<string?> served;
        lock (gate)
        {
            (served, _waiting) = (_waiting!, null);
        }

        string? fault = Sync();
        lock (gate)
        {
            _isUnderWay = false;
            Begin();
        }

        served.SetResult(fault);
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
            lock (gate)
            {
                if (_isEnded || journal.Doubt is not null)
                {
                    return journal.Doubt;
                }

                (file, length) = (journal.InUse, journal.InUse.Length);
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

            lock (gate)
            {
                if (file != journal.InUse)
                {
                    continue;
                }

                if (failure is not null)
                {
                    return journal.SyncFailed(failure);
                }

                journal.Synced(length);
                return null;
            }
        }
    }
}
