using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links;

internal sealed partial class LoopRouter
{
    private readonly ItemTable<TopicFilterText, LocalFilter, LocalFilter.ByText> _filters = new();
    private readonly Queue<LocalFilter> _lingering = new();
    private int _fedByLog;

    /// <summary>Whether subscriptions here are fed by the logs beside foreign brokers. Any thread.</summary>
    public bool IsFedByLog => Volatile.Read(ref _fedByLog) > 0;

    /// <summary>Only with foreign groups: to find all filters a copy for one of them belongs to.</summary>
    private readonly FilterIndex<LocalFilter>? _topicIndex;

    /// <inheritdoc/>
    public void Subscribe(SubscribeOperation operation)
    {
        var pending = new PendingSubscribe(this, operation);
        foreach (SubscribeItem item in operation.Items)
        {
            if (item.IsRefused || item.Subscription is not { } subscription)
            {
                continue;
            }

            ReadOnlySpan<byte> filter = subscription.Filter.Filter;
            if (ControlTopics.IsTrunkline(filter) || (ControlTopics.IsSys(filter) && subscription.Filter.IsShared))
            {
                Counters.Add(LinkCounter.RefusedReserved);
                item.Reason = ReasonCode.NotAuthorized;
            }
            else if (ControlTopics.IsSys(filter))
            {
                _sys.Add(subscription, item.WantsRetained);
            }
            else
            {
                Begin(item, subscription, pending);
            }
        }

        pending.Seal();
        _sys.DeliverFirst();
    }

    /// <inheritdoc/>
    public void Unsubscribe(SubscribeOperation operation)
    {
        foreach (SubscribeItem item in operation.Items)
        {
            if (item.Subscription is { } subscription)
            {
                Remove(subscription);
            }
        }

        operation.Complete();
    }

    /// <summary>Takes a subscription out: nothing is delivered by it from now on; upstream follows after the linger.</summary>
    public void Remove(LiveSubscription live)
    {
        if (live.IsRemoved)
        {
            return;
        }

        DropReplay(live);
        LocalFilter filter = live.Filter;
        filter.Remove(live);
        Volatile.Write(ref _fedByLog, _fedByLog - (live.IsFedByLog ? 1 : 0));
        live.Subscription.RouterState = null;
        if (filter.IsShared)
        {
            (live.Subscription.Session.RouterState as List<LiveSubscription>)?.Remove(live);
            ReportMembers(filter);
        }

        if (filter.Count == 0)
        {
            filter.EmptySinceMs = (uint)Loop.NowMs;
            Linger(filter);
        }
    }

    private void Remove(SessionSubscription subscription)
    {
        if (subscription.RouterState is LiveSubscription live)
        {
            Remove(live);
        }
        else
        {
            _sys.Remove(subscription);
        }
    }

    private void Begin(SubscribeItem item, SessionSubscription subscription, PendingSubscribe pending)
    {
        if (subscription.RouterState is not LiveSubscription live)
        {
            LocalFilter filter = FindOrAdd(subscription.Filter);
            live = new LiveSubscription(subscription, filter, filter.Groups.Length == 1 ? filter.Groups[0] : -1, MustBeFedByLog(subscription));
            filter.Add(live);
            Volatile.Write(ref _fedByLog, _fedByLog + (live.IsFedByLog ? 1 : 0));
            subscription.RouterState = live;
            if (filter.IsShared)
            {
                ((List<LiveSubscription>)(subscription.Session.RouterState ??= new List<LiveSubscription>())).Add(live);
            }
        }

        PendingItem pendingItem = pending.Add(item, live);
        foreach (int group in live.Filter.Groups)
        {
            if (pending.IsRestore && CanReadBacklog(group) && !live.Filter.IsShared)
            {
                // It reads the log from where it once began; live messages are the session's matter.
                live.Activate(group, subscription.StoredStartOf(group), _groups.Length);
                subscription.Session.AwaitStart(group);
                pending.Await(pendingItem);
                Ask(group, live, pendingItem, item.WantsRetained);
            }
            else if (item.WantsRetained || !live.IsLiveAt(group))
            {
                pending.Await(pendingItem);
                Ask(group, live, pendingItem, item.WantsRetained);
            }
        }
    }

