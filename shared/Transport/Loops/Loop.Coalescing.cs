namespace Trunkline.Transports;

/// <summary>Waiting a moment before events are looked for, where many come one by one (ADR 0018).</summary>
public abstract partial class Loop
{
    private readonly WakeUpCoalescer? _coalescer;
    private long _coalescedWaits;

    /// <summary>Waits that let events gather since it started; any thread.</summary>
    public long CoalescedWaits => Volatile.Read(ref _coalescedWaits);

    /// <summary>Sleeps, whatever events come meanwhile; a loop that cannot sleep so shortly returns at once.</summary>
    protected virtual void Sleep(int microseconds)
    {
    }

    // Before the loop says that it sleeps: who posts meanwhile does not wake it, and it finds the work when it looks.
    private void LetEventsGather()
    {
        if (_coalescer is not { IsWaiting: true } || HasWork || _fullTurns > 0 || _stopRequested)
        {
            return;
        }

        int wait = _coalescer.WaitUs(Options.Time.GetTimestamp());
        if (wait > 0)
        {
            _coalescedWaits++;
            Sleep(wait);
        }
    }
}
