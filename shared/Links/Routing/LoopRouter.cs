using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Where the sessions of one loop hand their messages and subscriptions: its own publish links, and requests to the
/// receivers. Loop thread only.
/// </summary>
/// <remarks>
/// Files: LoopRouter (publishing, sessions), LoopRouter.Subscribe, LoopRouter.Dispatch (live messages),
/// LoopRouter.Retained, LoopRouter.Shares, LoopRouter.Slots. What sessions read from logs goes by <see cref="BacklogReader"/>.
/// </remarks>
internal sealed partial class LoopRouter : IMessageRouter
{
    private readonly NodeWiring _node;
    private readonly LinkGroup[] _groups;
    private readonly PublishLink[] _publishLinks;
    private readonly int[][] _oneGroup;
    private readonly SysTopics _sys;
    private readonly LingerTimer _lingerTimer;
    private readonly PageTimer _pageTimer;
    private readonly LogPosition[] _dispatched;
    private readonly bool _hasForeignLogs;
    private GroupReceiver[] _receivers = [];
    private BacklogReader[] _readers = [];
    private SlotMap _slots;
    private int[] _allGroups;

    public LoopRouter(NodeWiring node, SessionContext context, LinkGroup[] groups, SlotMap slots, Func<SysValues> sysValues)
    {
        _node = node;
        Context = context;
        _groups = groups;
        _slots = slots;
        _oneGroup = Array.ConvertAll(groups, group => new[] { group.Index });
        _allGroups = [.. Enumerable.Range(0, slots.GroupCount)];
        _publishLinks = Array.ConvertAll(groups, group => new PublishLink(group, context, Counters));
        foreach (PublishLink link in _publishLinks)
        {
            link.Group.Add(link);
        }

        _dispatched = new LogPosition[groups.Length];
        _reports = new ShareReport?[groups.Length];
        _random = new Random(context.Loop.Index + node.Options.Seed);
        _sys = new SysTopics(context, node.Options, sysValues);
        _lingerTimer = new LingerTimer(this);
        _pageTimer = new PageTimer(this);
        _hasForeignLogs = Array.Exists(groups, group => group.Endpoint.Log is not null);
        _topicIndex = node.HasForeign ? new FilterIndex<LocalFilter>() : null;
    }

    public SessionContext Context { get; }

    public Loop Loop => Context.Loop;

    public LinkOptions Options => _node.Options;

    public LinkCounters Counters { get; } = new();

    public IReadOnlyList<PublishLink> PublishLinks => _publishLinks;

    /// <summary>Set once while wiring: receivers need the routers and routers the receivers.</summary>
    public void Wire(GroupReceiver[] receivers)
    {
        _receivers = receivers;
        _readers = Array.ConvertAll(receivers, receiver => new BacklogReader(this, receiver));
    }

    /// <summary>Begins the publish link of a group.</summary>
    public void Start(int group)
    {
        _publishLinks[group].Start();
        _sys.Start();
    }

    public void Stop()
    {
        foreach (PublishLink link in _publishLinks)
        {
            link.Stop();
        }

        Array.ForEach(_readers, reader => reader.Stop());
        _sys.Stop();
        Loop.Timers.Cancel(_lingerTimer);
        Loop.Timers.Cancel(_pageTimer);
    }

    /// <summary>Whether nothing waits for an acknowledgement.</summary>
    public bool IsIdle => Array.TrueForAll(_publishLinks, link => link.IsIdle);

    /// <inheritdoc/>
    public int LogGroups => _groups.Length;

    /// <inheritdoc/>
    public bool CanReadBacklog(int group) => !_groups[group].IsForeign || _groups[group].Endpoint.Log is not null;

    /// <inheritdoc/>
    public LogPosition Dispatched(int group) => _dispatched[group];

    /// <inheritdoc/>
    public void ReadBacklog(BacklogRead read) => _readers[read.Group].Add(read);

    /// <inheritdoc/>
    public void SettleLater(Session session, int group) => _readers[group].SettleLater(session);

    /// <inheritdoc/>
    public bool AwaitsRetained(SessionSubscription subscription) =>
        subscription.RouterState is LiveSubscription { RetainedLeft: > 0 };

    /// <inheritdoc/>
    public IReadOnlyList<GroupPosition> StartsOf(SessionSubscription subscription)
    {
        if (subscription.RouterState is not LiveSubscription live || live.Filter.IsShared)
        {
            return subscription.StoredStarts ?? [];
        }

        var starts = new List<GroupPosition>(live.Filter.Groups.Length);
        foreach (int group in live.Filter.Groups)
        {
            if (CanReadBacklog(group) && live.TryGetStart(group, out LogPosition start) && !start.IsNone)
            {
                starts.Add(new GroupPosition(group, start));
            }
        }

        return starts;
    }

    /// <inheritdoc/>
    public void ReadMessages(MessageRead read) => MessageFetch.Begin(this, _receivers, read);

    /// <summary>Everything of a group up to this position was dispatched here; <see cref="LogPosition.None"/> says nothing.</summary>
    public void Advance(int group, LogPosition position)
    {
        if (position > _dispatched[group])
        {
            _dispatched[group] = position;
            _readers[group].OnAdvanced();
        }
    }

    /// <inheritdoc/>
    public PublishOutcome Publish(in PublishRequest request, PublishTicket ticket)
    {
        if (ControlTopics.IsReserved(request.Topic))
        {
            Counters.Add(LinkCounter.RefusedReserved);
            return new PublishOutcome(ReasonCode.NotAuthorized, false);
        }

        return _publishLinks[_slots.GroupOfTopic(request.Topic, _node.KeyLevels)].Publish(request, ticket);
    }

    /// <inheritdoc/>
    public PublishOutcome PublishPlain(KnownTopic topic, ReadOnlySpan<byte> payload, Session publisher)
    {
        if (topic.Route is not PublishLink link)
        {
            if (ControlTopics.IsReserved(topic.Name))
            {
                Counters.Add(LinkCounter.RefusedReserved);
                return new PublishOutcome(ReasonCode.NotAuthorized, false);
            }

            topic.Route = link = _publishLinks[_slots.GroupOfTopic(topic.Name, _node.KeyLevels)];
        }

        return link.PublishPlain(topic.Field, payload, publisher);
    }

    /// <inheritdoc/>
    public void Forget(Session session)
    {
        foreach (SessionSubscription subscription in session.Subscriptions)
        {
            Remove(subscription);
        }
    }

    /// <inheritdoc/>
    public void AttachmentChanged(Session session)
    {
        if (session.RouterState is not List<LiveSubscription> shared)
        {
            return;
        }

        foreach (LiveSubscription live in shared)
        {
            ReportMembers(live.Filter);
        }
    }
}
