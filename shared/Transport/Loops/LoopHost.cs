namespace Trunkline.Transports;

/// <summary>The side of sharing that the loop has whose thread runs the turns: who its guests are, and whether it is too busy for them. Its loop only.</summary>
internal sealed class LoopHost
{
    // Long enough for a hundred messages at thin traffic, short enough that a burst soon has its second core.
    private const int WindowMs = 20;

    private readonly int _belowPercent;
    private readonly long _window;
    private long _windowStart;
    private long _sleptBefore;

    public LoopHost(LoopSharingOptions options, TimeProvider time)
    {
        _belowPercent = options.BelowPercent;
        _window = WindowMs * time.TimestampFrequency / 1_000;
    }

    /// <summary>How busy the thread is; guests read it from theirs.</summary>
    public ThreadLoad Load { get; } = new();

    /// <summary>Loops whose turns this thread runs.</summary>
    public List<LoopGuest> Guests { get; } = [];

    /// <summary>A guest came or went: what was before says nothing about now.</summary>
    public void BeginWindow(long now)
    {
        _windowStart = now;
        _sleptBefore = Load.SleptUntil(now);
    }

    /// <summary>Whether the window that ends now, if one does, was too busy.</summary>
    public bool IsTooBusy(long now)
    {
        if (now - _windowStart < _window)
        {
            return false;
        }

        int busy = ThreadLoad.BusyPercent(now - _windowStart, Load.SleptUntil(now) - _sleptBefore);
        BeginWindow(now);
        return busy > _belowPercent;
    }
}
