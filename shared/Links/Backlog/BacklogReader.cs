using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Reads one group's log for the sessions of one loop. Sessions that wait at nearly the same place share a page; few
/// pages are under way at a time, the session that waits longest names the place of the next one. Loop thread only.
/// </summary>
/// <remarks>
/// <code>
///   session has room ──ReadBacklog──► waiting (first come, first served)
///        ▲                               │ at the end of the turn, while fewer than Links:BacklogScans pages are under way
///        │                               ▼
///        │                            scan: the first one's place, everybody near it, the union of their filters
///        │                               │ receiver, link, broker, and back among the live messages
///     Complete ◄─── page delivered ◄─────┘ in slices of Links:BacklogDeliveriesPerTurn, so that live messages go between
/// </code>
/// Files: BacklogReader (who reads where), BacklogReader.Pages (what came), BacklogReader.Limits (what is too much).
/// </remarks>
internal sealed partial class BacklogReader : LoopWork, IEndOfTurn
{
    /// <summary>How many that wait are looked at for one page: enough to fill it where they stand together.</summary>
    private const int MaximumLooked = 16_384;

    /// <summary>How near two sessions must stand in a log beside a foreign broker, whose positions tell times, to share a page.</summary>
    private const ulong NearMs = 1_000;

    private readonly LoopRouter _router;
    private readonly GroupReceiver _receiver;
    private readonly RetryTimer _retry;
    private readonly Stack<LogScan> _free = new();
    private readonly List<BacklogRead> _waiting = [];
    private readonly List<Session> _ahead = [];
    private int _underWay;
    private bool _isListed;

    public BacklogReader(LoopRouter router, GroupReceiver receiver)
    {
        _router = router;
        _receiver = receiver;
        _retry = new RetryTimer(this);
    }

    private int Group => _receiver.Group.Index;

    /// <summary>Sessions that wait for a page to be asked.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Takes a read; its page is asked for at the end of the turn, together with others that come in it.</summary>
    public void Add(BacklogRead read)
    {
        if (!SkipToStart(read))
        {
            // Nothing it holds can be in this log.
            read.Complete(_router.Dispatched(Group));
            return;
        }

        _waiting.Add(read);
        PumpLater();
    }

    public void SettleLater(Session session) => _ahead.Add(session);

    /// <summary>Live messages have come further: sessions whose pages reached beyond them are settled where they met.</summary>
    public void OnAdvanced()
    {
        for (int i = _ahead.Count - 1; i >= 0; i--)
        {
            if (_ahead[i].SettleAhead(Group))
            {
                _ahead[i] = _ahead[^1];
                _ahead.RemoveAt(_ahead.Count - 1);
            }
        }
    }

    public void Stop() => _router.Loop.Timers.Cancel(_retry);

    /// <inheritdoc/>
    public void OnEndOfTurn()
    {
        _isListed = false;
        while (_waiting.Count > 0 && _underWay < _router.Options.BacklogScans)
        {
            LogScan scan = _free.TryPop(out LogScan? free) ? free : new LogScan(this, _receiver, _router.Loop.Index);
            if (!Gather(scan))
            {
                _free.Push(scan);
                return;
            }

            _underWay++;
            _router.Counters.Add(LinkCounter.BacklogScans);
            scan.Build(_router.Options.BacklogFilters, _router.Options.BacklogPageBytes, _router.Context.Options.BacklogAgeSeconds);
            scan.Send();
        }
    }

    private void PumpLater()
    {
        if (!_isListed && _underWay < _router.Options.BacklogScans && !_retry.IsScheduled)
        {
            _isListed = true;
            _router.Loop.AtEndOfTurn(this);
        }
    }

    /// <summary>Takes the first that waits and all near it, as far as one page serves them.</summary>
    private bool Gather(LogScan scan)
    {
        LinkOptions options = _router.Options;
        BacklogRead? first = null;
        int kept = 0;
        int i = 0;
        for (; i < _waiting.Count && i < MaximumLooked && scan.Readers.Count < options.BacklogSessionsPerScan; i++)
        {
            BacklogRead read = _waiting[i];
            if (read.IsOver)
            {
                continue;
            }

            if ((first is null || IsNear(first, read.After, options.BacklogNearMessages)) && HasRoomFor(scan, read.Session))
            {
                first ??= read;
                Join(scan, read);
            }
            else
            {
                _waiting[kept++] = read;
            }
        }

        _waiting.RemoveRange(kept, i - kept);
        return first is not null;
    }

    /// <summary>
    /// One that a page has passed without reaching names the place itself: nobody behind it may hold it up again.
    /// </summary>
    private bool IsNear(BacklogRead first, LogPosition after, int near)
    {
        LogPosition place = first.After;
        if (_receiver.Group.Endpoint.Log is not null)
        {
            // Terms of a log in Redis are milliseconds.
            return after.Term >= place.Term
                ? after.Term - place.Term <= NearMs
                : !first.WasPassedOver && place.Term - after.Term <= NearMs;
        }

        return after.Term == place.Term
            && (after.Offset >= place.Offset
                ? after.Offset - place.Offset <= (ulong)near
                : !first.WasPassedOver && place.Offset - after.Offset <= (ulong)near);
    }

    private bool HasRoomFor(LogScan scan, Session session) =>
        scan.FilterCount == 0 || scan.FilterCount + session.SubscriptionCount <= _router.Options.BacklogFilters;

    private void Join(LogScan scan, BacklogRead read)
    {
        foreach (SessionSubscription subscription in read.Session.Subscriptions)
        {
            if (subscription is { IsHeld: true, RouterState: LiveSubscription live } && !live.Filter.IsShared && live.IsLiveAt(Group))
            {
                scan.Add(live, read);
            }
        }

        scan.From = scan.Readers.Count == 0 || read.After < scan.From ? read.After : scan.From;
        scan.Readers.Add(read);
        read.Page = scan;
    }

    /// <summary>
    /// Moves a cursor over what lies before the start of every filter. Returns false when no filter of the session has
    /// anything in this log.
    /// </summary>
    private bool SkipToStart(BacklogRead read)
    {
        LogPosition? first = null;
        foreach (SessionSubscription subscription in read.Session.Subscriptions)
        {
            if (subscription.Options.QoS > Protocol.QoS.AtMostOnce && subscription.RouterState is LiveSubscription live
                && !live.Filter.IsShared && live.TryGetStart(Group, out LogPosition start) && !(start >= first))
            {
                first = start;
            }
        }

        if (first is { } skip)
        {
            read.SkipTo(skip);
        }

        return first is not null;
    }

    /// <summary>A broker that cannot serve a page now is asked again a little later.</summary>
    private sealed class RetryTimer(BacklogReader reader) : LoopTimer
    {
        protected override void OnDue() => reader.PumpLater();
    }
}
