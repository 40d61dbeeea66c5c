namespace Trunkline.Transports;

/// <summary>A deadline on a loop's wheel: the node is the timer, so scheduling allocates nothing. Loop thread only.</summary>
public abstract class LoopTimer
{
    internal LoopTimer? Previous;
    internal LoopTimer? Next;
    /// <summary>In ticks of the wheel since it was made: enough for 8 years, and deadlines are at most days ahead.</summary>
    internal uint DueTick;

    /// <summary>Whether it waits on a wheel.</summary>
    public bool IsScheduled => Next is not null;

    /// <summary>Called once when due, never early, up to one wheel slot (64 ms) late; may schedule itself again.</summary>
    protected abstract void OnDue();

    internal void Fire() => OnDue();

    internal void Unlink()
    {
        Previous!.Next = Next;
        Next!.Previous = Previous;
        Previous = null;
        Next = null;
    }

    internal void LinkBefore(LoopTimer sentinel)
    {
        Previous = sentinel.Previous;
        Next = sentinel;
        sentinel.Previous!.Next = this;
        sentinel.Previous = this;
    }
}
