using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <content>
/// Messages of shared subscriptions: each is in this session's hands alone, and its share is told what becomes of it: done,
/// or given back when the device goes before it acknowledged. At QoS 2 the group first makes it this session's for good.
/// </content>
public sealed partial class Session
{
    /// <summary>Messages of one share its device takes at a time; 0 without a connection.</summary>
    public int SharedCapacity => Channel is { } channel ? int.Min(channel.SendQuota, _context.Options.SharedInFlight) : 0;

    /// <summary>
    /// Delivers a message that a shared subscription handed to this session: it is the session's alone, and no log gives
    /// it to it again. Given back at once when the device is gone.
    /// </summary>
    public void DeliverShared(SharedMessage message, SessionSubscription subscription)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(subscription);
        QoS granted = subscription.Options.QoS;
        QoS qos = message.QoS < granted ? message.QoS : granted;
        uint identifier = subscription.Identifier;
        ReadOnlySpan<uint> identifiers = identifier == 0 ? default : new ReadOnlySpan<uint>(in identifier);
        bool retain = subscription.Options.RetainAsPublished && message.Retain;
        bool isKnown = !message.Position.IsNone;
        var place = new SharedPlace(subscription.Filter, message.Group, message.Position);
        if (isKnown && HasBegun(place))
        {
            // The group would grant it to this session twice, for it knows no exchange, only whose the message is.
            _context.Counters.Add(SessionCounter.SharedTakenByOthers);
        }
        else if (isKnown && Channel is null)
        {
            _context.Router.ReturnShared(this, place, message);
        }
        else if (qos == QoS.AtMostOnce)
        {
            Deliver(message, qos, retain, identifiers);
            if (isKnown)
            {
                _context.Router.FinishShared(this, place);
            }
        }
        else if (!IsEnded)
        {
            PendingMessage pending = Hold(message, qos, retain, identifiers, isLogged: false);
            pending = isKnown ? pending with { Share = subscription.Filter } : pending;
            if (Channel is { } channel && _waiting is null && CanSend(channel))
            {
                SendNew(channel, pending, null);
            }
            else
            {
                Enqueue(pending);
            }
        }
    }

    /// <summary>
    /// Whether the session brought an exchange along with this very message: it was handed out to the node it comes from, and
    /// a group that began again since has handed it out anew.
    /// </summary>
    private bool HasBegun(in SharedPlace place)
    {
        for (int i = 0; _journal is { HasInherited: true } && i < (_window?.Span ?? 0); i++)
        {
            ref OutboundEntry entry = ref _window![i];
            if (entry.State != OutboundState.Done && entry.Pending.IsShared && entry.Place == place)
            {
                if (entry.IsShareDone)
                {
                    // Said before this copy came, and not heard of it.
                    _context.Router.FinishShared(this, place);
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The group has answered <see cref="IMessageRouter.TakeShared"/>: the message is this session's and goes out, or it is
    /// somebody else's and is dropped here.
    /// </summary>
    /// <returns>False when it was granted to a session that is gone and kept nowhere: nobody will send it.</returns>
    public bool SharedTaken(ushort packetId, in SharedPlace place, bool isGranted)
    {
        int index = _window?.Find(packetId) ?? -1;
        if (index < 0 || _window![index].State != OutboundState.AwaitingTake || _window[index].Place != place)
        {
            return !isGranted || IsKept;
        }

        if (!isGranted)
        {
            _context.Counters.Add(SessionCounter.SharedTakenByOthers);
            MarkSent(ref _window[index]);
            LetGo(index);
            Drain();
            ReturnIdleWindow();
            return true;
        }

        SendTaken(index);
        return true;
    }

    private static SharedPlace PlaceOf(in PendingMessage pending) => new(pending.Share, pending.Message.Group, pending.Message.Position);

    private void TakeShared(ref OutboundEntry entry)
    {
        entry.State = OutboundState.AwaitingTake;
        _context.Router.TakeShared(this, entry.Place, entry.PacketId);
    }

    private void SendTaken(int index)
    {
        ref OutboundEntry entry = ref _window![index];
        entry.State = OutboundState.AwaitingAcknowledgement;
        if (!entry.IsSent || Channel is not { } channel || _window.Unsent > 0)
        {
            // Of an earlier connection, or behind what is: sent with that, in order.
            _window.Unsent += entry.IsSent && Channel is not null ? 1 : 0;
            entry.IsSent = false;
            Drain();
            return;
        }

        PendingMessage pending = entry.Pending;
        if (!channel.Fits(pending.Message, pending.QoS, pending.Identifiers))
        {
            Finish(index);
            Drain();
            ReturnIdleWindow();
            return;
        }

        if (ExpirySeconds == 0)
        {
            // Nobody goes on with it after this session [MQTT-4.8.2-5], so nobody has to know whose it was.
            FinishShared(ref entry);
        }

        Permitted(channel).SendPublish(pending.Message, pending.QoS, pending.Retain, entry.PacketId, false, pending.Identifiers, null);
    }

    private void FinishShared(in PendingMessage pending)
    {
        if (pending.IsShared)
        {
            _context.Router.FinishShared(this, PlaceOf(pending));
        }
    }

    private void FinishShared(ref OutboundEntry entry)
    {
        if (entry.Pending.IsShared && !entry.IsShareDone)
        {
            entry.IsShareDone = true;
            _context.Router.FinishShared(this, entry.Place);
        }
    }

    /// <summary>"Received" is stored: whatever happens now, the device has the message.</summary>
    private void FinishReceivedShared(ushort packetId)
    {
        int index = _window?.Find(packetId) ?? -1;
        if (index >= 0 && _window![index].State == OutboundState.AwaitingCompletion)
        {
            FinishShared(ref _window[index]);
        }
    }

    /// <summary>
    /// The connection is gone: what its device has not acknowledged at QoS 1, and what was not sent, goes to other members.
    /// A QoS 2 message that was sent stays [MQTT-4.8.2-4], and one whose taking is under way where the session is kept.
    /// </summary>
    private void ReturnAllShared()
    {
        foreach (PendingMessage pending in _waiting?.TakeShared() ?? [])
        {
            _context.Router.ReturnShared(this, PlaceOf(pending), pending.Message);
            pending.Message.Release();
        }

        DropEmptyQueue();
        for (int i = 0; i < (_window?.Span ?? 0); i++)
        {
            ref OutboundEntry entry = ref _window![i];
            bool isTaking = entry.State == OutboundState.AwaitingTake && !IsKept;
            bool goes = entry.Pending.IsShared
                && (isTaking || entry.State == OutboundState.AwaitingRecord
                    || (entry.Pending.QoS == QoS.AtLeastOnce && entry.State == OutboundState.AwaitingAcknowledgement));
            if (!goes)
            {
                continue;
            }

            SharedPlace place = entry.Place;
            SharedMessage message = entry.Pending.Message;
            message.AddReference();
            int before = _window.Span;
            LetGo(i);
            i -= before - _window.Span;
            if (!isTaking)
            {
                // One that is being taken is freed by the answer, if that is a grant.
                _context.Router.ReturnShared(this, place, message);
            }

            message.Release();
        }

        ReturnIdleWindow();
    }

    /// <summary>The session is over where nobody keeps it: what it began goes to no other member [MQTT-4.8.2-5].</summary>
    private void FinishAllShared()
    {
        for (int i = 0; i < (_window?.Span ?? 0) && _context.Keeper is null; i++)
        {
            if (_window![i].State != OutboundState.Done)
            {
                FinishShared(ref _window[i]);
            }
        }
    }

    /// <summary>Takes a message out of the window, in its record too; its share is not told.</summary>
    private void LetGo(int index)
    {
        _window![index].IsShareDone = true;
        Finish(index);
    }
}
