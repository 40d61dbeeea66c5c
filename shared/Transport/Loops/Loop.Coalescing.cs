namespace Trunkline.Transports;

/// <summary>Waiting a moment before events are looked for, where many come one by one (ADR 0018).</summary>
public abstract partial class Loop
{
    private readonly WakeUpCoalescer? _coalescer;
    private long _coalescedWaits;
    private int _found;

    /// <summary>Waits that let events gather since it started; any thread.</summary>
    public long CoalescedWaits => Volatile.Read(ref _coalescedWaits);

    /// <summary>Sleeps, whatever events come meanwhile; a loop that cannot sleep so shortly returns at once.</summary>
    protected virtual void Sleep(int microseconds)
    {
    }

    // Before the loop says that it sleeps: who posts meanwhile does not wake it, and it finds the work when it looks.
    private void LetEventsGather(ThreadLoad? load)
    {
        if (_coalescer is not { IsWaiting: true } || HasWork || _fullTurns > 0 || _stopRequested || GuestsHaveWork())
        {
            return;
        }

        long now = Options.Time.GetTimestamp();
        int wait = _coalescer.WaitUs(now);
        if (wait > 0)
        {
            _coalescedWaits++;
            load?.FallAsleep(now);
            Sleep(wait);
            load?.WakeUp(Options.Time.GetTimestamp());
        }
    }

    private bool GuestsHaveWork()
    {
        if (_asHost is { Guests.Count: > 0 } host)
        {
            foreach (LoopGuest guest in host.Guests)
            {
                if (guest.Loop.HasEvents || guest.Loop.HasWork || guest.Loop._stopRequested)
                {
                    return true;
                }
            }
        }

        return false;
    }
}
