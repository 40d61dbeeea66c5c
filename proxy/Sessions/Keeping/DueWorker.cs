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
internal sealed class DueWorker : LoopTimer
{
    /// <summary>Items read at a time; a full answer is followed by the next reading at once.</summary>
    private const int MostItems = 64;

    /// <summary>The interval is cut into this many steps, each of which asks for its share of the buckets.</summary>
    private const int Steps = 10;

    private readonly IReadOnlyList<ConnectionGate> _gates;
    private readonly Func<string, ConnectionGate> _gateOf;
    private readonly IDirectory _directory;
    private readonly ILogger _logger;
    private readonly int _intervalMs;
    private readonly HashSet<(string ClientId, long Epoch, DueKind Kind)> _inHand = [];
    private readonly HashSet<int> _asked = [];
    private IReadOnlyList<NodeInfo> _nodes = [];
    private int[] _buckets = [];
    private int _next;
    private bool _isStopped;

    public DueWorker(
        IReadOnlyList<ConnectionGate> gates, Func<string, ConnectionGate> gateOf, IDirectory directory, int intervalMs, ILogger logger)
    {
        _gates = gates;
        _gateOf = gateOf;
        _directory = directory;
        _intervalMs = intervalMs;
        _logger = logger;
    }

    private Loop Loop => _gates[0].Loop;

    /// <summary>Begins. On the first loop.</summary>
    public void Start() => Loop.Timers.Schedule(this, _intervalMs / Steps);

    /// <summary>Ends. On the first loop.</summary>
    public void Stop()
    {
        _isStopped = true;
        Loop.Timers.Cancel(this);
    }

    /// <summary>Something of this client identifier is due now; any thread.</summary>
    public void Hurry(string clientId) => Loop.Post(() => Read(Bucket.Of(clientId)));

    /// <inheritdoc/>
    protected override void OnDue()
    {
        Share();
        int end = int.Min(_buckets.Length, _next + (_buckets.Length / Steps) + 1);
        for (; _next < end; _next++)
        {
            Read(_buckets[_next]);
        }

        if (_next == _buckets.Length)
        {
            _next = 0;
        }

        Loop.Timers.Schedule(this, _intervalMs / Steps);
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

        _directory.ReadDueAsync(bucket, MostItems).Then(
            (Worker: this, bucket),
            static (state, result) => state.Worker.Loop.Post(() => state.Worker.Due(state.bucket, result)));
    }

    private void Due(int bucket, DirectoryResult<IReadOnlyList<DueItem>> result)
    {
        _asked.Remove(bucket);
        if (!result.IsOk || _isStopped)
        {
            return;
        }

        bool isNew = false;
        foreach (DueItem item in result.Value)
        {
            if (_inHand.Add((item.ClientId, item.Epoch, item.Kind)))
            {
                isNew = true;
                Do(item);
            }
        }

        if (isNew && result.Value.Count >= MostItems)
        {
            Read(bucket);
        }
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
    }
}
