using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

public sealed partial class Channel
{
    private bool ReceivePublish(in Frame frame, out ProtocolError error)
    {
        if (TryReceivePlain(frame))
        {
            error = default;
            return true;
        }

        if (!PublishPacket.TryParse(frame, _version, PacketSender.Client, out PublishPacket packet, out error)
            || !CheckPublish(packet, out error))
        {
            return false;
        }

        if (!ResolveTopic(packet, out ReadOnlySpan<byte> topic, out error))
        {
            return RefuseTopic(packet, error);
        }

        switch (packet.QoS)
        {
            case QoS.AtMostOnce:
                _context.Counters.Add(SessionCounter.ReceivedQoS0);
                if (!packet.Topic.IsEmpty)
                {
                    _context.KnownTopic.Remember(frame.Body[..(sizeof(ushort) + packet.Topic.Length)]);
                }

                Forward(packet, topic);
                return true;
            case QoS.AtLeastOnce:
                return ReceiveQoS1(packet, topic, out error);
            default:
                return ReceiveQoS2(packet, topic, out error);
        }
    }

    private bool CheckPublish(in PublishPacket packet, out ProtocolError error)
    {
        error = default;
        if (packet.QoS > _context.Options.MaximumQoS)
        {
            error = ChannelErrors.QoSNotSupported;
        }
        else if (packet.Retain && !_context.Options.RetainAvailable)
        {
            error = ChannelErrors.RetainNotSupported;
        }
        else if (packet.Properties.HasResponseTopic
            && !TopicName.IsValid(packet.Properties.ResponseTopic, _context.Options.TopicLimits, out _))
        {
            error = ChannelErrors.ResponseTopicHasWildcard;
        }

        return error.Message is null;
    }

    /// <summary>The topic of a PUBLISH, by its name or by an alias of this connection [MQTT-3.3.2-8] to [MQTT-3.3.2-12].</summary>
    private bool ResolveTopic(in PublishPacket packet, out ReadOnlySpan<byte> topic, out ProtocolError error)
    {
        topic = packet.Topic;
        ushort alias = packet.Properties.TopicAlias;
        if (alias != 0)
        {
            if (alias > _context.Options.TopicAliasMaximum)
            {
                error = ChannelErrors.AliasTooHigh;
                return false;
            }

            if (topic.IsEmpty)
            {
                error = ChannelErrors.AliasUnknown;
                return KnownAliases?.Inbound is { } known && known.TryGet(alias, out topic);
            }
        }

        if (!TopicName.IsValid(topic, _context.Options.TopicLimits, out error))
        {
            return false;
        }

        if (alias != 0)
        {
            Aliases aliases = KnownAliases ?? new Aliases();
            _requestOrAliases = aliases;
            (aliases.Inbound ??= new InboundAliases()).Set(alias, topic);
        }

        return true;
    }

    /// <summary>
    /// A topic name beyond our own limits is refused alone where PUBACK or PUBREC can say so; everything else that is wrong
    /// with a topic ends the connection.
    /// </summary>
    private bool RefuseTopic(in PublishPacket packet, in ProtocolError error)
    {
        if (error.Code != ReasonCode.TopicNameInvalid || _version != ProtocolVersion.Mqtt50 || packet.QoS == QoS.AtMostOnce)
        {
            return false;
        }

        _context.Counters.Add(SessionCounter.PublishesRefused);
        if (packet.QoS == QoS.AtLeastOnce)
        {
            PacketWriter.WritePubAck(_host.Output, _version, packet.PacketId, error.Code);
        }
        else
        {
            SendPubRec(packet.PacketId, error.Code);
        }

        return true;
    }

    private bool ReceiveQoS1(in PublishPacket packet, ReadOnlySpan<byte> topic, out ProtocolError error)
    {
        if (!TakeWindow(out error))
        {
            return false;
        }

        _context.Counters.Add(SessionCounter.ReceivedQoS1);
        _inboundAtRouter++;
        ReasonCode refusal = Forward(packet, topic);
        if (refusal != ReasonCode.Success)
        {
            CompleteQoS1(packet.PacketId, refusal);
        }

        return true;
    }

    private bool ReceiveQoS2(in PublishPacket packet, ReadOnlySpan<byte> topic, out ProtocolError error)
    {
        error = default;
        Session.InboundKind kind = Session!.BeginInbound(packet.PacketId, out bool countsAnew);
        if (kind == Session.InboundKind.New && Session.InboundExchanges > _context.Options.MaximumIncomingExchanges)
        {
            Session.AbandonInbound(packet.PacketId);
            error = ChannelErrors.TooManyExchanges;
            return false;
        }

        if (countsAnew && !TakeWindow(out error))
        {
            if (kind == Session.InboundKind.New)
            {
                Session.AbandonInbound(packet.PacketId);
            }

            return false;
        }

        switch (kind)
        {
            case Session.InboundKind.RepeatSafe:
                SendPubRec(packet.PacketId, ReasonCode.Success);
                return true;
            case Session.InboundKind.RepeatUnderWay:
                return true;
        }

        _context.Counters.Add(SessionCounter.ReceivedQoS2);
        _inboundAtRouter++;
        if (kind == Session.InboundKind.New && Session.IsKept)
        {
            Session.BeginEntry(packet, topic);
            PauseAtWindow();
            return true;
        }

        ReasonCode refusal = Forward(packet, topic);
        if (refusal != ReasonCode.Success && Session.IsEntryKept(packet.PacketId))
        {
            Session.CompletePublish(Session.Attachment, packet.PacketId, QoS.ExactlyOnce, refusal);
        }
        else if (refusal != ReasonCode.Success)
        {
            Session.AbandonInbound(packet.PacketId);
            CompleteQoS2(packet.PacketId, refusal, isOfThisConnection: true);
        }

        return true;
    }

