using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// The node's side of one group's subscriptions, on one loop: which filters the loops want, on which receive link each
/// stands, and the way of every message to the loops. No other loop touches it; they send <see cref="FilterRequest"/>s.
/// </summary>
/// <remarks>Files: GroupReceiver (what the loops ask), GroupReceiver.Subscribe (filters that come and go), GroupReceiver.Dispatch (what the broker sends), GroupReceiver.Replay (what waits of replays); shares stand in ShareBook.</remarks>
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
    private readonly LogPages? _pages;
    private readonly LoopRouter[] _routers;
    private readonly Random _random;
    private LogPosition _told;
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
        if (group.Endpoint.Log is { } log)
        {
            _tail = new LogTail(this, log, _context.Loop, _counters);
            _pages = new LogPages(this, log, _context.Loop);
        }

        Shares = new ShareBook(this);
        _random = new Random(group.Index + group.Node.Options.Seed);
        _replay = group.IsForeign ? new ReplayLink(this, _context, _counters) : null;
        AddLink();
        if (_replay is not null)
        {
            group.Add(_replay);
        }
    }

    public LinkGroup Group { get; }

    /// <summary>What this node has of the group's shares.</summary>
    public ShareBook Shares { get; }

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
        DispatchedTo(position);
        if (Dispatched > _told)
        {
            // Though the messages themselves came as far: a loop that none of them was for knows of none.
            TellLoops();
        }
    }

    /// <summary>Whether a loop holds subscriptions that are fed from the log beside the broker.</summary>
    public bool IsLogWanted => Array.Exists(_routers, router => router.IsFedByLog);

    /// <summary>Every loop learns how far everything was dispatched.</summary>
    public void TellLoops()
    {
        _told = Dispatched;
        foreach (LoopOutbox? outbox in _outboxes)
        {
            outbox?.Advance();
        }
    }

    /// <summary>Whether the group's log is one beside its broker.</summary>
    public bool IsLogBeside => _pages is not null;

    /// <summary>Reads the log beside the broker.</summary>
    public void AskLog(LogRequest request) => _pages!.Ask(request);

    /// <summary>Entries of the log beside the broker could not be read and were passed over.</summary>
    public void ReportDamaged(int count, LogPosition upTo)
    {
        if (count > 0)
        {
            _counters.Add(LinkCounter.LogDamaged, count);
            LinksLog.LogDamaged(Group.Log, Group.Endpoint.Name, count, upTo.ToString());
        }
    }

    /// <summary>Takes a read of the log.</summary>
    public void Take(LogRequest request) => _links[0].Ask(request);

    /// <summary>The upstream filter of a text, or null.</summary>
    public UpstreamFilter? Find(TopicFilterText text) => _filters.Find(text);

    /// <summary>Reports on shares go out as the link takes them.</summary>
    public void PumpReports() => _links[0].PumpReports();

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
                if (_filters.Find(request.Text) is { Shared: { } shared } filter)
                {
                    shared.Set(request.Loop, request.Count, request.Capacity);
                    if (!Group.IsForeign)
                    {
                        Shares.NoteMembers(filter);
                    }
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
        if (!failed && filter is { IsLasting: true, IsLastingSent: false })
        {
            // It became lasting meanwhile: those who wait, wait until the broker knows.
            filter.State = UpstreamState.Queued;
            filter.Link!.Enqueue(filter);
            return;
        }

        filter.State = failed ? UpstreamState.Refused : UpstreamState.Live;
        filter.LiveAfter = position;
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
