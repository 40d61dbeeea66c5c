using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Does what is due of sessions that nobody holds: publishes wills, ends sessions that expired. The living nodes share the
/// buckets among them; where two do the same for a while, a will has one identity and the log takes it once. Runs on the
/// first loop.
/// </summary>
/// <remarks>
/// Looking costs a call per bucket, so it is slow by default: the node that saw a connection end looks by itself when its
/// will is due, and when a node is gone, whose wills nobody has in mind, all look often for a while.
/// </remarks>
internal sealed class DueWorker : LoopTimer
{
    /// <summary>Items read at a time; a full answer is followed by the next reading at once.</summary>
    private const int MostItems = 64;

    /// <summary>With every tick a share of the buckets is asked, and what was to be hurried.</summary>
    private const int TickMs = 100;

    /// <summary>How often each bucket is asked when a node is gone, and for how long.</summary>
    private const int HurriedIntervalMs = 1_000;
    private const int HurriedForMs = 15_000;

    private readonly IReadOnlyList<ConnectionGate> _gates;
    private readonly Func<string, ConnectionGate> _gateOf;
    private readonly IDirectory _directory;
    private readonly ILogger _logger;
    private readonly NodeOptions _options;
    private readonly HashSet<(string ClientId, long Epoch, DueKind Kind)> _inHand = [];
    private readonly HashSet<int> _asked = [];

    // Wills of a newer version, left to a proxy of that version, and how many of each bucket stand before what this one can do.
    private readonly HashSet<(string ClientId, long Epoch, DueKind Kind)> _newer = [];
    private readonly Dictionary<int, int> _newerOf = [];
    private IReadOnlyList<NodeInfo> _nodes = [];
    private int[] _buckets = [];
    private readonly PriorityQueue<string, long> _soon = new();
    private long _hurriedUntilMs;
    private int _next;
    private bool _isStopped;

    public DueWorker(
        IReadOnlyList<ConnectionGate> gates, Func<string, ConnectionGate> gateOf, IDirectory directory, NodeOptions options, ILogger logger)
    {
        _gates = gates;
        _gateOf = gateOf;
        _directory = directory;
        _options = options;
        _logger = logger;
    }

    private Loop Loop => _gates[0].Loop;

    /// <summary>Begins. On the first loop.</summary>
    public void Start() => Loop.Timers.Schedule(this, TickMs);

    /// <summary>Ends. On the first loop.</summary>
    public void Stop()
    {
        _isStopped = true;
        Loop.Timers.Cancel(this);
    }

    /// <summary>Something of this client identifier is due after so many milliseconds, 0 for now; any thread.</summary>
    public void Hurry(string clientId, long afterMs) => Loop.Post(() =>
    {
        if (afterMs == 0)
        {
            Read(Bucket.Of(clientId));
        }
        else if (_soon.Count < _options.MaximumDueInMind)
        {
            _soon.Enqueue(clientId, Loop.NowMs + afterMs);
        }
        else
        {
            // It stands in the directory: the next look after its time finds it.
            _gates[0].Keeper.Counters.Add(KeeperCounter.DueNotInMind);
        }
    });

    /// <summary>A node is gone: what was in its care falls due in the next seconds; any thread.</summary>
    public void NodeIsGone() => Loop.Post(() => _hurriedUntilMs = Loop.NowMs + HurriedForMs);

    /// <inheritdoc/>
    protected override void OnDue()
    {
        Share();
        long now = Loop.NowMs;
        while (_soon.TryPeek(out string? clientId, out long dueMs) && dueMs <= now)
        {
            _soon.Dequeue();
            Read(Bucket.Of(clientId));
        }

        int interval = now < _hurriedUntilMs ? int.Min(_options.DueIntervalMs, HurriedIntervalMs) : _options.DueIntervalMs;
        int end = int.Min(_buckets.Length, _next + (int)((long)_buckets.Length * TickMs / interval) + 1);
        for (; _next < end; _next++)
        {
            Read(_buckets[_next]);
        }

        if (_next == _buckets.Length)
        {
            _next = 0;
        }

        Loop.Timers.Schedule(this, TickMs);
    }

    /// <summary>This node's buckets: of all nodes, the one whose identity and bucket hash highest has it (rendezvous hashing).</summary>
    private void Share()
    {
        IReadOnlyList<NodeInfo> nodes = _directory.Nodes;
        if (ReferenceEquals(nodes, _nodes))
        {
            return;
        }

        _nodes = nodes;
        _next = 0;
        ulong self = _directory.Self.Id.Value;
        _buckets = [.. Enumerable.Range(0, Bucket.Count).Where(bucket =>
            nodes.All(node => node.Id.Value == self || Weight(node.Id.Value, bucket) < Weight(self, bucket)))];
    }

    private static ulong Weight(ulong node, int bucket)
    {
        ulong value = node ^ ((ulong)(bucket + 1) * 0x9E37_79B9_7F4A_7C15);
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }

