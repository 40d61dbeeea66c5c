using System.Buffers;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>
/// Fetches the retained messages of a foreign broker for new subscribers, on a clean connection of its own. Several
/// filters are fetched in one round. Loop thread only.
/// </summary>
/// <remarks>
/// <code>
///   -> SUBSCRIBE filter, identifier k, Retain Handling 0     (one each)
///   -> PUBLISH QoS 1 to the marker topic, which is subscribed since CONNECT
///   &lt;- PUBLISH RETAIN 1, identifier k                         (retained messages)
///   &lt;- PUBLISH marker                                         (the end: everything before it was sent)
///   -> UNSUBSCRIBE each
/// </code>
/// A connection lost in a round repeats that round: a retained message may then be seen twice. Pages that sessions have not
/// taken are counted; above <c>Links:ReplayHeldBytes</c> the connection is not read until half of them are taken.
/// </remarks>
internal sealed class ReplayLink : Link
{
    private const int RoundFilters = 64;

    private readonly GroupReceiver _receiver;
    private readonly byte[] _marker;
    private readonly Queue<Replay> _waiting = new();
    private readonly Dictionary<TopicFilterText, Replay> _joinable = [];
    private readonly Dictionary<uint, Replay> _round = [];
    private uint _lastIdentifier;
    private uint _roundNumber;
    private ushort _lastPacketId;
    private long _heldBytes;
    private volatile bool _isHeldUp;

    public ReplayLink(GroupReceiver receiver, SessionContext context, LinkCounters counters)
        : base(receiver.Group, context, counters, LinkKind.Replay, $"tl-{receiver.Group.Node.NodeId}-y{receiver.Group.Index}", 2000 + receiver.Group.Index)
    {
        _receiver = receiver;
        _marker = Encoding.ASCII.GetBytes($"trunkline/marker/{receiver.Group.Node.NodeId}-{receiver.Group.Index}");
    }

    public override LinkStatus Status => new(Name, Kind, IsOpen, _waiting.Count + _round.Count, 0, 0, 0, "", Connects);

    protected override string Announcement => "v1";

    /// <summary>Whether it is not read because of what sessions have not taken. Any thread.</summary>
    public bool IsHeldUp => _isHeldUp;

    /// <summary>So many bytes of pages were taken.</summary>
    public void GiveBack(int bytes)
    {
        _heldBytes -= bytes;
        if (_isHeldUp && _heldBytes <= Options.ReplayHeldBytes / 2)
        {
            _isHeldUp = false;
            Connection?.ResumeReading();
        }
    }

    /// <summary>Fetches for a subscription that is live already; its pages follow as answers.</summary>
    public void Ask(FilterRequest request)
    {
        if (!_joinable.TryGetValue(request.Text, out Replay? replay))
        {
            replay = new Replay(request.Text);
            _joinable.Add(request.Text, replay);
            _waiting.Enqueue(replay);
        }

        replay.Requests.Add(request);
        BeginRound();
    }

    public override void OnWritable(LinkConnection connection) => BeginRound();

