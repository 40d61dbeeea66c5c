using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Directory;
using Trunkline.Hosting.Devices;
using Trunkline.Links;
using Trunkline.Protocol;
using Trunkline.Proxy;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>
/// One run of a proxy process, wired as <see cref="ProxyNode"/> wires it, with one loop that the scheduler turns, a
/// connection to the directory that it serves, and no listeners.
/// </summary>
internal sealed class ModelNode
{
    private readonly ModelTier _tier;
    private readonly NodeTime _time;
    private readonly Dialler[] _diallers;
    private readonly LinkNode _links;
    private readonly CheckpointWriter _checkpoints;
    private readonly DueWorker _due;
    private readonly DirectoryEvents _events;
    private readonly SteppedDirectory _directory;
    private readonly ConnectionGate _gate;
    private readonly SessionContext _context;

    public ModelNode(ModelTier tier, Seat seat, int slot, ulong id)
    {
        _tier = tier;
        Seat = seat;
        Slot = slot;
        _time = new NodeTime(tier.Clock);
        seat.Loop = tier.NewLoop($"node-{slot}");
        seat.IsRunning = true;
        Loop loop = seat.Loop;
        var context = new SessionContext(loop, tier.Settings.Mqtt);
        _context = context;
        Store = new SteppedStore(tier.Clock, tier.Memory, tier.Tampering, tier.Watch, step => loop.Post(step), tier.Ledger.Story)
        {
            Buckets = tier.Buckets,
            Late = tier.Late,
            HasIdsComeRound = tier.Settings.Faults == Faults.IdsComeRound,
        };
        _directory = new SteppedDirectory(
            new NodeInfo(new NodeId(id), $"node-{slot}", "", "", "model"),
            tier.Settings.Directory,
            new DirectoryEnvironment(_time, NullLogger.Instance, tier.Meter, 1) { IsStepped = true },
            Store);
        _diallers = [.. tier.Groups.Select(group => new Dialler(group.Connector))];
        _links = new LinkNode(new LinkNodeSetup
        {
            Options = tier.Settings.Links,
            NodeId = _directory.Self.Id.ToString(),
            Contexts = [context],
            Groups = [.. _diallers.Select((dialler, group) => new GroupEndpoint { Name = $"group-{group}", Kind = GroupKind.Embedded, Connector = dialler })],
            Slots = SlotMap.Even(_diallers.Length),
        });
        var numbers = new AttachNumbers();
        tier.Tampering.LastNumbers[_directory.Self.Id] = () => numbers.Last;
        var gate = new ConnectionGate(
            context, _directory, numbers, new ConnectAdmission(loop, new AdmissionOptions(), 1), NullLogger.Instance, new LineBudgets())
        {
            WaitsForRecovery = tier.Without != Rule.ClaimsWaitForRecovery,
        };
        _gate = gate;
        IMessageRouter router = _links.RouterFor(0);
        context.Router = tier.Without is { } without ? new TamperedRouter(router, without) : router;
        tier.Tampering.Dispatched[_directory.Self.Id] = () => [.. Enumerable.Range(0, router.LogGroups).Select(router.Dispatched)];
        _checkpoints = new CheckpointWriter([gate], _directory, numbers, tier.Settings.CheckpointIntervalMs, NullLogger.Instance);
        _due = new DueWorker([gate], _ => gate, _directory, new NodeOptions { DueIntervalMs = 60_000 }, NullLogger.Instance);
        var review = new HeldReview(gate, _directory, NullLogger.Instance);
        gate.Keeper.Due = _due.Hurry;
        gate.Keeper.Doubted = () => review.Begin(HeldDoubt.Reconnected);
        _events = new DirectoryEvents(_ => gate, [review], _links.UpdateSlots, _ => IsDeclaredDead = tier.Without != Rule.DeadNodeClosesDevices, NullLogger.Instance)
        {
            NodeIsGone = _due.NodeIsGone,
        };
        Door.Target = new DeviceAcceptor(new DeviceServer([context], [gate]), 10_000);
        Devices = new MemoryConnector($"node-{slot}", () => loop, Door);
        Join();
    }

