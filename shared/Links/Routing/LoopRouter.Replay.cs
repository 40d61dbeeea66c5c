using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <content>
/// Retained messages of foreign brokers: pages come as the replay connection brings them, and each waits until its session
/// has taken the one before. What waits is bounded by the receiver, which stops reading the replay connection
/// (<c>Links:ReplayHeldBytes</c>); a session that takes nothing while it holds others up is let go of after
/// <c>Links:ReplayStallMs</c>.
/// </content>
internal sealed partial class LoopRouter
{
    private readonly List<LiveSubscription> _replaying = [];

    /// <summary>A page of a replay has come; the first one, which is often the last, lets SUBACK go.</summary>
    private void OnReplayPage(FilterRequest page)
    {
        LiveSubscription live = page.Live!;
        if (live.IsRemoved || live.Guard is not { IsGivenUp: false } guard)
        {
            page.Receiver.GiveBackPage(page);
            EndReplay(live, page);
        }
        else
        {
            guard.Add(page, Loop.NowMs);
        }

        if (page is { IsFirst: true, Item.Operation.IsDone: false })
        {
            page.Item.Operation.Replayed();
        }

        ContinueReplay(live);
    }

    /// <summary>Delivers pages as far as the session has room; not before its SUBACK.</summary>
    public void ContinueReplay(LiveSubscription live)
    {
        while (live is { IsRemoved: false, Guard: { } guard } && guard.Next is { } page)
        {
            if (!MayTake(live, page))
            {
                ContinueLater(live);
                return;
            }

            guard.Take(Loop.NowMs);
            page.Receiver.GiveBackPage(page);
            DeliverPage(page);
        }
    }

    private static bool MayTake(LiveSubscription live, FilterRequest page) =>
        page.Item is not { Operation.IsAnswered: false } && HasRoom(live.Subscription.Session);

    private void ContinueLater(LiveSubscription live)
    {
        if (!live.Guard!.IsListed)
        {
            live.Guard.IsListed = true;
            _replaying.Add(live);
        }

        if (!_pageTimer.IsScheduled)
        {
            Loop.Timers.Schedule(_pageTimer, TimerWheel.SlotMs);
        }
    }

    private void ContinueReplays()
    {
        for (int i = _replaying.Count - 1; i >= 0; i--)
        {
            LiveSubscription live = _replaying[i];
            if (live is { IsRemoved: false, Guard: { IsGivenUp: false } guard } && guard.Next is { } page)
            {
                if (!MayTake(live, page))
                {
                    if (page.Receiver.IsReplayHeldUp && Loop.NowMs - guard.TakenMs >= Options.ReplayStallMs)
                    {
                        GiveUpReplay(live, page);
                    }

                    continue;
                }

                _replaying.RemoveAt(i);
                guard.IsListed = false;
                ContinueReplay(live);
            }
            else
            {
                _replaying.RemoveAt(i);
            }
        }
    }

    /// <summary>
    /// Others wait for this session: its connection is closed, and what waits for it is dropped. The record of a session
    /// that outlives its connection still says that retained messages are pending, so they are replayed when it is back.
    /// </summary>
    private void GiveUpReplay(LiveSubscription live, FilterRequest page)
    {
        Session session = live.Subscription.Session;
        Counters.Add(LinkCounter.ReplaysGivenUp);
        LinksLog.ReplayGivenUp(page.Receiver.Group.Log, session.ClientId, page.Receiver.Group.Endpoint.Name, Options.ReplayStallMs);
        live.Guard!.IsGivenUp = true;
        DropReplay(live);
        session.Channel?.Disconnect(
            CloseCause.LimitExceeded, ReasonCode.QuotaExceeded, "The device takes none of its retained messages, and others wait for theirs.");
    }

    /// <summary>What waits for a subscription goes.</summary>
    private static void DropReplay(LiveSubscription live)
    {
        while (live.Guard?.Next is { } page)
        {
            live.Guard.Take(0);
            page.Receiver.GiveBackPage(page);
            EndReplay(live, page);
        }
    }

    private static void EndReplay(LiveSubscription live, FilterRequest page)
    {
        if (page.IsLast && live.Guard is not null && --live.Guard.Replays == 0)
        {
            live.Guard = null;
        }
    }
}
