using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// The publish link of one loop to one group. QoS 0 is written through and forgotten; QoS 1 and 2 travel at QoS 1 with a
/// number and are kept until PUBACK. After a loss everything not acknowledged is written again, in order, with the same
/// numbers, before anything new. Loop thread only.
/// </summary>
/// <remarks>Files: PublishLink.Take (from sessions), PublishLink.Send (to the broker), PublishLink.Away (limits in time), PublishLink.Log (a foreign group's log).</remarks>
internal sealed partial class PublishLink : Link
{
    /// <summary>Packet identifiers are consecutive from the head on; a broker that leaves the head open may not make them meet.</summary>
    private const int MaximumSpan = 60_000;

    private readonly KeptRing _ring = new();
    private readonly FrameStore _frames;
    private readonly List<Session> _paused = [];
    private readonly AwayTimer _awayTimer;
    private readonly bool _isForeign;
    private int _sent;
    private int _written;
    private int _unacknowledged;
    private ushort _headPacketId = 1;
    private ushort _nextPacketId = 1;
    private ulong _nextNumber = 1;
    private ulong _lastWrittenNumber;
    private int _receiveMaximum = ushort.MaxValue;
    private uint _maximumPacketSize;

    public PublishLink(LinkGroup group, SessionContext context, LinkCounters counters)
        : base(group, context, counters, LinkKind.Publish, $"tl-{group.Node.NodeId}-p{group.Index}-{context.Loop.Index}", context.Loop.Index + 1)
    {
        _frames = new FrameStore(context.Loop.Memory);
        _isForeign = group.IsForeign;
        _log = group.Endpoint.Log;
        _producer = $"{group.Node.NodeId}/{Number}";
        _awayTimer = new AwayTimer(this);
        _retryTimer = new RetryTimer(this);
    }

    /// <summary>Whether nothing waits for an acknowledgement.</summary>
    public bool IsIdle => _ring.Count == 0;

    /// <summary>Messages kept.</summary>
    public int Pending => _ring.Count;

    public override LinkStatus Status => new(Name, Kind, IsOpen, _ring.Count, _ring.Bytes, _unacknowledged, 0, "", Connects);

    protected override string Announcement => $"v1;kp;d{Group.Node.NodeId};l{Number};h{Group.HighestTerm}";

    public override string? OnPacket(LinkConnection connection, in Frame frame)
    {
        if (frame.Type != PacketType.PubAck)
        {
            return $"The broker sent {frame.Type} on a publish link.";
        }

        if (!PubAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out PubAckPacket packet, out ProtocolError error))
        {
            return error.Message;
        }

        return Acknowledge(packet.PacketId, packet.ReasonCode) ? null : $"The broker acknowledged packet {packet.PacketId}, which is not in flight.";
    }

    public override void OnWritable(LinkConnection connection)
    {
        Pump();
        ResumePublishers();
    }

    public override void Stop()
    {
        base.Stop();
        Loop.Timers.Cancel(_awayTimer);
        Loop.Timers.Cancel(_retryTimer);
        if (_ring.Count > 0)
        {
            LinksLog.StoppedUnacknowledged(Group.Log, _ring.Count, Group.Endpoint.Name);
        }
    }

    protected override void OnOpen(LinkConnection connection, LinkPeer peer)
    {
        _receiveMaximum = peer.ReceiveMaximum;
        _maximumPacketSize = peer.MaximumPacketSize;
        _headPacketId = 1;
        _nextPacketId = 1;
        Pump();
        OfferLater();
    }

    protected override void OnLost()
    {
        // What is done leaves; what is not is sent again from the head. Publishers must not wait for a group that is
        // away: they have other groups to talk to, and the limits say what happens to their messages.
        int left = _ring.RemoveDone(_sent);
        MoveMarks(_sent - left);
        _sent = 0;
        _unacknowledged = 0;
        ScheduleAway();
        ResumeAll();
    }

    private sealed class AwayTimer(PublishLink link) : LoopTimer
    {
        protected override void OnDue() => link.RefuseOverdue();
    }
}