    public override string? OnPacket(LinkConnection connection, in Frame frame)
    {
        switch (frame.Type)
        {
            case PacketType.Publish:
                if (!PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out ProtocolError error))
                {
                    return error.Message;
                }

                OnPublish(packet, frame);
                return null;
            case PacketType.SubAck or PacketType.UnsubAck or PacketType.PubAck:
                return null;
            default:
                return $"The broker sent {frame.Type} on a replay link.";
        }
    }

    protected override void OnOpen(LinkConnection connection, LinkPeer peer)
    {
        PacketWriter.WriteSubscribe(
            connection.Output, ProtocolVersion.Mqtt50, NextPacketId(), _marker, SubscriptionOptions.Create(QoS.AtLeastOnce));
        if (_round.Count > 0)
        {
            SendRound();
        }

        BeginRound();
    }

    protected override void OnLost()
    {
        _isHeldUp = false;
        foreach (Replay replay in _round.Values)
        {
            replay.Page.ResetWrittenCount();
        }
    }

    private void OnPublish(in PublishPacket packet, in Frame frame)
    {
        if (packet.QoS != QoS.AtMostOnce)
        {
            PacketWriter.WritePubAck(Connection!.Output, ProtocolVersion.Mqtt50, packet.PacketId);
        }

        if (packet.Topic.SequenceEqual(_marker))
        {
            if (packet.Payload.SequenceEqual(Encoding.ASCII.GetBytes(_roundNumber.ToString(System.Globalization.CultureInfo.InvariantCulture))))
            {
                EndRound();
            }

            return;
        }

        if (!packet.Retain)
        {
            return;
        }

        foreach (uint identifier in packet.Properties.SubscriptionIdentifiers)
        {
            if (_round.TryGetValue(identifier, out Replay? replay))
            {
                replay.Add(frame);
                if (replay.Page.WrittenCount >= Options.RetainedPageBytes)
                {
                    HandOver(replay, isLast: false);
                    PauseIfFull();
                }
            }
        }
    }

    /// <summary>Far fewer than 65,535 are under way at a time, so the next one is free.</summary>
    private ushort NextPacketId() => _lastPacketId = _lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastPacketId + 1);

    private void BeginRound()
    {
        if (!IsOpen || _round.Count > 0 || _waiting.Count == 0)
        {
            return;
        }

        while (_round.Count < RoundFilters && _waiting.TryDequeue(out Replay? replay))
        {
            _joinable.Remove(replay.Text);
            _lastIdentifier = _lastIdentifier >= VariableByteInteger.MaxValue ? 1 : _lastIdentifier + 1;
            _round.Add(_lastIdentifier, replay);
        }

        SendRound();
    }

    private void SendRound()
    {
        _roundNumber++;
        IBufferWriter<byte> output = Connection!.Output;
        foreach ((uint identifier, Replay replay) in _round)
        {
            PacketWriter.WriteSubscribe(
                output, ProtocolVersion.Mqtt50, NextPacketId(), replay.Text.Text, SubscriptionOptions.Create(QoS.AtLeastOnce), identifier);
        }

        var encoder = new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = _marker,
            Payload = Encoding.ASCII.GetBytes(_roundNumber.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            QoS = QoS.AtLeastOnce,
            PacketId = NextPacketId(),
        };
        encoder.Write(output);
    }

    private void EndRound()
    {
        foreach (Replay replay in _round.Values)
        {
            PacketWriter.WriteUnsubscribe(Connection!.Output, ProtocolVersion.Mqtt50, NextPacketId(), replay.Text.Text);
            HandOver(replay, isLast: true);
        }

        PauseIfFull();
        _round.Clear();
        BeginRound();
    }

    private void PauseIfFull()
    {
        if (!_isHeldUp && IsOpen && _heldBytes > Options.ReplayHeldBytes)
        {
            _isHeldUp = true;
            Counters.Add(LinkCounter.ReplaysPaused);
            Connection!.PauseReading();
        }
    }

    private void HandOver(Replay replay, bool isLast)
    {
        byte[]? page = replay.Page.WrittenCount > 0 ? replay.Page.WrittenSpan.ToArray() : null;
        replay.Page.ResetWrittenCount();
        foreach (FilterRequest request in replay.Requests)
        {
            bool isFirst = !request.HasPages;
            request.HasPages = true;
            _heldBytes += page?.Length ?? 0;
            _receiver.Answer(new FilterRequest(_receiver, RequestKind.Page, request.Loop, request.Text)
            {
                Live = request.Live,
                Item = request.Item,
                WantsRetained = true,
                Filter = request.Filter,
                Page = page,
                IsReplayed = true,
                IsFirst = isFirst,
                IsLast = isLast,
            });
        }
    }

    /// <summary>One filter that is being fetched, for all who asked before its round began.</summary>
    private sealed class Replay(TopicFilterText text)
    {
        public TopicFilterText Text { get; } = text;

        public List<FilterRequest> Requests { get; } = [];

        public ArrayBufferWriter<byte> Page { get; } = new();

        public void Add(in Frame frame)
        {
            Span<byte> header = stackalloc byte[5];
            header[0] = frame.FirstByte;
            int length = 1 + VariableByteInteger.Write(header[1..], (uint)frame.Body.Length);
            Page.Write(header[..length]);
            Page.Write(frame.Body);
        }
    }
}
