using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Channel
{
    /// <summary>Seconds a message has left, rounded up; 0 once its lifetime is over [MQTT-3.3.2-5] [MQTT-3.3.2-6].</summary>
    private uint? RemainingSeconds(SharedMessage message) =>
        message.ExpiresAtMs == long.MaxValue
            ? null
            : (uint)long.Clamp((message.ExpiresAtMs - _context.Loop.NowMs + 999) / 1000, 0, uint.MaxValue);

    /// <summary>
    /// Whether a message that was not begun yet may go to this client: its lifetime is not over and its packet is not
    /// larger than the client takes [MQTT-3.1.2-24] [MQTT-3.1.2-25]. A refusal is counted.
    /// </summary>
    internal bool CanCarry(SharedMessage message, QoS qos, ReadOnlySpan<uint> identifiers)
    {
        uint? remaining = RemainingSeconds(message);
        if (remaining == 0)
        {
            _context.Counters.Add(SessionCounter.DroppedExpired);
            return false;
        }

        return Fits(message, qos, identifiers);
    }

    /// <summary>Whether the packet is no larger than the client takes [MQTT-3.1.2-24]; counted when it is.</summary>
    internal bool Fits(SharedMessage message, QoS qos, ReadOnlySpan<uint> identifiers)
    {
        if (_maximumPacketSize == 0)
        {
            return true;
        }

        PublishEncoder encoder = Encoder(message, qos, false, (ushort)(qos == QoS.AtMostOnce ? 0 : 1), false, identifiers);
        if (encoder.Measure() <= _maximumPacketSize)
        {
            return true;
        }

        _context.Counters.Add(SessionCounter.DroppedTooLarge);
        return false;
    }

    /// <summary>Writes a PUBLISH. At QoS 1 and 2 the caller has asked <see cref="CanCarry"/> before.</summary>
    internal void SendPublish(
        SharedMessage message,
        QoS qos,
        bool retain,
        ushort packetId,
        bool duplicate,
        ReadOnlySpan<uint> identifiers,
        EncodedShapes? shapes)
    {
        if (qos == QoS.AtMostOnce && (_maximumPacketSize != 0 || message.ExpiresAtMs != long.MaxValue)
            && !CanCarry(message, qos, identifiers))
        {
            return;
        }

        _context.Counters.Add(SessionCounter.SentQoS0 + (int)qos);
        if (shapes is not null && !duplicate && identifiers.IsEmpty && KnownAliases?.Outbound is null
            && message.ExpiresAtMs == long.MaxValue)
        {
            shapes.Write(_host.Output, _version, qos, retain, packetId);
            return;
        }

        PublishEncoder encoder = Encoder(message, qos, retain, packetId, duplicate, identifiers);
        if (KnownAliases?.Outbound is { } aliases && aliases.TryUse(message.Topic, HasRoomForAlias(ref encoder), out ushort alias, out bool isKnown))
        {
            encoder = encoder with { TopicAlias = alias, OmitTopic = isKnown };
        }

        encoder.Write(_host.Output);
    }

    /// <summary>
    /// Whether the packet stays within the client's maximum when an alias comes with its topic: three bytes, and up to one
    /// more for each of the two lengths before them [MQTT-3.1.2-24].
    /// </summary>
    private bool HasRoomForAlias(ref PublishEncoder encoder) =>
        _maximumPacketSize == 0 || encoder.Measure() + 5 <= _maximumPacketSize;

    internal void SendPubRel(ushort packetId, ReasonCode reason) =>
        PacketWriter.WritePubRel(_host.Output, _version, packetId, reason);

    /// <summary>The router has finished a SUBSCRIBE or UNSUBSCRIBE of this connection.</summary>
    internal void CompleteOperation(SubscribeOperation operation)
    {
        if (_state != State.Open)
        {
            return;
        }

        IReadOnlyList<SubscribeItem> items = operation.Items;
        Span<ReasonCode> codes = items.Count <= 256 ? stackalloc ReasonCode[items.Count] : new ReasonCode[items.Count];
        for (int i = 0; i < items.Count; i++)
        {
            codes[i] = Sayable(operation.IsUnsubscribe ? PacketType.UnsubAck : PacketType.SubAck, items[i].Reason);
            if (!operation.IsUnsubscribe && ReasonCodes.IsError(items[i].Reason))
            {
                _context.Counters.Add(SessionCounter.SubscriptionsRefused);
            }
        }

        // User properties only where they are wanted [MQTT-3.1.2-29]; the writer leaves them out where they do not fit.
        var properties = new UserPropertyList(_wantsProblemInformation ? operation.AnswerProperties : default);
        int written = operation.IsUnsubscribe
            ? PacketWriter.WriteUnsubAck(
                _host.Output,
                _version,
                new UnsubAckPacket { PacketId = operation.PacketId, ReasonCodes = codes, UserProperties = properties },
                _maximumPacketSize)
            : PacketWriter.WriteSubAck(
                _host.Output,
                _version,
                new SubAckPacket { PacketId = operation.PacketId, ReasonCodes = codes, UserProperties = properties },
                _maximumPacketSize);
        if (written == 0)
        {
            Disconnect(
                CloseCause.LimitExceeded,
                ReasonCode.ImplementationSpecificError,
                "The answer to all these filters is larger than the client's Maximum Packet Size [MQTT-3.1.2-24].");
            return;
        }

        if (Session!.OperationCount < _context.Options.MaximumWaitingOperations)
        {
            Unpause(Pauses.Operations);
        }
    }

    internal void SendPubComp(ushort packetId) =>
        PacketWriter.WritePubComp(_host.Output, _version, packetId, ReasonCode.Success);

    private void SendPubRec(ushort packetId, ReasonCode reason) =>
        PacketWriter.WritePubRec(_host.Output, _version, packetId, reason);

    private PublishEncoder Encoder(
        SharedMessage message, QoS qos, bool retain, ushort packetId, bool duplicate, ReadOnlySpan<uint> identifiers) => new()
        {
            Version = _version,
            Topic = message.Topic,
            Payload = message.Payload,
            ForwardableProperties = message.Properties,
            QoS = qos,
            Retain = retain,
            Duplicate = duplicate,
            PacketId = packetId,
            RemainingExpirySeconds = RemainingSeconds(message) is { } seconds ? uint.Max(1, seconds) : null,
            SubscriptionIdentifiers = identifiers,
        };
}
