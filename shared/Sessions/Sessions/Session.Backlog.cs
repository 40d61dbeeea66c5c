using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Session
{
    /// <summary>The groups whose logged messages come from the log and not live; null for a session that is live.</summary>
    private SessionBacklog? _backlog;

    /// <summary>Its slot in <see cref="SessionContext.Undone"/>; 0 while it is not there.</summary>
    private int _undoneSlot;

    /// <summary>Whether logged messages of a group come from its log now.</summary>
    public bool IsBehind(int group) => _backlog is { } backlog && backlog[group].State == CursorState.Behind;

    /// <summary>
    /// The position of a group up to which everything is done: acknowledged (QoS 1), received (QoS 2) or passed over. A
    /// checkpoint names it.
    /// </summary>
    /// <param name="group">The group.</param>
    /// <param name="dispatched">Up to where the loop has dispatched that group's messages.</param>
    public LogPosition DonePosition(int group, LogPosition dispatched)
    {
        LogPosition done = HandledPosition(group, dispatched);
        for (int i = 0; i < (_window?.Span ?? 0); i++)
        {
            ref OutboundEntry entry = ref _window![i];
            if (entry.State is not (OutboundState.Done or OutboundState.AwaitingCompletion) && entry.Pending.IsLogged && entry.Group == group
                && entry.Position <= done)
            {
                done = entry.Position.Before;
            }
        }

        return IsSkipUnwritten && PendingRetained!.HeldAt(group) is { IsNone: false } held && held < done ? held : done;
    }

    /// <summary>
    /// The position of a group up to which everything is done or in flight: what a session's record names beside the list
    /// of what is in flight.
    /// </summary>
    public LogPosition HandledPosition(int group, LogPosition dispatched)
    {
        LogPosition handled = dispatched;
        if (_backlog is not null && _backlog[group].State is not CursorState.Live)
        {
            ref GroupCursor cursor = ref _backlog[group];
            handled = cursor.State == CursorState.Behind || cursor.Position > dispatched ? cursor.Position : dispatched;
        }

        return _waiting?.FirstLogged(group) is { } first && first.Before < handled ? first.Before : handled;
    }

    /// <summary>The cursor in a group's log; <see cref="LogPosition.None"/> while it is live there.</summary>
    internal LogPosition CursorOf(int group) => _backlog is null ? LogPosition.None : _backlog[group].Position;

    internal void SkipTo(int group, LogPosition position)
    {
        if (_backlog is not null && position > _backlog[group].Position)
        {
            _backlog[group].Position = position;
        }
    }

    /// <summary>The rule of the meeting: see <see cref="CompleteRead"/>.</summary>
    private bool MayGoLive(in GroupCursor cursor, int group) =>
        cursor.Awaited == 0 && cursor.Position >= cursor.LiveAfter && _context.Router.HasMet(group, cursor.Position);

    /// <summary>
    /// Delivers one message of a page of the log. Nothing of it is taken twice: the cursor moves over each message taken.
    /// A session that has no room gives up the rest of the page; it asks again when its queue is empty.
    /// </summary>
    internal void DeliverBacklog(
        SharedMessage message, QoS granted, bool retain, ReadOnlySpan<uint> identifiers, EncodedShapes? shapes)
    {
        if (_backlog is null || _backlog[message.Group].Read is not { } read || !read.Wants(message.Position))
        {
            return;
        }

        ref GroupCursor cursor = ref _backlog[message.Group];
        if (read.MayHaveLost)
        {
            NoteSkipped(message.Group, cursor.Position, message.Position.Before);
        }

        QoS qos = message.QoS < granted ? message.QoS : granted;
        if (qos == QoS.AtMostOnce || IsMasked(message.Group, message.Position))
        {
            // By a QoS 0 subscription it came live, or the device was too slow for it then; a masked one is in flight already,
            // or was finished on another node.
            cursor.Position = message.Position;
            return;
        }

        if (Channel is not { } channel || !HasRoomFor(message))
        {
            // Everything before this message was taken; the rest of the page is read again.
            cursor.Position = message.Position.Before;
            read.IsOver = true;
            return;
        }

        cursor.Position = message.Position;
        UseAllowance(ref cursor, read, message.Size);
        _context.Counters.Add(SessionCounter.BacklogDelivered);
        PendingMessage pending = Hold(message, qos, retain, identifiers, isLogged: true);
        if (_waiting is null && CanSend(channel))
        {
            SendNew(channel, pending, shapes);
        }
        else
        {
            Wait(pending);
        }
    }

    /// <summary>
    /// A page is over. The session goes live in the step in which its cursor has met what the loop dispatched, at or past
    /// the live start of each of its filters: up to the cursor it has everything from the log, and everything after it is
    /// still to be dispatched here.
    /// </summary>
    internal void CompleteRead(BacklogRead read, LogPosition upTo)
    {
        if (IsEnded || _backlog is null || !ReferenceEquals(_backlog[read.Group].Read, read))
        {
            return;
        }

        ref GroupCursor cursor = ref _backlog[read.Group];
        cursor.Read = null;
        if (!read.IsOver && upTo > cursor.Position)
        {
            if (read.MayHaveLost)
            {
                NoteSkipped(read.Group, cursor.Position, upTo);
            }

            cursor.Position = upTo;
        }

        if (MayGoLive(cursor, read.Group))
        {
            GoLive(ref cursor, read.Group);
            DropBacklogIfLive();
        }

        TellSkipped();
        ContinueBacklog();
    }

    /// <summary>
    /// Settles a session that pages brought further than the live messages had come, once those have come as far. Returns
    /// whether there is nothing (more) to settle.
    /// </summary>
    public bool SettleAhead(int group)
    {
        if (_backlog is null || _backlog[group].State != CursorState.Ahead)
        {
            return true;
        }

        ref GroupCursor cursor = ref _backlog[group];
        if (cursor.Position > _context.Router.Dispatched(group))
        {
            return false;
        }

        cursor.State = CursorState.Live;
        DropBacklogIfLive();
        return true;
    }

    private void GoLive(ref GroupCursor cursor, int group)
    {
        bool isAhead = cursor.Position > _context.Router.Dispatched(group);
        cursor.State = isAhead ? CursorState.Ahead : CursorState.Live;
        if (isAhead)
        {
            _context.Router.SettleLater(this, group);
        }
    }

    /// <summary>
    /// Reads on where there is room: nothing waits and the window is open. Reads of several groups go side by side, for
    /// messages of two groups have no order.
    /// </summary>
    private void ContinueBacklog()
    {
        if (_backlog is not { } backlog || _restored is { IsBringingFilters: true } || Channel is not { } channel || _waiting is not null || !CanSend(channel))
        {
            return;
        }

        for (int group = 0; group < backlog.Groups; group++)
        {
            ref GroupCursor cursor = ref backlog[group];
            if (cursor.State != CursorState.Behind || cursor.Read is not null)
            {
                continue;
            }

            if (MayGoLive(cursor, group))
            {
                GoLive(ref cursor, group);
            }
            else if (cursor.Awaited == 0 || cursor.Position < _context.Router.Dispatched(group))
            {
                cursor.Read = new BacklogRead(this, group);
                _context.Router.ReadBacklog(cursor.Read);
            }
        }

        DropBacklogIfLive();
    }

    /// <summary>
    /// The device does not keep up: what waits of logged messages is let go, and their groups are read from the log, each
    /// from before the first message let go.
    /// </summary>
    /// <param name="next">The message for which there is no room; it is let go too when it can be read again.</param>
    private void LeaveLive(in PendingMessage next)
    {
        _backlog ??= new SessionBacklog(_context.Router.LogGroups);
        _waiting!.RemoveLogged(message => LeaveLive(message));
        if (next.IsLogged)
        {
            LeaveLive(next.Message);
            next.Message.Release();
        }

        DropEmptyQueue();
        DropBacklogIfLive();
        NoteUndone();
    }

    /// <summary>Leaves live at one message's group before that message; returns whether the message may go.</summary>
    private bool LeaveLive(SharedMessage message)
    {
        ref GroupCursor cursor = ref _backlog![message.Group];
        if (cursor.State == CursorState.Behind)
        {
            // An elder of its group was let go just now; else it came from a page, and the cursor has passed it.
            return message.Position > cursor.Position;
        }

        _context.Counters.Add(SessionCounter.LeftLive);
        Leave(ref cursor, message.Position.Before);
        return true;
    }

    /// <summary>
    /// The connection is gone and the session stays: it holds no logged messages but those in flight, only how far it has
    /// come in each group.
    /// </summary>
    private void LeaveAllLive()
    {
        IMessageRouter router = _context.Router;
        if (router.LogGroups == 0 || (SubscriptionCount == 0 && _backlog is null))
        {
            return;
        }

        _backlog ??= new SessionBacklog(router.LogGroups);
        for (int group = 0; group < _backlog.Groups; group++)
        {
            if (!router.CanReadBacklog(group))
            {
                continue;
            }

            LogPosition handled = HandledPosition(group, router.Dispatched(group));
            ref GroupCursor cursor = ref _backlog[group];
            GiveUp(ref cursor);
            Leave(ref cursor, handled);
        }

        _waiting?.RemoveLogged(static _ => true);
        DropEmptyQueue();
        NoteUndone();
    }

    /// <summary>New filters, or new options: pages asked for before count only up to what was dispatched until now.</summary>
    private void LimitReads()
    {
        for (int group = 0; group < (_backlog?.Groups ?? 0); group++)
        {
            ref GroupCursor cursor = ref _backlog![group];
            if (cursor.Read is { } read)
            {
                LogPosition dispatched = _context.Router.Dispatched(group);
                read.LimitTo(dispatched > cursor.Position ? dispatched : cursor.Position);
            }
        }
    }

    private static void Leave(ref GroupCursor cursor, LogPosition after)
    {
        cursor.State = CursorState.Behind;
        cursor.Position = after;
        cursor.MessagesAllowed = 0;
        cursor.BytesAllowed = 0;
        cursor.SkipTo = LogPosition.None;
    }

    private void EndBacklog()
    {
        for (int group = 0; group < (_backlog?.Groups ?? 0); group++)
        {
            GiveUp(ref _backlog![group]);
        }

        _backlog = null;
    }

    private static void GiveUp(ref GroupCursor cursor)
    {
        if (cursor.Read is not null)
        {
            cursor.Read.IsOver = true;
            cursor.Read = null;
        }
    }

    private bool TakesLive(SharedMessage message)
    {
        if (message.Position.IsNone)
        {
            return true;
        }

        bool takes = _backlog!.TakesLive(message.Group, message.Position);
        DropBacklogIfLive();
        return takes;
    }

    private void DropBacklogIfLive()
    {
        if (_backlog is { IsAllLive: true })
        {
            _backlog = null;
            DropMasks();
            NoteDone();
        }
    }

    /// <summary>
    /// Whether a message that a log has may wait: within the backlog's limits, too, or it would take the room of one that no log has.
    /// </summary>
    private bool HasRoomFor(SharedMessage message)
    {
        MqttOptions options = _context.Options;
        return _waiting is null || _waiting.HasRoomFor(
            message, int.Min(options.LiveQueueMessages, options.BacklogMessages), int.Min(options.LiveQueueBytes, options.BacklogBytes));
    }

    /// <summary>Something is undone now.</summary>
    private void NoteUndone()
    {
        if (_undoneSlot == 0 && ExpirySeconds > 0)
        {
            _undoneSlot = _context.Undone.Enter(this);
        }
    }

    /// <summary>Something was done: when nothing is left, the session leaves the list.</summary>
    private void NoteDone()
    {
        if (_undoneSlot != 0 && _window is null && _waiting is null && _backlog is null && !IsSkipUnwritten)
        {
            LeaveUndone();
        }
    }

    private void LeaveUndone()
    {
        if (_undoneSlot != 0)
        {
            if (_context.Undone.Leave(_undoneSlot) is { } moved)
            {
                moved._undoneSlot = _undoneSlot;
            }

            _undoneSlot = 0;
        }
    }
}
