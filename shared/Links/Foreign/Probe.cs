using System.Text;
using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Finds out by behaviour whether a foreign broker can serve as a group: what CONNACK claims is not enough. Two
/// connections, one step after the other; each step ends when its marker, published last, has come to both. Passed, it
/// calls back; failed, the group is refused with a sentence; a broker that does not answer at all is tried again.
/// Loop thread only; it is its own timer.
/// </summary>
internal sealed partial class Probe : LoopTimer, ILinkOwner
{
    private const int OrderMessages = 16;
    private const int MinimumReceiveMaximum = 16;
    private const int RetryMs = 1_000;

    private readonly LinkGroup _group;
    private readonly Loop _loop;
    private readonly Action _passed;
    private readonly string _root;
    private readonly List<Seen>[] _seen = [[], []];
    private readonly bool[] _ended = new bool[2];
    private LinkConnection? _first;
    private LinkConnection? _second;
    private int _awaited;
    private Step _step;
    private ushort _lastPacketId;
    private ReasonCode _refusedSubscribe;
    private bool _isOver;

    public Probe(LinkGroup group, Loop loop, Action passed)
    {
        _group = group;
        _loop = loop;
        _passed = passed;
        _root = $"trunkline/probe/{group.Node.NodeId}-{group.Index}";
    }

    private enum Step
    {
        Connect,
        Order,
        Shared,
        Retained,
        Cleared,
    }

    /// <summary>A message that came in a step.</summary>
    private sealed record Seen(string Topic, string Payload, QoS QoS, bool Retain, uint Identifier, bool HasUserProperty);

    public void Begin()
    {
        _step = Step.Connect;
        _awaited = 0;
        _lastPacketId = 0;
        Clear();
        _first = Dial(0);
        _second = Dial(1);
        _loop.Timers.Schedule(this, _group.Node.Options.ProbeTimeoutMs);
    }

    public void Stop()
    {
        _isOver = true;
        _loop.Timers.Cancel(this);
        Leave();
    }

    /// <inheritdoc/>
    public string? OnOpened(LinkConnection connection, LinkPeer peer)
    {
        if (_group.Judge(peer) is { } wrong)
        {
            Refuse(wrong);
            return null;
        }

        Subscribe(connection, Topic("end/+"), 1);
        if (JudgeClaims(peer) is { } sentence)
        {
            Refuse(sentence);
        }

        return null;
    }

    /// <inheritdoc/>
    public string? OnPacket(LinkConnection connection, in Frame frame)
    {
        switch (frame.Type)
        {
            case PacketType.Publish:
                if (!PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out ProtocolError error))
                {
                    return error.Message;
                }

                OnPublish(connection, packet);
                return null;
            case PacketType.SubAck:
                if (SubAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out SubAckPacket answer, out _) && ReasonCodes.IsError(answer.ReasonCodes[0]))
                {
                    _refusedSubscribe = answer.ReasonCodes[0];
                }

                OnSubscribed();
                return null;
            case PacketType.PubAck:
                if (PubAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out PubAckPacket ack, out _) && ReasonCodes.IsError(ack.ReasonCode))
                {
                    Refuse(Failure($"it refuses a publish to {_root}/... with {ack.ReasonCode}", "let the links' user publish and subscribe everything"));
                }

                return null;
            default:
                return null;
        }
    }

    /// <inheritdoc/>
    public void OnWritable(LinkConnection connection)
    {
    }

    /// <inheritdoc/>
    public void OnClosed(LinkConnection connection, string reason)
    {
        if (_isOver || (!ReferenceEquals(connection, _first) && !ReferenceEquals(connection, _second)))
        {
            return;
        }

        if (_step != Step.Connect)
        {
            Refuse(Failure($"it closed the connection in the step \"{_step}\": {reason}", "look into its log"));
            return;
        }

        if (reason.Contains("UnsupportedProtocolVersion", StringComparison.Ordinal) || reason.Contains("not one of MQTT 5", StringComparison.Ordinal))
        {
            Refuse(Failure("it does not speak MQTT 5", "use a broker that does"));
            return;
        }

        // Away, or busy: links would try again, too.
        LinksLog.ConnectFailed(_group.Log, _group.Endpoint.Name, "probe", reason, default);
        Retry();
    }

    /// <inheritdoc/>
    protected override void OnDue()
    {
        if (_isOver)
        {
            return;
        }

        if (_first is null || _step == Step.Connect)
        {
            Begin();
            return;
        }

        Refuse(Missing());
    }

    private void OnSubscribed()
    {
        if (--_awaited > 0 || _isOver)
        {
            return;
        }

        if (_step != Step.Connect)
        {
            PublishStep();
        }
        else if (_first is { IsOpen: true } && _second is { IsOpen: true })
        {
            Enter(Step.Order);
        }
    }

    private LinkConnection Dial(int number)
    {
        GroupEndpoint endpoint = _group.Endpoint;
        var connection = new LinkConnection(
            _loop,
            endpoint.Connector,
            new LinkIdentity(
                Encoding.UTF8.GetBytes($"tl-{_group.Node.NodeId}-x{_group.Index}-{number}"),
                endpoint.UserName is null ? null : Encoding.UTF8.GetBytes(endpoint.UserName),
                endpoint.Password is null ? null : Encoding.UTF8.GetBytes(endpoint.Password),
                "v1"u8.ToArray()),
            _group.Node.Options,
            this);
        connection.Dial();
        return connection;
    }

    private void Retry()
    {
        Leave();
        _loop.Timers.Schedule(this, RetryMs);
    }

    private void Leave()
    {
        LinkConnection? first = _first;
        LinkConnection? second = _second;
        _first = null;
        _second = null;
        first?.Leave();
        second?.Leave();
    }

    private void Refuse(string sentence)
    {
        if (!_isOver)
        {
            Stop();
            _group.Refuse(sentence);
        }
    }

    private void Pass()
    {
        Stop();
        LinksLog.ProbePassed(_group.Log, _group.Endpoint.Name);
        _passed();
    }

    private string Failure(string what, string remedy) =>
        $"The broker at {_group.Endpoint.Connector.Address} cannot serve as group {_group.Endpoint.Name}: {what}; {remedy} (docs/BROKERS.md).";

    private void Clear()
    {
        foreach (List<Seen> seen in _seen)
        {
            seen.Clear();
        }

        _ended[0] = false;
        _ended[1] = false;
    }

    private byte[] Topic(string rest) => Encoding.ASCII.GetBytes($"{_root}/{rest}");
}