    /// <summary>
    /// Takes a place in the receive window. A 5.0 client that passes the announced maximum is disconnected
    /// [MQTT-3.3.4-7]; a 3.x client knows of none, so we stop reading instead while the router works.
    /// </summary>
    private bool TakeWindow(out ProtocolError error)
    {
        error = default;
        _inboundUnfinished++;
        if (_version == ProtocolVersion.Mqtt50 && _inboundUnfinished > _receiveMaximum)
        {
            error = ChannelErrors.ReceiveMaximumExceeded;
            return false;
        }

        return true;
    }

    private ReasonCode Forward(in PublishPacket packet, ReadOnlySpan<byte> topic)
    {
        PublishOutcome outcome = _context.Router.Publish(
            new PublishRequest
            {
                Topic = topic,
                Payload = packet.Payload,
                Properties = packet.Properties,
                QoS = packet.QoS,
                Retain = packet.Retain,
                MessageExpirySeconds = packet.Properties.MessageExpiryInterval,
                Origin = Session!.OriginIfNeeded,
                Publisher = Session,
                Id = packet.QoS == QoS.ExactlyOnce ? Session.EntryId(packet.PacketId) : default,
            },
            packet.QoS == QoS.AtMostOnce
                ? PublishTicket.None
                : new PublishTicket(Session, Session.Attachment, packet.PacketId, packet.QoS));
        return Forwarded(outcome);
    }

    /// <summary>What follows from the router's first answer to a message.</summary>
    private ReasonCode Forwarded(PublishOutcome outcome)
    {
        if (outcome.SlowDown)
        {
            Pause(Pauses.Router);
        }

        PauseAtWindow();
        if (ReasonCodes.IsError(outcome.Reason))
        {
            _context.Counters.Add(SessionCounter.PublishesRefused);
            return outcome.Reason;
        }

        return ReasonCode.Success;
    }

    private void PauseAtWindow()
    {
        if (_version != ProtocolVersion.Mqtt50 && _inboundAtRouter >= _receiveMaximum)
        {
            Pause(Pauses.Window);
        }
    }

    /// <summary>The router has answered a QoS 1 message of this connection.</summary>
    internal void CompleteQoS1(ushort packetId, ReasonCode reason)
    {
        if (_state != State.Open)
        {
            return;
        }

        _inboundUnfinished--;
        LeaveRouter();
        if (MayAnswer(ref reason))
        {
            PacketWriter.WritePubAck(_host.Output, _version, packetId, Sayable(PacketType.PubAck, reason));
        }
    }

    /// <summary>The router has answered a QoS 2 message this connection waits for.</summary>
    internal void CompleteQoS2(ushort packetId, ReasonCode reason, bool isOfThisConnection)
    {
        if (_state != State.Open)
        {
            return;
        }

        if (isOfThisConnection)
        {
            LeaveRouter();
        }

        if (ReasonCodes.IsError(reason))
        {
            _inboundUnfinished--;
        }

        if (MayAnswer(ref reason))
        {
            SendPubRec(packetId, Sayable(PacketType.PubRec, reason));
        }
    }

    private bool ReceivePubRel(in Frame frame, out ProtocolError error)
    {
        if (!PubRelPacket.TryParse(frame, _version, out PubRelPacket packet, out error))
        {
            return false;
        }

        bool known = Session!.EndInbound(packet.PacketId, out bool wasCounted);
        CountUnknown(known);
        if (wasCounted)
        {
            _inboundUnfinished--;
        }

        if (known && Session.IsEntryKept(packet.PacketId))
        {
            Session.EndEntry(packet.PacketId);
            return true;
        }

        PacketWriter.WritePubComp(
            _host.Output, _version, packet.PacketId, known ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound);
        return true;
    }

    private void LeaveRouter()
    {
        _inboundAtRouter--;
        if ((_pauses & Pauses.Window) != 0 && _inboundAtRouter < _receiveMaximum)
        {
            Unpause(Pauses.Window);
        }
    }

    /// <summary>
    /// 5.0 says a refusal by its code. 3.x cannot: what the device may not publish is acknowledged and dropped
    /// [MQTT-3.3.5-2] (3.1.1); what could not be kept must not be acknowledged, so the connection closes.
    /// </summary>
    private bool MayAnswer(ref ReasonCode reason)
    {
        if (_version == ProtocolVersion.Mqtt50 || !ReasonCodes.IsError(reason))
        {
            return true;
        }

        if (reason is ReasonCode.NotAuthorized or ReasonCode.TopicNameInvalid)
        {
            reason = ReasonCode.Success;
            return true;
        }

        Disconnect(CloseCause.GroupAway, reason, "A message could not be kept and MQTT 3.x has no code to say so.");
        return false;
    }
}
