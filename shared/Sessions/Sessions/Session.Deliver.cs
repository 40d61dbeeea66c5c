using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Session
{
    /// <summary>
    /// Done slots may pile up behind one message that the device never acknowledges; beyond this the window counts as
    /// full, long before packet identifiers could run out.
    /// </summary>
    private const int MaximumWindowSpan = 16_384;

    /// <summary>
    /// Delivers one message by this session's matching subscriptions. Takes a reference of its own where the message has
    /// to wait.
    /// </summary>
    /// <param name="message">The message; the caller keeps its reference.</param>
    /// <param name="granted">The highest QoS of the matching subscriptions [MQTT-3.3.4-2].</param>
    /// <param name="retain">The RETAIN flag to show [MQTT-3.3.1-12] [MQTT-3.3.1-13] (3.1.1: [MQTT-3.3.1-8] [MQTT-3.3.1-9]).</param>
    /// <param name="identifiers">Subscription identifiers to name [MQTT-3.3.4-3].</param>
    /// <param name="shapes">Frames encoded once for many sessions, or null.</param>
    public void Deliver(
        SharedMessage message,
        QoS granted,
        bool retain,
        ReadOnlySpan<uint> identifiers,
        EncodedShapes? shapes = null)
    {
        if (IsEnded)
        {
            return;
        }

        QoS qos = message.QoS < granted ? message.QoS : granted;
        Channel? channel = Channel;
        if (qos == QoS.AtMostOnce)
        {
            if (channel is null)
            {
                return;
            }

            if (_waitingQoS0 is null && !channel.IsCongested)
            {
                channel.SendPublish(message, QoS.AtMostOnce, retain, 0, false, identifiers, shapes);
                return;
            }
        }
        else if (_backlog is not null && !TakesLive(message))
        {
            // It came from the log, or will.
            return;
        }
        else if (channel is not null && _waiting is null && CanSend(channel))
        {
            PendingMessage pending = Hold(message, qos, retain, identifiers, !message.Position.IsNone);
            SendNew(channel, pending, shapes);
            return;
        }

        Enqueue(Hold(message, qos, retain, identifiers, !message.Position.IsNone));
    }

    /// <summary>Sends what waits as far as the window and the transport allow.</summary>
    internal void Drain()
    {
        Channel? channel = Channel;
        if (channel is null)
        {
            return;
        }

        ResendUnsent(channel);
        while (_waiting is not null && CanSend(channel))
        {
            SendNew(channel, _waiting.Dequeue(), null);
            DropEmptyQueue();
        }

        while (_waitingQoS0 is not null && !channel.IsCongested)
        {
            PendingMessage pending = _waitingQoS0.Dequeue();
            channel.SendPublish(pending.Message, QoS.AtMostOnce, pending.Retain, 0, false, pending.Identifiers, null);
            pending.Message.Release();
            if (_waitingQoS0.Count == 0)
            {
                _waitingQoS0 = null;
            }
        }

        if (_backlog is not null)
        {
            ContinueBacklog();
        }
    }

    private bool CanSend(Channel channel) =>
        !channel.IsCongested
        && _journal is not { IsFull: true }
        && HasFreeIdentifier()
        && (_window is null || (_window.Unsent == 0 && _window.InFlight < channel.SendQuota && _window.Span < MaximumWindowSpan));

    /// <summary>
    /// What a session brings along does not count against its record's limit, so each death in a row may leave as much again;
    /// when every identifier stands in the record, or may, nothing is sent: there is none to be found.
    /// </summary>
    private bool HasFreeIdentifier() => _journal is null || _journal.Outgoing + (_window?.InFlight ?? 0) < ushort.MaxValue;

    /// <summary>Sends a message for the first time; takes over the reference of <paramref name="pending"/>.</summary>
    private void SendNew(Channel channel, in PendingMessage pending, EncodedShapes? shapes)
    {
        if (!channel.CanCarry(pending.Message, pending.QoS, pending.Identifiers))
        {
            FinishShared(pending);
            pending.Message.Release();
            return;
        }

        if (_window is null)
        {
            _window = _context.Windows.Rent(_lastPacketId);
            NoteUndone();
        }

        ref OutboundEntry entry = ref _window.Add(pending, _context.Windows.NextOrder(), _journal);
        if (pending.QoS == QoS.ExactlyOnce && IsKept)
        {
            RecordOutgoing(ref entry);
            return;
        }

        if (pending.QoS == QoS.ExactlyOnce && pending.IsShared)
        {
            TakeShared(ref entry);
            return;
        }

        channel.SendPublish(pending.Message, pending.QoS, pending.Retain, entry.PacketId, false, pending.Identifiers, shapes);
    }

    private static PendingMessage Hold(
        SharedMessage message, QoS qos, bool retain, ReadOnlySpan<uint> identifiers, bool isLogged)
    {
        message.AddReference();
        return new PendingMessage(message, qos, retain, identifiers.IsEmpty ? null : identifiers.ToArray(), isLogged);
    }

    /// <summary>
    /// Queues a message, within limits. At QoS 1 and 2 a device that cannot keep up leaves live: what its groups have in
    /// their logs is let go here and read there; what no log has waits within the backlog's limits.
    /// </summary>
    private void Enqueue(in PendingMessage pending)
    {
        MqttOptions options = _context.Options;
        if (pending.QoS == QoS.AtMostOnce && _context.Loop.Memory.IsShort)
        {
            pending.Message.Release();
            _context.Counters.Add(SessionCounter.DroppedSlowDevice);
            return;
        }

        if (pending.QoS == QoS.AtMostOnce)
        {
            _waitingQoS0 ??= new PendingQueue(options.LiveQueueMessages, options.LiveQueueBytes);
            _context.Counters.Add(SessionCounter.DroppedSlowDevice, _waitingQoS0.Enqueue(pending));
            return;
        }

        if (!HasRoomFor(pending.Message) && (pending.IsLogged || _waiting!.Logged > 0))
        {
            LeaveLive(pending);
            if (pending.IsLogged)
            {
                return;
            }
        }

        Wait(pending);
    }

    private void Wait(in PendingMessage pending)
    {
        MqttOptions options = _context.Options;
        if (_waiting is null)
        {
            _waiting = new PendingQueue(options.BacklogMessages, options.BacklogBytes);
            NoteUndone();
        }

        if (options.BacklogPolicy == BacklogPolicy.DropNewest
            && !_waiting.HasRoomFor(pending.Message, options.BacklogMessages, options.BacklogBytes))
        {
            GiveUp(pending);
            return;
        }

        while (!_waiting.HasRoomFor(pending.Message, options.BacklogMessages, options.BacklogBytes))
        {
            GiveUp(_waiting.Dequeue());
        }

        _waiting.Enqueue(pending);
    }

    /// <summary>A message for which there is no room: dropped, or given back to the share it came from.</summary>
    private void GiveUp(in PendingMessage pending)
    {
        if (pending.IsShared)
        {
            _context.Router.ReturnShared(this, PlaceOf(pending), pending.Message);
        }
        else
        {
            _context.Counters.Add(SessionCounter.DroppedBacklog);
            if (pending.IsLogged)
            {
                // Its cursor has passed it: it is skipped as what a limit of the reading skips.
                NoteSkipped(pending.Message.Group, pending.Message.Position.Before, pending.Message.Position);
            }
        }

        pending.Message.Release();
    }

    private void DropEmptyQueue()
    {
        if (_waiting is { Count: 0 })
        {
            _waiting = null;
            DropMasks();
            NoteDone();
        }
    }
}
