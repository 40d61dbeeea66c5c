using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Session
{
    /// <summary>
    /// Incoming QoS 2 exchanges that wait for PUBREL, by packet identifier; null while there are none.
    /// </summary>
    private Dictionary<ushort, InboundExchange>? _inbound;

    /// <summary>One incoming QoS 2 message between PUBLISH and PUBREL.</summary>
    /// <param name="IsSafe">The router has it: PUBREC was sent or may be sent.</param>
    /// <param name="AskedBy">The attachment that sent the PUBLISH last and so waits for the PUBREC.</param>
    private readonly record struct InboundExchange(bool IsSafe, int AskedBy)
    {
        /// <summary>Written ahead: the identity under which the message is appended.</summary>
        public MessageId Id { get; init; }

        /// <summary>
        /// It began on another node or run, and whether its message ever got into the log is not known here; or its message was
        /// refused and comes again. A repeat is forwarded.
        /// </summary>
        public bool IsRestored { get; init; }

        /// <summary>PUBREL came; PUBCOMP waits until the entry is gone.</summary>
        public bool IsEnding { get; init; }
    }

    /// <summary>What an incoming QoS 2 PUBLISH is to this session.</summary>
    internal enum InboundKind
    {
        /// <summary>New: forward it.</summary>
        New,

        /// <summary>A repeat of one that is safe: answer PUBREC again, do not forward [MQTT-4.3.3-10].</summary>
        RepeatSafe,

        /// <summary>A repeat of one that is still on its way: PUBREC follows when it is safe.</summary>
        RepeatUnderWay,

        /// <summary>A repeat of one that began on another node: forward it under its first identity, which the log takes once.</summary>
        RepeatElsewhere,
    }

    /// <summary>Incoming QoS 2 messages between PUBLISH and PUBREL.</summary>
    public int InboundExchanges => _inbound?.Count ?? 0;

    /// <summary>Enters an incoming QoS 2 packet identifier before its message is forwarded [MQTT-4.3.3-10].</summary>
    /// <param name="packetId">The device's identifier.</param>
    /// <param name="countsAnew">Whether it takes a place in this connection's receive window that it did not have yet.</param>
    internal InboundKind BeginInbound(ushort packetId, out bool countsAnew)
    {
        _inbound ??= [];
        if (!_inbound.TryGetValue(packetId, out InboundExchange exchange))
        {
            _inbound.Add(packetId, new InboundExchange(false, Attachment));
            countsAnew = true;
            return InboundKind.New;
        }

        countsAnew = exchange.AskedBy != Attachment;
        _inbound[packetId] = exchange with { AskedBy = Attachment, IsRestored = false };
        if (exchange is { IsRestored: true, IsSafe: false })
        {
            return InboundKind.RepeatElsewhere;
        }

        return exchange.IsSafe ? InboundKind.RepeatSafe : InboundKind.RepeatUnderWay;
    }

    /// <summary>The message was refused at once: the identifier is free again [MQTT-4.3.3-9].</summary>
    internal void AbandonInbound(ushort packetId) => _inbound?.Remove(packetId);

    /// <summary>Whether an exchange stands in the session's record, so that its end has to be written.</summary>
    internal bool IsEntryKept(ushort packetId) =>
        _context.Keeper is not null && _inbound is not null && _inbound.TryGetValue(packetId, out InboundExchange exchange) && !exchange.Id.IsNone;

    /// <summary>PUBREL: the identifier is free again [MQTT-4.3.3-11] [MQTT-4.3.3-12]. Returns false when it was not in use.</summary>
    internal bool EndInbound(ushort packetId, out bool wasCounted)
    {
        wasCounted = false;
        if (_inbound is null || !_inbound.TryGetValue(packetId, out InboundExchange exchange)
            || !(exchange.IsSafe || exchange.IsRestored))
        {
            return false;
        }

        wasCounted = exchange.AskedBy == Attachment && !exchange.IsEnding;
        if (IsEntryKept(packetId))
        {
            _inbound[packetId] = exchange with { IsEnding = true };
        }
        else
        {
            _inbound.Remove(packetId);
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Repeats(int attachment, ushort packetId, QoS qos) =>
        Channel is not { Version: ProtocolVersion.Mqtt50 }
        || (qos == QoS.ExactlyOnce && _inbound is not null && _inbound.TryGetValue(packetId, out InboundExchange exchange)
            ? exchange.AskedBy
            : attachment) != Attachment;

    /// <inheritdoc/>
    public void CompletePublish(int attachment, ushort packetId, QoS qos, ReasonCode reason)
    {
        if (IsEnded)
        {
            return;
        }

        if (qos == QoS.AtLeastOnce)
        {
            // A PUBACK answers a packet of its own connection; on a later one the identifier may mean another message.
            if (attachment == Attachment)
            {
                Channel?.CompleteQoS1(packetId, reason);
            }

            return;
        }

        if (_inbound is null || !_inbound.TryGetValue(packetId, out InboundExchange exchange))
        {
            return;
        }

        if (ReasonCodes.IsError(reason) && IsEntryKept(packetId))
        {
            // What a device may not publish is acknowledged and dropped at 3.x: it does not come again.
            if (Repeats(attachment, packetId, qos) && reason is not (ReasonCode.NotAuthorized or ReasonCode.TopicNameInvalid))
            {
                AwaitRepeat(attachment, packetId, reason);
            }
            else
            {
                EndEntryRefused(attachment, packetId, reason);
            }

            return;
        }

        if (ReasonCodes.IsError(reason))
        {
            _inbound.Remove(packetId);
        }
        else
        {
            _inbound[packetId] = exchange with { IsSafe = true };
        }

        if (exchange.AskedBy == Attachment)
        {
            Channel?.CompleteQoS2(packetId, reason, attachment == Attachment);
        }
    }
}
