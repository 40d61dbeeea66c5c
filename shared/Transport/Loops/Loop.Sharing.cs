namespace Trunkline.Transports;

/// <summary>
/// Several loops on one thread while there is little to do (ADR 0019): the host's thread runs the turns of its guests after
/// its own. A loop is run by one thread at a time; it changes threads between two turns only.
/// </summary>
public abstract partial class Loop
{
    private LoopHost? _asHost;
    private LoopGuest? _asGuest;
    private volatile Loop? _runBy;
    private long _handOvers;

    /// <summary>Whether another loop's thread runs it now; any thread.</summary>
    public bool IsShared => _runBy is not null;

    /// <summary>How often it went from one thread to another; any thread.</summary>
    public long HandOvers => Volatile.Read(ref _handOvers);

    /// <summary>Whether events wait that another loop's thread was told of, or that the last look left.</summary>
    protected virtual bool HasEvents => false;

    private ThreadLoad? Load => _asHost?.Load ?? _asGuest?.Load;

    /// <summary>Lets <paramref name="host"/>'s thread run this loop while both have little to do. Before either is started.</summary>
    public void ShareThreadOf(Loop host, LoopSharingOptions options)
    {
        if (_thread is not null || host._thread is not null || host == this || host._asGuest is not null || _asHost is not null || _asGuest is not null)
        {
            throw new InvalidOperationException($"Loop {Name} cannot share the thread of {host.Name}.");
        }

        if (options.BelowPercent > 0)
        {
            host._asHost ??= new LoopHost(options, Time);
            _asGuest = new LoopGuest(this, host, host._asHost, options);
        }
    }

    /// <summary>Asks for a change of threads after this turn; on a guest's loop. For tests, which do not wait for a load.</summary>
    internal void HandOverSoon() => _asGuest!.IsHandOverDue = true;

    /// <summary>A guest's thread has let go of it; on the host's loop.</summary>
    internal void TakeGuest(LoopGuest guest)
    {
        if (_stopRequested || !TryWatchGuest(guest.Loop))
        {
            guest.GiveBack();
            return;
        }

        guest.TimersDueMs = NowMs;
        guest.IsHandOverDue = false;
        guest.Loop._handOvers++;
        guest.Loop._runBy = this;
        _asHost!.Guests.Add(guest);
        _asHost.BeginWindow(_lookedAt);
    }

    /// <summary>Begins to see a guest's events in this loop's wait; returns whether it can.</summary>
    protected virtual bool TryWatchGuest(Loop guest) => true;

    /// <summary>Ends what <see cref="TryWatchGuest"/> began.</summary>
    protected virtual void UnwatchGuest(Loop guest)
    {
    }

    /// <summary>On a guest's own thread, between two turns.</summary>
    private void LendWhenCalm(LoopGuest guest)
    {
        if (!guest.IsHandOverDue && (!guest.HasLittleToDo(_lookedAt) || guest.Host._thread is null))
        {
            return;
        }

        guest.IsHandOverDue = false;
        _threadId = 0;
        guest.Lend();
        _threadId = Environment.CurrentManagedThreadId;
        guest.BeginWindow(Options.Time.GetTimestamp());
    }

    /// <summary>On the host's thread, between two turns of its own.</summary>
    private void RunGuests(LoopHost host)
    {
        if (host.Guests.Count == 0)
        {
            return;
        }

        // Within a guest's turn nothing may be done directly to this loop.
        int thread = _threadId;
        _threadId = 0;
        for (int i = host.Guests.Count - 1; i >= 0; i--)
        {
            Loop guest = host.Guests[i].Loop;
            if (guest.HasEvents || guest.HasWork || host.Guests[i].TimersDueMs <= NowMs)
            {
                guest._threadId = thread;
                guest.Turn(mayWait: false, looks: guest.HasEvents);
                guest._threadId = 0;

                // That the guest has events was one of ours.
                _coalescer?.Found(guest._found - 1);
                host.Guests[i].TimersDueMs = guest.NextTimersMs();
            }

            if (guest._stopRequested || host.Guests[i].IsHandOverDue)
            {
                GiveGuestBack(host, host.Guests[i]);
            }
        }

        _threadId = thread;
        if (host.Guests.Count > 0 && host.IsTooBusy(_lookedAt))
        {
            GiveGuestBack(host, host.Guests[^1]);
        }
    }

    private void GiveGuestBack(LoopHost host, LoopGuest guest)
    {
        host.Guests.Remove(guest);
        host.BeginWindow(_lookedAt);
        UnwatchGuest(guest.Loop);
        guest.IsHandOverDue = false;
        guest.Loop._handOvers++;
        guest.Loop._runBy = null;
        guest.GiveBack();
    }

    private void GiveAllGuestsBack()
    {
        while (_asHost is { Guests.Count: > 0 } host)
        {
            GiveGuestBack(host, host.Guests[^1]);
        }
    }

    private long NextTimersMs()
    {
        int delayMs = Timers.NextDelayMs();
        return delayMs < 0 ? long.MaxValue : NowMs + delayMs;
    }

    /// <summary>The host sleeps for its guests, too: says so, and shortens its sleep to what they need.</summary>
    private int PrepareGuestsWait(LoopHost host, int timeoutMs)
    {
        foreach (LoopGuest guest in host.Guests)
        {
            Volatile.Write(ref guest.Loop._sleeping, 1);
        }

        Interlocked.MemoryBarrier();
        foreach (LoopGuest guest in host.Guests)
        {
            if (guest.Loop.HasEvents || guest.Loop.HasWork || guest.Loop._stopRequested)
            {
                return 0;
            }

            if (guest.TimersDueMs != long.MaxValue)
            {
                int delayMs = (int)long.Clamp(guest.TimersDueMs - NowMs, 1, int.MaxValue);
                timeoutMs = timeoutMs < 0 ? delayMs : int.Min(timeoutMs, delayMs);
            }
        }

        return timeoutMs;
    }
}
