namespace Trunkline.Transports;

/// <summary>
/// How much of its time a loop's thread did not sleep. Written by that thread; others may read it, and find it wrong by one
/// sleep at most.
/// </summary>
internal sealed class ThreadLoad
{
    private long _slept;
    private long _asleepSince;

    /// <summary>The thread goes to sleep.</summary>
    public void FallAsleep(long now) => Volatile.Write(ref _asleepSince, now);

    /// <summary>The thread is awake; also without a sleep before.</summary>
    public void WakeUp(long now)
    {
        if (_asleepSince != 0)
        {
            Volatile.Write(ref _slept, _slept + Math.Max(0, now - _asleepSince));
            Volatile.Write(ref _asleepSince, 0);
        }
    }

    /// <summary>All the time slept until <paramref name="now"/>, in ticks of the clock.</summary>
    public long SleptUntil(long now)
    {
        long since = Volatile.Read(ref _asleepSince);
        return Volatile.Read(ref _slept) + (since == 0 ? 0 : Math.Max(0, now - since));
    }

    /// <summary>Percent of a window in which it was awake.</summary>
    public static int BusyPercent(long window, long slept) => (int)long.Clamp(100 - (slept * 100 / window), 0, 100);
}