    private void Read(int bucket)
    {
        if (_isStopped || _directory.Health.State == DirectoryState.Unavailable || !_asked.Add(bucket))
        {
            return;
        }

        int most = MostItems + _newerOf.GetValueOrDefault(bucket);
        _directory.ReadDueAsync(bucket, most).Then(
            (Worker: this, bucket, most),
            static (state, result) => state.Worker.Loop.Post(() => state.Worker.Due(state.bucket, state.most, result)));
    }

    private void Due(int bucket, int most, DirectoryResult<IReadOnlyList<DueItem>> result)
    {
        _asked.Remove(bucket);
        if (!result.IsOk || _isStopped)
        {
            return;
        }

        bool isNew = false;
        foreach (DueItem item in result.Value)
        {
            if (_newer.Contains((item.ClientId, item.Epoch, item.Kind)))
            {
                continue;
            }

            if (item.Kind == DueKind.Will && SessionStateCodec.IsNewer(item.Will))
            {
                isNew = true;
                LeaveAlone(bucket, item);
            }
            else if (_inHand.Add((item.ClientId, item.Epoch, item.Kind)))
            {
                isNew = true;
                Do(item);
            }
        }

        if (isNew && result.Value.Count >= most)
        {
            Read(bucket);
        }
    }

    /// <summary>Finished it would be gone, unpublished: a node of its version has it in mind, or finds it when this one has left.</summary>
    private void LeaveAlone(int bucket, DueItem item)
    {
        if (_newer.Count >= _options.MaximumNewerWills)
        {
            _gates[0].Keeper.Counters.Add(KeeperCounter.NewerForgotten, _newer.Count);
            _newer.Clear();
            _newerOf.Clear();
        }

        _newer.Add((item.ClientId, item.Epoch, item.Kind));
        _newerOf[bucket] = _newerOf.GetValueOrDefault(bucket) + 1;
        _gates[0].Keeper.Counters.Add(KeeperCounter.FieldsSetAside);
        KeeperLog.WillNewer(_logger, item.ClientId);
    }

    private void Do(DueItem item)
    {
        if (item.Kind == DueKind.Expiry)
        {
            Finish(item, expired: true);
            return;
        }

        if (SessionStateCodec.DecodeWill(item.Will) is not { } will)
        {
            _gates[0].Keeper.Counters.Add(KeeperCounter.FieldsSetAside);
            KeeperLog.WillUnreadable(_logger, item.ClientId);
            Finish(item);
            return;
        }

        ConnectionGate gate = _gateOf(item.ClientId);
        gate.Loop.Post(() => Publish(gate.Context, item, will));
    }

    /// <summary>On the loop of the client identifier.</summary>
    private void Publish(SessionContext context, DueItem item, Will will)
    {
        Session client = context.Registry.InNameOf(item.ClientId);
        QoS most = context.Options.MaximumQoS;
        QoS qos = will.QoS < most ? will.QoS : most;
        PublishOutcome outcome = context.Router.Publish(
            new PublishRequest
            {
                Topic = will.Topic,
                Payload = will.Payload,
                Forwardable = will.Properties,
                QoS = qos,
                Retain = will.Retain,
                MessageExpirySeconds = will.MessageExpirySeconds,
                Publisher = client,
                Id = MessageId.OfWill(client.Origin, item.Epoch),
            },
            qos == QoS.AtMostOnce ? PublishTicket.None : new PublishTicket(new Waiting(this, item), 0, 0, qos));
        context.Counters.Add(SessionCounter.WillsPublished);
        if (qos == QoS.AtMostOnce || ReasonCodes.IsError(outcome.Reason))
        {
            Published(item, outcome.Reason);
        }
    }

    private void Published(DueItem item, ReasonCode reason) => Loop.Post(() =>
    {
        if (reason is ReasonCode.QuotaExceeded)
        {
            // The group is away or full: the next reading brings it again.
            _inHand.Remove((item.ClientId, item.Epoch, item.Kind));
            return;
        }

        // A will that may not be published (a reserved topic) is over, too.
        Finish(item);
    });

    private void Finish(DueItem item, bool expired = false) =>
        _directory.FinishDueAsync(item).Then((Worker: this, item, expired), static (state, result) => state.Worker.Loop.Post(() =>
        {
            // Not finished: read again, done again, which is as if once.
            state.Worker._inHand.Remove((state.item.ClientId, state.item.Epoch, state.item.Kind));
            if (result.IsOk && state.expired)
            {
                state.Worker._gates[0].Context.Counters.Add(SessionCounter.SessionsExpired);
            }
        }));

    private sealed class Waiting(DueWorker worker, DueItem item) : IPublishOwner
    {
        public void CompletePublish(int attachment, ushort packetId, QoS qos, ReasonCode reason) => worker.Published(item, reason);

        /// <summary>It comes again by itself, and nothing comes behind it.</summary>
        public bool Repeats(int attachment, ushort packetId, QoS qos) => false;
    }
}
