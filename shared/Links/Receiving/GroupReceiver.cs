using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// The node's side of one group's subscriptions, on one loop: which filters the loops want, on which receive link each
/// stands, and the way of every message to the loops. No other loop touches it; they send <see cref="FilterRequest"/>s.
/// </summary>
/// <remarks>Files: GroupReceiver (what the loops ask), GroupReceiver.Dispatch (what the broker sends).</remarks>
internal sealed partial class GroupReceiver
{
    private readonly ItemTable<TopicFilterText, UpstreamFilter, UpstreamFilter.ByText> _filters = new();
    private readonly ItemTable<uint, UpstreamFilter, UpstreamFilter.ByIdentifier> _byIdentifier = new();
    private readonly List<ReceiveLink> _links = [];
    private readonly LoopOutbox?[] _outboxes;
    private readonly LoopRouter _homeRouter;
    private readonly SessionContext _context;
    private readonly LinkCounters _counters;
    private readonly ReplayLink? _replay;
    private readonly LogTail? _tail;
    private readonly LoopRouter[] _routers;
    private uint _lastIdentifier;
    private bool _isStarted;

    public GroupReceiver(LinkGroup group, LoopRouter[] routers)
    {
        Group = group;
        _homeRouter = routers[group.Index % routers.Length];
        _context = _homeRouter.Context;
        _counters = _homeRouter.Counters;
        _outboxes = new LoopOutbox?[routers.Length];
        foreach (LoopRouter router in routers)
        {
            if (!ReferenceEquals(router, _homeRouter))
            {
                _outboxes[router.Loop.Index] = new LoopOutbox(this, router, group.Node.Options.HandOverMessages);
            }
        }

        _routers = routers;
        _tail = group.Endpoint.Log is { } log ? new LogTail(this, log, _context.Loop, _counters) : null;
        _replay = group.IsForeign ? new ReplayLink(this, _context, _counters) : null;
        AddLink();
        if (_replay is not null)
        {
            group.Add(_replay);
        }
    }

    public LinkGroup Group { get; }

    public Loop Loop => _context.Loop;

    /// <summary>The position up to which everything was dispatched.</summary>
    public LogPosition Dispatched { get; private set; }

    public IEnumerable<UpstreamFilter> Filters => _filters.Items;

    public bool IsHome(int loop) => loop == Loop.Index;

    public void Start()
    {
        _isStarted = true;
        foreach (ReceiveLink link in _links)
        {
            link.Start();
        }

        _replay?.Start();
        _tail?.Start();
    }

    public void Stop()
    {
        _isStarted = false;
        foreach (ReceiveLink link in _links)
        {
            link.Stop();
        }

        _replay?.Stop();
        _tail?.Stop();
    }

    /// <summary>Nothing up to here is to come any more, also for loops that had no message.</summary>
    public void Advance(LogPosition position)
    {
        if (position <= Dispatched)
        {
            return;
        }

        Dispatched = position;
        _homeRouter.Advance(Group.Index, position);
        TellLoops();
    }

    /// <summary>Whether a loop holds subscriptions that are fed from the log beside the broker.</summary>
    public bool IsLogWanted => Array.Exists(_routers, router => router.IsFedByLog);

    /// <summary>Every loop learns how far everything was dispatched.</summary>
    public void TellLoops()
    {
        foreach (LoopOutbox? outbox in _outboxes)
        {
            outbox?.Advance();
        }
    }

    /// <summary>Reads the log beside the broker.</summary>
    public void AskLog(LogRequest request) => _tail!.Ask(request);

    /// <summary>Takes a read of the log.</summary>
    public void Take(LogRequest request) => _links[0].Ask(request);

    /// <summary>Takes what a loop asks.</summary>
    public void Take(FilterRequest request)
    {
        switch (request.Kind)
        {
            case RequestKind.Subscribe:
                Subscribe(request);
                break;
            case RequestKind.Page:
                Wait(FindOrAdd(request), request);
                break;
            case RequestKind.Members:
                if (_filters.Find(request.Text) is { } shared)
                {
                    (shared.Members ??= new int[_outboxes.Length])[request.Loop] = request.Count;
                }

                break;
            default:
                Release(request);
                break;
        }
    }

