using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Session
{
    /// <summary>PUBACK from the device [MQTT-4.3.2-3]. Returns false when the identifier is not in use.</summary>
    internal bool ReceivePubAck(ushort packetId)
    {
        int index = FindAwaiting(packetId, QoS.AtLeastOnce, OutboundState.AwaitingAcknowledgement);
        return FinishAndDrain(index);
    }

    /// <summary>PUBREC from the device: a success moves on to PUBREL [MQTT-4.3.3-4], a failure ends the exchange [MQTT-4.4.0-2].</summary>
    /// <returns>Whether the identifier is in use; the caller answers PUBREL 0x92 when it is not.</returns>
    internal bool ReceivePubRec(ushort packetId, ReasonCode reason)
    {
        int index = _window?.Find(packetId) ?? -1;
        if (index < 0 || _window![index].Pending.QoS != QoS.ExactlyOnce
            || _window[index].State is OutboundState.AwaitingRecord or OutboundState.AwaitingMessage or OutboundState.AwaitingTake)
        {
            return false;
        }

        ref OutboundEntry entry = ref _window[index];
        if (ReasonCodes.IsError(reason))
        {
            RecordRefused(entry);
            return FinishAndDrain(index);
        }

        bool isRepeat = entry.State == OutboundState.AwaitingCompletion;
        if (entry.State == OutboundState.AwaitingAcknowledgement)
        {
            // The device owns the message now: its bytes can go, the exchange goes on [MQTT-4.3.3-6].
            entry.State = OutboundState.AwaitingCompletion;
            entry.Pending.Message.Release();
            entry.Pending = entry.Pending with { Message = null!, Identifiers = null };
            MarkSent(ref entry);
        }

        SendPubRelRecorded(ref entry, isRepeat);
        return true;
    }

    /// <summary>PUBCOMP from the device [MQTT-4.3.3-5]. Returns false when the identifier is not in use.</summary>
    internal bool ReceivePubComp(ushort packetId)
    {
        int index = FindAwaiting(packetId, QoS.ExactlyOnce, OutboundState.AwaitingCompletion);
        return FinishAndDrain(index);
    }

    private int FindAwaiting(ushort packetId, QoS qos, OutboundState state)
    {
        int index = _window?.Find(packetId) ?? -1;
        return index >= 0 && _window![index].Pending.QoS == qos && _window[index].State == state ? index : -1;
    }

    private bool FinishAndDrain(int index)
    {
        if (index < 0)
        {
            return false;
        }

        MarkSent(ref _window![index]);
        Finish(index);
        AskForWrite();
        Drain();
        ReturnIdleWindow();
        return true;
    }

    /// <summary>An idle device keeps no window; the next identifiers go on from the highest so far.</summary>
    private void ReturnIdleWindow()
    {
        if (_window is { Span: 0 })
        {
            _lastPacketId = _window.LastPacketId;
            _context.Windows.Return(_window);
            _window = null;
            NoteDone();
            TellSkipped();
        }
    }

    private void MarkSent(ref OutboundEntry entry)
    {
        if (!entry.IsSent)
        {
            entry.IsSent = true;
            _window!.Unsent--;
        }
    }

    /// <summary>
    /// After a reconnect: the same packet identifiers, DUP set, in the original order, before anything new
    /// [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1] (3.1.1), within the new connection's Receive Maximum [MQTT-3.3.4-9],
    /// which holds back PUBLISH and not PUBREL [MQTT-3.3.4-10].
    /// </summary>
    private void ResendUnsent(Channel channel)
    {
        if (_window is not { Unsent: > 0 })
        {
            return;
        }

        int outstanding = _window.InFlight - _window.Unsent;
        for (int i = 0; i < _window.Span && _window.Unsent > 0; i++)
        {
            ref OutboundEntry entry = ref _window[i];
            if (entry.State == OutboundState.Done || entry.IsSent)
            {
                continue;
            }

            if (channel.IsCongested || entry.State is OutboundState.AwaitingMessage or OutboundState.AwaitingTake)
            {
                // In order: what is behind a message that is still being read, or taken, waits with it.
                return;
            }

            if ((outstanding >= channel.SendQuota && entry.State == OutboundState.AwaitingAcknowledgement) || IsReceiptUnwritten(entry))
            {
                continue;
            }

            MarkSent(ref entry);
            if (!Resend(channel, entry))
            {
                int before = _window.Span;
                Finish(i);
                i -= before - _window.Span;
                continue;
            }

            outstanding++;
        }
    }

    /// <summary>Returns false when the message is larger than the new connection takes: it counts as done then [MQTT-3.1.2-25].</summary>
    private bool Resend(Channel channel, in OutboundEntry entry)
    {
        if (entry.State == OutboundState.AwaitingCompletion)
        {
            Permitted(channel).SendPubRel(entry.PacketId, ReasonCode.Success);
            return true;
        }

        PendingMessage pending = entry.Pending;
        if (!channel.Fits(pending.Message, pending.QoS, pending.Identifiers))
        {
            return false;
        }

        _context.Counters.Add(SessionCounter.Resent);
        Channel sender = pending.QoS == QoS.ExactlyOnce ? Permitted(channel) : channel;
        sender.SendPublish(pending.Message, pending.QoS, pending.Retain, entry.PacketId, true, pending.Identifiers, null);
        return true;
    }
}