    public NodeId Id => _directory.Self.Id;

    public Seat Seat { get; }

    public int Slot { get; }

    public SteppedStore Store { get; }

    public Door Door { get; } = new();

    /// <summary>Where devices dial.</summary>
    public MemoryConnector Devices { get; }

    public bool IsServing { get; private set; }

    /// <summary>Whether it was told that it is dead: its process starts it anew.</summary>
    public bool IsDeclaredDead { get; private set; }

    /// <summary>Whether it was asked to stop.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Whether all is written that it was to write before it stops: it leaves the directory, and its process ends.</summary>
    public bool MayLeave => IsDraining && !Seat.HasWork && Store.Calls.Count == 0 && _gate.Keeper.Detaching == 0
        && _context.Registry.All.All(session => session.Claim is null);

    /// <summary>Whether it was killed.</summary>
    public bool IsGone { get; private set; }

    public bool IsFrozen => !Seat.IsRunning;

    /// <summary>What time has made due outside the loop: the lease, waits for answers.</summary>
    public void Fire()
    {
        if (!IsFrozen)
        {
            _time.Fire();
        }
    }

    /// <summary>As <see cref="ProxyNode"/> stops: every device is sent away, and when all their sessions are written it leaves.</summary>
    public void Drain()
    {
        IsServing = false;
        IsDraining = true;
        _context.Loop.Post(() =>
        {
            _gate.IsLeaving = true;
            _gate.Keeper.DrainWillWaitSeconds = 600;
            new Sender(_context).SendAway();
        });
    }

    /// <summary>Sessions take what is done for let go by their records, as if a checkpoint had passed everything: its identifiers are free.</summary>
    public void FreeIds()
    {
        LogPosition[] everything = [.. Enumerable.Repeat(new LogPosition(ulong.MaxValue, ulong.MaxValue), _diallers.Length)];
        foreach (Session session in _context.Registry.All.Where(session => !session.IsWriting).ToArray())
        {
            session.CheckpointWritten(everything);
        }
    }

    /// <summary>Out of the directory in order, then gone.</summary>
    public void Leave()
    {
        Store.Leave();
        Vanish(callsComeLate: false);
    }

    public void CutLink(int group) => _diallers[group].Cut();

    /// <summary>Killed: nothing of it runs any more, its connections are reset, its calls on their way may come late.</summary>
    public void Vanish(bool callsComeLate)
    {
        Door.Vanish();
        Array.ForEach(_diallers, dialler => dialler.Vanish());
        Store.End(callsComeLate);
        Seat.IsRunning = false;
        IsGone = true;
    }

    private void Join() =>
        _directory.JoinAsync(new TierShape(0, [.. _diallers.Select((_, group) => $"group-{group}")]), _events).Then(this, static (node, result) => node.Joined(result));

    private void Joined(DirectoryResult result)
    {
        if (!result.IsOk)
        {
            _time.CreateTimer(_ => Join(), null, TimeSpan.FromMilliseconds(250), Timeout.InfiniteTimeSpan);
            return;
        }

        _ = _links.StartAsync();
        _checkpoints.Start();
        _due.Start();
        IsServing = true;
    }

    /// <summary>Sends away who is connected, and who was let in by a CONNECT that was under way, for as long as the node runs.</summary>
    private sealed class Sender(SessionContext context) : LoopTimer
    {
        private const int IntervalMs = 50;

        public void SendAway()
        {
            foreach (Session session in context.Registry.All.ToArray())
            {
                session.Channel?.Disconnect(CloseCause.ServerShutdown, ReasonCode.ServerShuttingDown, null);
            }

            context.Loop.Timers.Schedule(this, IntervalMs);
        }

        protected override void OnDue() => SendAway();
    }
}
