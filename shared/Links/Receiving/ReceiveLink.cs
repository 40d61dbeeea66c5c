using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>
/// A connection that holds upstream subscriptions: one SUBSCRIBE packet per filter, for an identifier belongs to a packet,
/// pipelined within a window. Loop thread only.
/// </summary>
internal abstract class ReceiveLink : Link
{
    private readonly Queue<UpstreamFilter> _toSubscribe = new();
    private readonly Queue<UpstreamFilter> _toUnsubscribe = new();
    private readonly Dictionary<ushort, UpstreamFilter?> _underWay = [];
    private ushort _lastPacketId;

    protected ReceiveLink(GroupReceiver receiver, SessionContext context, LinkCounters counters, string name, int number)
        : base(receiver.Group, context, counters, LinkKind.Receive, name, number) => Receiver = receiver;

    /// <summary>Filters that have their place on this link.</summary>
    public int FilterCount { get; private set; }

    public override LinkStatus Status => new(Name, Kind, IsOpen, 0, 0, 0, FilterCount, Receiver.Dispatched.IsNone ? "" : Receiver.Dispatched.ToString(), Connects);

    protected GroupReceiver Receiver { get; }

    /// <summary>Gives a new filter its place on this link.</summary>
    public void Adopt(UpstreamFilter filter)
    {
        FilterCount++;
        Enqueue(filter);
    }

    /// <summary>Takes a filter that has to be subscribed.</summary>
    public void Enqueue(UpstreamFilter filter)
    {
        _toSubscribe.Enqueue(filter);
        PumpFilters();
    }

    /// <summary>No loop wants the filter any more.</summary>
    public void Unsubscribe(UpstreamFilter filter)
    {
        FilterCount--;
        bool wasSent = filter.State is UpstreamState.Subscribing or UpstreamState.Live;
        filter.State = UpstreamState.Gone;
        if (wasSent)
        {
            _toUnsubscribe.Enqueue(filter);
            PumpFilters();
        }
    }

    /// <summary>Asks for retained messages; behind the filter's SUBSCRIBE on the same connection.</summary>
    public abstract void Ask(FilterRequest request);

    /// <summary>Reads the group's log.</summary>
    public virtual void Ask(LogRequest request) =>
        throw new NotSupportedException("This group has no log that a link can read.");

    /// <summary>Sends what the group's shares are to be told.</summary>
    public virtual void PumpReports()
    {
        // On foreign brokers shared subscriptions are the broker's own.
    }

    public void ResumeReading() => Connection?.ResumeReading();

    public override void OnWritable(LinkConnection connection) => PumpFilters();

    public override string? OnPacket(LinkConnection connection, in Frame frame)
    {
        switch (frame.Type)
        {
            case PacketType.Publish:
                if (!PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out ProtocolError error))
                {
                    return error.Message;
                }

                OnPublish(packet);
                if (Receiver.MustPause())
                {
                    connection.PauseReading();
                }

                return null;
            case PacketType.SubAck:
                return OnSubAck(frame);
            case PacketType.UnsubAck:
                return OnUnsubAck(frame);
            default:
                return $"The broker sent {frame.Type} on a receive link.";
        }
    }

    protected abstract void OnPublish(in PublishPacket packet);

    /// <summary>A filter that the resume waited for is back, or was refused.</summary>
    protected virtual void OnAwaitedFilter()
    {
    }

    /// <summary>Puts every filter of this link in the queue again; returns how many.</summary>
    protected int RequeueAll()
    {
        _toSubscribe.Clear();
        _toUnsubscribe.Clear();
        int count = 0;
        foreach (UpstreamFilter filter in Receiver.Filters)
        {
            if (ReferenceEquals(filter.Link, this))
            {
                filter.State = UpstreamState.Queued;
                filter.IsAwaitedByResume = true;
                _toSubscribe.Enqueue(filter);
                count++;
            }
        }

        return count;
    }

    protected override void OnLost()
    {
        // A clean session: the broker has forgotten everything.
        _underWay.Clear();
    }

    /// <summary>Sends what the window and the transport allow.</summary>
    protected void PumpFilters()
    {
        while (IsOpen && _underWay.Count < Options.SubscribeWindow && !Connection!.IsCongested)
        {
            if (_toUnsubscribe.TryDequeue(out UpstreamFilter? gone))
            {
                ushort packetId = NextPacketId();
                _underWay.Add(packetId, null);
                PacketWriter.WriteUnsubscribe(Connection.Output, ProtocolVersion.Mqtt50, packetId, gone.Text.Text);
                Counters.Add(LinkCounter.UpstreamUnsubscribes);
            }
            else if (_toSubscribe.TryDequeue(out UpstreamFilter? filter))
            {
                Send(filter);
            }
            else
            {
                return;
            }
        }
    }

    private void Send(UpstreamFilter filter)
    {
        if (filter.State != UpstreamState.Queued)
        {
            // Gone while it waited; a resume that waits for it must not wait for ever.
            Settle(filter);
            return;
        }

        ushort packetId = NextPacketId();
        _underWay.Add(packetId, filter);
        filter.State = UpstreamState.Subscribing;
        bool isLasting = filter.IsLasting && !Receiver.Group.IsForeign;
        filter.IsLastingSent = filter.IsLasting;
        PacketWriter.WriteSubscribe(
            Connection!.Output,
            ProtocolVersion.Mqtt50,
            packetId,
            filter.Text.Text,
            SubscriptionOptions.Create(isLasting ? QoS.ExactlyOnce : QoS.AtLeastOnce, retainHandling: RetainHandling.DoNotSend),
            filter.Identifier);
        Counters.Add(LinkCounter.UpstreamSubscribes);
        for (int i = 0; i < (filter.Waiters?.Count ?? 0); i++)
        {
            if (filter.Waiters![i].WantsRetained)
            {
                Ask(filter.Waiters[i]);
            }
        }
    }

    private string? OnSubAck(in Frame frame)
    {
        if (!SubAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out SubAckPacket packet, out ProtocolError error))
        {
            return error.Message;
        }

        if (!_underWay.Remove(packet.PacketId, out UpstreamFilter? filter) || filter is null)
        {
            return "The broker sent a SUBACK that nothing asked for.";
        }

        LogPosition position = packet.UserProperties.TryFind(ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text)
            ? TrunklineFields.Parse(text).Position
            : LogPosition.None;
        Receiver.OnSubscribed(filter, packet.ReasonCodes[0], position);
        Settle(filter);
        PumpFilters();
        return null;
    }

    private string? OnUnsubAck(in Frame frame)
    {
        if (!UnsubAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out UnsubAckPacket packet, out ProtocolError error))
        {
            return error.Message;
        }

        _underWay.Remove(packet.PacketId);
        PumpFilters();
        return null;
    }

    private void Settle(UpstreamFilter filter)
    {
        if (filter.IsAwaitedByResume)
        {
            filter.IsAwaitedByResume = false;
            OnAwaitedFilter();
        }
    }

    private ushort NextPacketId()
    {
        do
        {
            _lastPacketId = _lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastPacketId + 1);
        }
        while (_underWay.ContainsKey(_lastPacketId));

        return _lastPacketId;
    }
}