    private void Ask(int group, LiveSubscription live, PendingItem? item, bool wantsRetained)
    {
        live.RetainedLeft += wantsRetained ? 1 : 0;
        new FilterRequest(_receivers[group], RequestKind.Subscribe, Loop.Index, live.Filter.Text)
        {
            Live = live,
            Item = item,
            WantsRetained = wantsRetained,
            IsFedByLog = live.IsFedByLog && _groups[group].Endpoint.Log is not null,
            IsLasting = live.Filter.IsShared && live.Subscription.Session.ExpirySeconds > 0,
        }.Send();
    }

    /// <summary>
    /// Sessions that outlive their connection; and one that did when it subscribed its other filters. A shared
    /// subscription is the broker's own, live.
    /// </summary>
    private bool MustBeFedByLog(SessionSubscription subscription) =>
        _hasForeignLogs && !subscription.Filter.IsShared
        && (subscription.Session.ExpirySeconds > 0
            || (subscription.Session.Attachment > 1
                && subscription.Session.Subscriptions.Any(other => other.RouterState is LiveSubscription { IsFedByLog: true })));

    private LocalFilter FindOrAdd(TopicFilterText text)
    {
        LocalFilter? filter = _filters.Find(text);
        if (filter is null)
        {
            filter = new LocalFilter(text, GroupsOf(text));
            _filters.Add(filter);
            if (!filter.IsShared)
            {
                _topicIndex?.Add(text, filter);
            }
        }

        return filter;
    }

    private int[] GroupsOf(TopicFilterText text) =>
        _slots.TryGroupOfFilter(text.Filter, _node.KeyLevels, out int group) ? _oneGroup[group] : _allGroups;

    private void ReportMembers(LocalFilter filter)
    {
        (int connected, int capacity) = filter.ConnectedMembers();
        foreach (int group in filter.Groups)
        {
            new FilterRequest(_receivers[group], RequestKind.Members, Loop.Index, filter.Text) { Count = connected, Capacity = capacity }.Send();
        }
    }

    private void Linger(LocalFilter filter)
    {
        if (!filter.IsLingering)
        {
            filter.IsLingering = true;
            _lingering.Enqueue(filter);
        }

        if (!_lingerTimer.IsScheduled)
        {
            Loop.Timers.Schedule(_lingerTimer, Options.LingerMs);
        }
    }

    private void EndLinger()
    {
        long now = Loop.NowMs;
        int count = _lingering.Count;
        for (int i = 0; i < count; i++)
        {
            LocalFilter filter = _lingering.Peek();
            long left = Options.LingerMs - (int)((uint)now - filter.EmptySinceMs);
            if (filter.Count == 0 && left > 0 && i == 0)
            {
                // The queue is nearly in the order of time; a filter that came back and left again may wait a little longer.
                Loop.Timers.Schedule(_lingerTimer, left);
                return;
            }

            _lingering.Dequeue();
            if (filter.Count == 0 && left > 0)
            {
                _lingering.Enqueue(filter);
                continue;
            }

            filter.IsLingering = false;
            if (filter.Count == 0)
            {
                Release(filter);
            }
        }

        if (_lingering.Count > 0)
        {
            Loop.Timers.Schedule(_lingerTimer, Options.LingerMs);
        }
    }

    private void Release(LocalFilter filter)
    {
        filter.IsReleased = true;
        _filters.Remove(filter.Text);
        _topicIndex?.Remove(filter.Text.Filter, filter);
        foreach (int group in filter.Groups)
        {
            new FilterRequest(_receivers[group], RequestKind.Release, Loop.Index, filter.Text).Send();
        }
    }

    private sealed class LingerTimer(LoopRouter router) : LoopTimer
    {
        protected override void OnDue() => router.EndLinger();
    }
}
