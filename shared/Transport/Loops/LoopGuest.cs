namespace Trunkline.Transports;

/// <summary>
/// The side of sharing that a loop has whose turns may run on the host's thread. It is the work by which the loop is lent;
/// touched by whoever runs the loop.
/// </summary>
internal sealed class LoopGuest : LoopWork, IDisposable
{
    // Much longer than the host's window: loops part at once and join at leisure, so that a load in waves does not flap.
    private const int WindowMs = 500;

    private readonly int _belowPercent;
    private readonly long _window;
    private readonly AutoResetEvent _back = new(false);
    private long _windowStart;
    private long _sleptBefore;
    private long _hostSleptBefore;

    public LoopGuest(Loop loop, Loop host, LoopHost hostSide, LoopSharingOptions options)
    {
        Loop = loop;
        Host = host;
        HostLoad = hostSide.Load;
        _belowPercent = options.BelowPercent;
        _window = WindowMs * loop.Time.TimestampFrequency / 1_000;
    }

    /// <summary>The loop that is lent.</summary>
    public Loop Loop { get; }

    /// <summary>Whose thread it is lent to.</summary>
    public Loop Host { get; }

    /// <summary>How busy the loop's own thread is.</summary>
    public ThreadLoad Load { get; } = new();

    /// <summary>When the host has to run a turn for its timers, in the loops' milliseconds.</summary>
    public long TimersDueMs { get; set; }

    /// <summary>Asks that the loop be lent, or given back, after this turn, whatever the load.</summary>
    public bool IsHandOverDue { get; set; }

    private ThreadLoad HostLoad { get; }

    /// <summary>The loop's own thread runs it from now on.</summary>
    public void BeginWindow(long now)
    {
        _windowStart = now;
        _sleptBefore = Load.SleptUntil(now);
        _hostSleptBefore = HostLoad.SleptUntil(now);
    }

    /// <summary>Whether in the window that ends now, if one does, both threads together had little to do.</summary>
    public bool HasLittleToDo(long now)
    {
        long window = now - _windowStart;
        if (window < _window)
        {
            return false;
        }

        int busy = ThreadLoad.BusyPercent(window, Load.SleptUntil(now) - _sleptBefore)
            + ThreadLoad.BusyPercent(window, HostLoad.SleptUntil(now) - _hostSleptBefore);
        BeginWindow(now);
        return busy * 4 < _belowPercent * 3;
    }

    /// <summary>On the loop's own thread: gives the loop to the host and returns when it is back.</summary>
    public void Lend()
    {
        Host.Post(this);
        _back.WaitOne();
    }

    /// <summary>Nobody else touches the loop any more: its own thread goes on.</summary>
    public void GiveBack() => _back.Set();

    /// <inheritdoc/>
    public void Dispose() => _back.Dispose();

    /// <inheritdoc/>
    protected override void Run() => Host.TakeGuest(this);

    /// <inheritdoc/>
    protected override void Dropped() => GiveBack();
}
