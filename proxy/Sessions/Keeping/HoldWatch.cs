using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Notices that this process was held (SIGSTOP, a suspended machine) for so long that another node may have taken a session
/// over unanswered: what the directory granted before is asked for again before anything leaves by it. One per loop; its
/// thread only.
/// </summary>
/// <remarks>
/// A timer beats while anything is asked of the directory. In the turn after a hold the clock has moved and the beat has not
/// come yet, for a turn does its timers last; from then on the time of that beat stands for the hold.
/// </remarks>
internal sealed class HoldWatch(Loop loop) : LoopTimer
{
    /// <summary>How long it goes on beating after the last question.</summary>
    private const int WatchMs = 10_000;

    private long _beat;
    private long _held = long.MinValue;
    private long _untilMs;

    /// <summary>
    /// From which hold on an answer is not relied on: less than other nodes wait for an answer before they take a session.
    /// What is to be sent by it waits no longer either, for the two together must be less than that.
    /// </summary>
    public int LimitMs
    {
        get => loop.PermissionMs;
        set => loop.PermissionMs = value;
    }

    /// <summary>Something is asked now. Returns the time to be given to <see cref="WasHeldSince"/>.</summary>
    public long Begin()
    {
        long now = loop.Time.GetTimestamp();
        _untilMs = loop.NowMs + WatchMs;
        if (!IsScheduled)
        {
            _beat = now;
            loop.Timers.Schedule(this, LimitMs / 4);
        }
        else if (IsLate)
        {
            // What is asked from now on is asked after the hold. Left to the beat, an answer that comes within this turn, as
            // that of a directory in memory does, would be distrusted and asked for again without end.
            _held = now;
            _beat = now;
        }

        return now;
    }

    /// <summary>Whether the process was held since then.</summary>
    public bool WasHeldSince(long asked) => asked < _held || IsLate;

    // By the clock itself: the time of the turn is older when the process was held within it.
    private bool IsLate => loop.Time.GetElapsedTime(_beat).TotalMilliseconds > LimitMs;

    /// <inheritdoc/>
    protected override void OnDue()
    {
        long now = loop.Time.GetTimestamp();
        if (IsLate)
        {
            _held = now;
        }

        _beat = now;
        if (loop.NowMs < _untilMs)
        {
            loop.Timers.Schedule(this, LimitMs / 4);
        }
    }
}