    /// <summary>The broker answered an upstream SUBSCRIBE.</summary>
    public void OnSubscribed(UpstreamFilter filter, ReasonCode reason, LogPosition position)
    {
        if (filter.State == UpstreamState.Gone)
        {
            return;
        }

        bool failed = ReasonCodes.IsError(reason);
        filter.State = failed ? UpstreamState.Refused : UpstreamState.Live;
        if (failed)
        {
            _counters.Add(LinkCounter.UpstreamRefused);
            LinksLog.UpstreamRefused(Group.Log, Group.Endpoint.Name, reason.ToString());
        }

        List<FilterRequest>? waiters = filter.Waiters;
        for (int i = 0; i < (waiters?.Count ?? 0); i++)
        {
            FilterRequest request = waiters![i];
            if (failed || Group.IsForeign || !request.WantsRetained)
            {
                waiters.RemoveAt(i--);
                request.Reason = failed ? reason : ReasonCode.Success;
                request.Start = position;
                Activate(request);
            }
        }

        filter.DropEmptyWaiters();
    }

    /// <summary>A page of retained messages came for a request.</summary>
    public void OnPage(FilterRequest request, LogPosition asOf)
    {
        request.Start = asOf;
        request.Filter?.Waiters?.Remove(request);
        request.Filter?.DropEmptyWaiters();
        Answer(request);
    }

    /// <summary>Sends a request, answered, back to its loop, behind the messages that came before.</summary>
    public void Answer(LoopRequest request)
    {
        if (IsHome(request.Loop))
        {
            request.OnAnswer(_homeRouter);
        }
        else
        {
            _outboxes[request.Loop]!.Add(request);
        }
    }

    private void Subscribe(FilterRequest request)
    {
        UpstreamFilter filter = FindOrAdd(request);
        filter.Loops |= 1UL << request.Loop;
        if (filter.State == UpstreamState.Live && (Group.IsForeign || !request.WantsRetained))
        {
            request.Start = Dispatched;
            Activate(request);
            return;
        }

        Wait(filter, request);
    }

    private void Activate(FilterRequest request)
    {
        if (request.IsFedByLog && request.Reason == ReasonCode.Success)
        {
            _tail!.Ask(request);
            return;
        }

        Activated(request);
    }

    /// <summary>The filter is live, and its start is known; retained messages follow.</summary>
    public void Activated(FilterRequest request)
    {
        if (request.WantsRetained && request.Reason == ReasonCode.Success && _replay is not null)
        {
            request.IsReplayed = true;
            Answer(request);
            _replay.Ask(request);
            return;
        }

        Answer(request);
    }

    private static void Wait(UpstreamFilter filter, FilterRequest request)
    {
        (filter.Waiters ??= []).Add(request);
        if (filter.State == UpstreamState.Refused)
        {
            filter.State = UpstreamState.Queued;
            filter.Link!.Enqueue(filter);
        }

        if (request.WantsRetained && filter.State is UpstreamState.Subscribing or UpstreamState.Live)
        {
            filter.Link!.Ask(request);
        }
    }

    private UpstreamFilter FindOrAdd(FilterRequest request)
    {
        UpstreamFilter? filter = _filters.Find(request.Text);
        if (filter is null)
        {
            filter = new UpstreamFilter(request.Text, NextIdentifier(), _outboxes.Length) { Link = LinkWithRoom() };
            _filters.Add(filter);
            _byIdentifier.Add(filter);
            _counters.Add(LinkCounter.UpstreamFilters);
            filter.Link.Adopt(filter);
        }

        request.Filter = filter;
        return filter;
    }

    private void Release(FilterRequest request)
    {
        if (_filters.Find(request.Text) is not { } filter)
        {
            return;
        }

        filter.Loops &= ~(1UL << request.Loop);
        if (filter.Members is not null)
        {
            filter.Members[request.Loop] = 0;
        }

        if (filter.Loops == 0)
        {
            _filters.Remove(request.Text);
            _byIdentifier.Remove(filter.Identifier);
            _counters.Add(LinkCounter.UpstreamFilters, -1);
            filter.Link!.Unsubscribe(filter);
        }
    }

    /// <summary>Subscription identifiers end at 268,435,455; a node that gets there goes round and passes over those in use.</summary>
    private uint NextIdentifier()
    {
        do
        {
            _lastIdentifier = _lastIdentifier >= VariableByteInteger.MaxValue ? 1 : _lastIdentifier + 1;
        }
        while (_byIdentifier.Find(_lastIdentifier) is not null);

        return _lastIdentifier;
    }

    private ReceiveLink LinkWithRoom()
    {
        int maximum = Group.IsForeign ? Group.Endpoint.MaximumFiltersPerLink : int.MaxValue;
        foreach (ReceiveLink link in _links)
        {
            if (link.FilterCount < maximum)
            {
                return link;
            }
        }

        return AddLink();
    }

    private ReceiveLink AddLink()
    {
        ReceiveLink link = Group.IsForeign
            ? new ForeignReceiveLink(this, _context, _counters, _links.Count)
            : new TrunklineReceiveLink(this, _context, _counters);
        _links.Add(link);
        Group.Add(link);
        if (_isStarted)
        {
            link.Start();
        }

        return link;
    }
}
