namespace Trunkline.Transports;

/// <summary>Crossing into the loop from other threads, and its beginning and end.</summary>
public abstract partial class Loop
{
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoopWork? _posted;
    private Thread? _thread;
    private int _threadId;
    private int _sleeping;
    private volatile bool _stopRequested;
    private volatile bool _ended;

    /// <summary>Whether the caller is within this loop's turn, or on its thread between two; not within another loop's turn on that thread.</summary>
    public virtual bool IsCurrent => Environment.CurrentManagedThreadId == _threadId;

    private bool HasPosted => Volatile.Read(ref _posted) is not null;

    /// <summary>
    /// Queues work; any thread, the loop's own included. Work posted by one thread runs in the order it was posted, in
    /// this turn or the next. Only the poster that finds the loop asleep wakes it.
    /// </summary>
    public void Post(LoopWork work)
    {
        if (work.IsQueued)
        {
            throw new InvalidOperationException($"{work} was posted to loop {Name} while it was still queued.");
        }

        work.IsQueued = true;
        LoopWork? head;
        do
        {
            head = Volatile.Read(ref _posted);
            work.NextWork = head;
        }
        while (Interlocked.CompareExchange(ref _posted, work, head) != head);

        WakeIfAsleep();
        if (_ended)
        {
            DropPosted();
        }
    }

    /// <summary>Queues an action; any thread. Allocates: for rare paths.</summary>
    public void Post(Action action) => Post(new ActionWork(action));

    /// <summary>Runs an action on the loop; any thread, rare paths. Its exception comes back in the task.</summary>
    public Task InvokeAsync(Action action) => InvokeAsync(() =>
    {
        action();
        return true;
    });

    /// <summary>Runs a function on the loop; any thread, rare paths. Its exception comes back in the task.</summary>
    public Task<T> InvokeAsync<T>(Func<T> function)
    {
        var work = new InvokeWork<T>(function);
        Post(work);
        return work.Task;
    }

    /// <summary>Starts the thread.</summary>
    public virtual void Start()
    {
        if (_thread is not null)
        {
            throw new InvalidOperationException($"Loop {Name} was started already.");
        }

        _thread = new Thread(RunThread) { Name = Name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Closes what the loop owns and ends its thread; any thread. The task ends when it has ended.</summary>
    public virtual Task StopAsync()
    {
        _stopRequested = true;
        if (_thread is null)
        {
            End();
            return Task.CompletedTask;
        }

        WakeIfAsleep();
        return _stopped.Task;
    }

    /// <summary>Stops the loop and waits for it, unless called on it; not to be called on another loop, whose thread may run this one.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Stops the loop; derived loops free their descriptors afterwards.</summary>
    protected virtual void Dispose(bool disposing)
    {
        _ = StopAsync();
        if (!IsCurrent)
        {
            _thread?.Join();
            _asGuest?.Dispose();
        }
    }

    /// <summary>Runs turns until a stop is asked for.</summary>
    protected virtual void RunThread()
    {
        _threadId = Environment.CurrentManagedThreadId;
        while (!_stopRequested)
        {
            Turn(mayWait: true);
            if (_asHost is { } host)
            {
                RunGuests(host);
            }
            else if (_asGuest is { } guest)
            {
                LendWhenCalm(guest);
            }
        }

        GiveAllGuestsBack();
        End();
        _threadId = 0;
        _stopped.TrySetResult();
    }

    /// <summary>Runs what other threads posted, oldest first; what is posted meanwhile waits for the next turn.</summary>
    protected void RunPosted()
    {
        LoopWork? work = TakePosted();
        while (work is not null)
        {
            LoopWork? next = work.NextWork;
            work.NextWork = null;
            work.IsQueued = false;
            try
            {
                work.RunNow();
            }
            catch (Exception exception)
            {
                ReportFault(work, exception);
            }

            work = next;
        }
    }

    private int PrepareWait()
    {
        if (HasWork || _stopRequested)
        {
            return 0;
        }

        int timeoutMs = Timers.NextDelayMs();

        // A poster either sees that we sleep, or we see its work: the barrier orders our two accesses.
        Volatile.Write(ref _sleeping, 1);
        Interlocked.MemoryBarrier();
        if (HasPosted || _stopRequested)
        {
            return 0;
        }

        return _asHost is { Guests.Count: > 0 } host ? PrepareGuestsWait(host, timeoutMs) : timeoutMs;
    }

    private void EndWait()
    {
        Volatile.Write(ref _sleeping, 0);
        if (_asHost is { } host)
        {
            foreach (LoopGuest guest in host.Guests)
            {
                Volatile.Write(ref guest.Loop._sleeping, 0);
            }
        }
    }

    private void WakeIfAsleep()
    {
        if (Volatile.Read(ref _sleeping) == 1 && Interlocked.Exchange(ref _sleeping, 0) == 1)
        {
            // Whoever runs it sleeps for it. When that has just changed, the new one looks before it sleeps.
            (_runBy ?? this).Wake();
        }
    }

    private LoopWork? TakePosted()
    {
        if (Volatile.Read(ref _posted) is null)
        {
            return null;
        }

        LoopWork? newest = Interlocked.Exchange(ref _posted, null);
        LoopWork? oldest = null;
        while (newest is not null)
        {
            LoopWork? next = newest.NextWork;
            newest.NextWork = oldest;
            oldest = newest;
            newest = next;
        }

        return oldest;
    }

    private void End()
    {
        try
        {
            OnStopping();
            RunPosted();
            EndTurn();
        }
        catch (Exception exception)
        {
            ReportFault(this, exception);
        }

        _ended = true;
        DropPosted();
    }

    private void DropPosted()
    {
        LoopWork? work = TakePosted();
        while (work is not null)
        {
            LoopWork? next = work.NextWork;
            work.NextWork = null;
            work.IsQueued = false;
            work.DropNow();
            work = next;
        }
    }

    private sealed class ActionWork(Action action) : LoopWork
    {
        public override string ToString() => $"{action.Method.DeclaringType?.Name}.{action.Method.Name}";

        protected override void Run() => action();
    }

    private sealed class InvokeWork<T>(Func<T> function) : LoopWork
    {
        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _result.Task;

        protected override void Run()
        {
            try
            {
                _result.SetResult(function());
            }
            catch (Exception exception)
            {
                _result.SetException(exception);
            }
        }

        protected override void Dropped() => _result.TrySetException(new ObjectDisposedException("The loop has stopped."));
    }
}
