namespace Trunkline.Loadtest;

/// <summary>Times of one storm: when which share of the clients stood again. Any loop.</summary>
internal sealed class StormClock(LoadClock clock)
{
    private const double LateShare = 0.99;

    private long _startNs;
    private long _standing;
    private long _back;
    private long _halfNs;
    private long _lateNs;
    private long _allNs;
    private volatile bool _isRunning;

    /// <summary>Whether clients that end are to come back at once.</summary>
    public bool IsRunning => _isRunning;

    /// <summary>Clients that stand again.</summary>
    public long Back => Volatile.Read(ref _back);

    /// <summary>When they were dropped.</summary>
    public long StartNs => Volatile.Read(ref _startNs);

    /// <summary>All are dropped now.</summary>
    public void Begin(long nowNs, long standing)
    {
        _startNs = nowNs;
        _standing = standing;
        _back = 0;
        _halfNs = _lateNs = _allNs = 0;
        _isRunning = true;
    }

    /// <summary>One stands again; returns the time it took in ns.</summary>
    public long OnBack()
    {
        long tookNs = clock.NowNs - StartNs;
        long back = Interlocked.Increment(ref _back);
        if (back == Math.Max(1, _standing / 2))
        {
            Volatile.Write(ref _halfNs, tookNs);
        }

        if (back == Math.Max(1, (long)Math.Ceiling(_standing * LateShare)))
        {
            Volatile.Write(ref _lateNs, tookNs);
        }

        if (back == _standing)
        {
            Volatile.Write(ref _allNs, tookNs);
        }

        return tookNs;
    }

    /// <summary>The round is over; null for a share that was not reached.</summary>
    public StormResult End()
    {
        _isRunning = false;
        return new StormResult(_standing, Back, InUs(ref _halfNs), InUs(ref _lateNs), InUs(ref _allNs));
    }

    private static double? InUs(ref long ns) => Volatile.Read(ref ns) is var value && value > 0 ? value / 1e3 : null;
}
