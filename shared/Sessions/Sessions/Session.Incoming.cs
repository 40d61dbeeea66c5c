using System.Buffers;
using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <content>
/// Incoming QoS 2 by writing ahead: the packet identifier and the identity of the message are stored before the message is
/// forwarded, PUBREC leaves when it is in the log, and the entry is gone before PUBCOMP. Whoever gets the same PUBLISH again
/// appends it under the same identity, which the log takes once.
/// </content>
public sealed partial class Session
{
    private const int StackBytes = 512;

    /// <summary>Takes an incoming QoS 2 message that is new: it is copied, for its entry has to be stored first.</summary>
    internal void BeginEntry(in PublishPacket packet, ReadOnlySpan<byte> topic)
    {
        MessageId id = _context.Keeper!.NextMessageId();
        _inbound![packet.PacketId] = _inbound[packet.PacketId] with { Id = id };
        Journal.Set(SessionStateCodec.Encode(new IncomingState { PacketId = packet.PacketId, Id = id }));
        Await(new JournalWait(JournalStep.Forward, packet.PacketId, Attachment, Subject: Copy(packet, topic)));
    }

    /// <summary>The identity of an exchange that began on another connection or node.</summary>
    internal MessageId EntryId(ushort packetId) =>
        _inbound is not null && _inbound.TryGetValue(packetId, out InboundExchange exchange) ? exchange.Id : default;

    private SharedMessage Copy(in PublishPacket packet, ReadOnlySpan<byte> topic)
    {
        int length = ForwardableProperties.Measure(packet.Properties, strip: true);
        byte[]? rented = length > StackBytes ? ArrayPool<byte>.Shared.Rent(length) : null;
        Span<byte> properties = rented is null ? stackalloc byte[StackBytes] : rented;
        length = ForwardableProperties.Copy(packet.Properties, properties, strip: true);
        SharedMessage message = _context.Messages.Rent(new MessageContent
        {
            Topic = topic,
            Properties = properties[..length],
            Payload = packet.Payload,
            QoS = packet.QoS,
            Retain = packet.Retain,
            ExpiresAtMs = packet.Properties.MessageExpiryInterval is { } seconds ? _context.Loop.NowMs + (seconds * 1000L) : long.MaxValue,
            Origin = OriginIfNeeded,
        });
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return message;
    }

    /// <summary>The entry is stored: the message may go.</summary>
    private void ForwardEntry(in JournalWait wait)
    {
        var message = (SharedMessage)wait.Subject!;
        if (_inbound is null || !_inbound.TryGetValue(wait.PacketId, out InboundExchange exchange))
        {
            message.Release();
            return;
        }

        PublishOutcome outcome = _context.Router.Publish(
            new PublishRequest
            {
                Topic = message.Topic,
                Payload = message.Payload,
                Forwardable = message.Properties,
                QoS = message.QoS,
                Retain = message.Retain,
                MessageExpirySeconds = RemainingSeconds(message) is { } seconds ? uint.Max(1, seconds) : null,
                Origin = message.Origin,
                Publisher = this,
                Id = exchange.Id,
            },
            new PublishTicket(this, wait.Attachment, wait.PacketId, QoS.ExactlyOnce));
        message.Release();
        if (outcome.SlowDown)
        {
            Channel?.PauseForRouter();
        }

        if (ReasonCodes.IsError(outcome.Reason))
        {
            _context.Counters.Add(SessionCounter.PublishesRefused);
            CompletePublish(wait.Attachment, wait.PacketId, QoS.ExactlyOnce, outcome.Reason);
        }
    }

    /// <summary>
    /// A message could not be kept, and its device was not told so: it sends it again on its next connection, with everything
    /// behind it, in order [MQTT-4.4.0-1]. Its entry stays, so that the repeat goes the way of one at another node, and what
    /// came behind it and still waits for its entry is not forwarded: it would get into the log first.
    /// </summary>
    private void AwaitRepeat(int attachment, ushort packetId, ReasonCode reason)
    {
        InboundExchange exchange = _inbound![packetId];
        _inbound[packetId] = exchange with { IsRestored = true };
        foreach (JournalWait wait in _journal?.Remove(wait => IsForwardOf(wait, exchange.AskedBy)) ?? [])
        {
            Abandon(wait);
            if (_inbound.TryGetValue(wait.PacketId, out InboundExchange later))
            {
                _inbound[wait.PacketId] = later with { IsRestored = true };
            }
        }

        if (exchange.AskedBy == Attachment)
        {
            Channel?.CompleteQoS2(packetId, reason, attachment == Attachment);
        }
    }

    private bool IsForwardOf(in JournalWait wait, int attachment) =>
        wait.Step == JournalStep.Forward
        && _inbound!.TryGetValue(wait.PacketId, out InboundExchange exchange) && exchange.AskedBy <= attachment;

    /// <summary>An exchange ends without a message: its identifier is free once that is stored.</summary>
    private void EndEntryRefused(int attachment, ushort packetId, ReasonCode reason)
    {
        Journal.Delete(SessionStateCodec.IncomingName(packetId));
        Await(new JournalWait(JournalStep.RefuseEntry, packetId, attachment, reason));
    }

    private void RefuseEntry(in JournalWait wait)
    {
        if (_inbound is not null && _inbound.Remove(wait.PacketId, out InboundExchange exchange) && exchange.AskedBy == Attachment)
        {
            Channel?.CompleteQoS2(wait.PacketId, wait.Reason, isOfThisConnection: wait.Attachment == Attachment);
        }
    }

    /// <summary>PUBREL came: PUBCOMP follows when the entry is gone, for the device may use the identifier again then.</summary>
    internal void EndEntry(ushort packetId)
    {
        Journal.Delete(SessionStateCodec.IncomingName(packetId));
        Await(new JournalWait(JournalStep.SendPubComp, packetId, Attachment));
    }

    private void FinishEntry(in JournalWait wait)
    {
        if (_inbound is not null && _inbound.TryGetValue(wait.PacketId, out InboundExchange exchange) && exchange.IsEnding)
        {
            _inbound.Remove(wait.PacketId);
        }

        // The PUBREL of an earlier connection is answered when it comes again on this one. A second PUBCOMP would come when the
        // device has given the identifier to another message.
        if (wait.Attachment == Attachment && Channel is { } channel)
        {
            Permitted(channel).SendPubComp(wait.PacketId);
        }
    }
}
