using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <content>Going on with a session that another node, or this one before, let go of.</content>
public sealed partial class Session
{
    /// <summary>After the death of a node nobody knows which identifiers it gave last: new ones start half the range away.</summary>
    private const int PacketIdLeap = 32_768;

    /// <summary>What is needed until a restored session goes on; null for any other.</summary>
    private Restored? _restored;

    /// <summary>Fills a new session from a state.</summary>
    internal void Restore(
        SessionState state, IReadOnlyList<GroupPosition> positions, IReadOnlyList<LogPosition> checkpoint, bool isAfterDeath)
    {
        _restored = new Restored();
        _lastPacketId = isAfterDeath
            ? (ushort)(1 + ((state.LastPacketId + PacketIdLeap) % ushort.MaxValue))
            : state.LastPacketId;
        foreach (SubscriptionState held in state.Subscriptions)
        {
            _subscriptions.Add(new SessionSubscription(this, held.Filter)
            {
                IsHeld = true,
                IsStored = true,
                Options = held.Options,
                Identifier = held.Identifier,
                IsRetainedPending = held.IsRetainedPending,
                StoredStarts = held.Starts.Count > 0 ? held.Starts : null,
            });
            _noLocalCount += held.Options.NoLocal ? 1 : 0;
            _context.Counters.Add(SessionCounter.Subscriptions);
        }

        foreach (OutgoingState outgoing in state.Outgoing)
        {
            RestoreOutgoing(outgoing, positions, checkpoint);
        }

        foreach (IncomingState incoming in state.Incoming)
        {
            (_inbound ??= []).Add(incoming.PacketId, new InboundExchange(incoming.IsSafe, 0) { Id = incoming.Id, IsRestored = true });
        }

        RestoreCursors(state, positions);
        RestoreRetained(state);
        if (_window is not null && _window.InFlight == 0)
        {
            ReturnIdleWindow();
        }
    }

    /// <summary>CONNACK is out: the filters are made live here, what is in flight is read, then the log.</summary>
    private void GoOn()
    {
        Restored restored = _restored!;
        restored.IsNew = false;
        if (restored.ToRead.Count > 0)
        {
            _context.Router.ReadMessages(new MessageRead(this, restored.ToRead));
        }

        for (int i = 0; i < (_window?.Span ?? 0); i++)
        {
            if (_window![i].State == OutboundState.AwaitingCompletion)
            {
                // Whoever had the session before may not have come to say so.
                FinishShared(ref _window[i]);
            }
        }

        SessionSubscription[] held = _subscriptions.ToArray();
        if (held.Length > 0)
        {
            restored.IsBringingFilters = true;
            Enqueue(new SubscribeOperation(this, [.. held.Select(subscription =>
                new SubscribeItem(subscription, (ReasonCode)subscription.Options.QoS)
                {
                    IsNew = true,
                    WantsRetained = subscription.IsRetainedPending,
                })]));
            restored.IsBringingFilters = false;
        }

        if (restored.Masked.Count == 0)
        {
            _restored = null;
        }
    }

    /// <summary>
    /// A filter of a restored session is being made live at a group: until it is, and the reading of the log has come to
    /// where it is, the session takes that group's messages from the log. Router only.
    /// </summary>
    public void AwaitStart(int group)
    {
        if (_backlog is not null && _backlog[group].State == CursorState.Behind)
        {
            _backlog[group].Awaited++;
        }
    }

    /// <summary>The filter is live there after this position; <see cref="LogPosition.None"/> for one that is not wanted any more.</summary>
    public void Started(int group, LogPosition start)
    {
        if (IsEnded || _backlog is null || _backlog[group].Awaited == 0)
        {
            return;
        }

        ref GroupCursor cursor = ref _backlog[group];
        cursor.Awaited--;
        cursor.LiveAfter = start > cursor.LiveAfter ? start : cursor.LiveAfter;
        ContinueBacklog();
    }

    /// <summary>Whether the log's message at this position is in flight, or was finished after the position the reading began at.</summary>
    private bool IsMasked(int group, LogPosition position) =>
        _restored is not null && _restored.Masked.Contains(new GroupPosition(group, position));

    /// <summary>
    /// Every position that was in flight lies behind for good when the session is live everywhere and no logged message
    /// waits: a device that is slow or leaves makes the session read again from before the first that waits, and what is
    /// masked may stand after that one.
    /// </summary>
    private void DropMasks()
    {
        if (_restored is { IsNew: false, IsBringingFilters: false } && _backlog is null && _waiting is null or { Logged: 0 })
        {
            _restored = null;
        }
    }

    /// <summary>A message in flight was found in the log.</summary>
    internal void MessageRead(SharedMessage message)
    {
        for (int i = 0; i < (_window?.Span ?? 0); i++)
        {
            ref OutboundEntry entry = ref _window![i];
            if (entry.State == OutboundState.AwaitingMessage && entry.Group == message.Group && entry.Position == message.Position)
            {
                message.AddReference();
                entry.Pending = entry.Pending with { Message = message };
                entry.State = entry.Pending.IsShared ? OutboundState.AwaitingTake : OutboundState.AwaitingAcknowledgement;
            }
        }
    }

    /// <summary>
    /// The reading of messages in flight is over. One that the log has lost or dropped cannot be sent again; its exchange is
    /// over, and counted.
    /// </summary>
    internal void MessagesRead()
    {
        if (IsEnded || _window is null)
        {
            return;
        }

        for (int i = 0; i < _window.Span; i++)
        {
            if (_window[i].State == OutboundState.AwaitingMessage)
            {
                _context.Counters.Add(SessionCounter.DroppedFromLog);
                NoteLostInFlight(_window[i]);
                MarkSent(ref _window[i]);
                int before = _window.Span;
                Finish(i);
                i -= before - _window.Span;
            }
        }

        TakeRestored();
        Drain();
        ReturnIdleWindow();
        TellSkipped();
    }

    /// <summary>At QoS 2 the device may have what it was sent; then a retained message would be the same again.</summary>
    private void NoteLostInFlight(in OutboundEntry entry)
    {
        if (entry.Pending is { IsLogged: true, QoS: QoS.AtLeastOnce })
        {
            NoteSkipped(entry.Group, entry.Position.Before, entry.Position);
        }
    }

    /// <summary>Messages of shares that may have been begun: sent again when they are this session's still, or become it now.</summary>
    private void TakeRestored()
    {
        ushort[] packetIds = [.. Enumerable.Range(0, _window!.Span)
            .Where(i => _window[i].State == OutboundState.AwaitingTake)
            .Select(i => _window[i].PacketId)];
        foreach (ushort packetId in packetIds)
        {
            if (_window is not null && _window.Find(packetId) is >= 0 and var index)
            {
                TakeShared(ref _window[index]);
            }
        }
    }

    private void RestoreOutgoing(OutgoingState outgoing, IReadOnlyList<GroupPosition> positions, IReadOnlyList<LogPosition> checkpoint)
    {
        bool hasPlace = outgoing.Group >= 0 && !outgoing.Position.IsNone;
        bool isLogged = hasPlace && outgoing.Share.IsEmpty;
        Journal.InheritOutgoing(outgoing.PacketId, isLogged ? outgoing.Group : -1, isLogged ? outgoing.Position : LogPosition.None);
        if (isLogged && outgoing.Position > SessionState.Of(positions, outgoing.Group))
        {
            _restored!.Masked.Add(new GroupPosition(outgoing.Group, outgoing.Position));
        }
        else if (isLogged && outgoing.QoS == QoS.AtLeastOnce
            && outgoing.Group < checkpoint.Count && outgoing.Position <= checkpoint[outgoing.Group])
        {
            // The device has acknowledged it since. The record's own position says nothing of it: that covers what was in
            // flight when it was written.
            Journal.OutgoingDone(outgoing.PacketId);
            return;
        }

        if (isLogged && outgoing.Position <= SessionState.Of(positions, outgoing.Group))
        {
            (_rare ??= new Rare()).Floor = positions;
        }

        bool needsRead = outgoing.Stage == OutgoingStage.Sent && outgoing.Message is null;
        if (needsRead)
        {
            _restored!.ToRead.Add(new GroupPosition(outgoing.Group, outgoing.Position));
        }

        _window ??= _context.Windows.Rent(_lastPacketId);
        _context.Windows.RaiseOrder(outgoing.Order);
        _window.Restore(new OutboundEntry
        {
            Pending = new PendingMessage(
                outgoing.Message is { } stored ? Rent(stored) : null!,
                outgoing.QoS,
                outgoing.Retain,
                outgoing.Identifiers.Count > 0 ? [.. outgoing.Identifiers] : null,
                isLogged)
            { Share = outgoing.Share },
            PacketId = outgoing.PacketId,
            Order = outgoing.Order,
            Group = hasPlace ? outgoing.Group : -1,
            Position = outgoing.Position,
            State = outgoing.Stage == OutgoingStage.Received ? OutboundState.AwaitingCompletion
                : needsRead ? OutboundState.AwaitingMessage
                : OutboundState.AwaitingAcknowledgement,
        });
    }

    private SharedMessage Rent(StoredMessage stored) => _context.Messages.Rent(new MessageContent
    {
        Topic = stored.Topic.Span,
        Properties = stored.Properties.Span,
        Payload = stored.Payload.Span,
        QoS = stored.QoS,
        Retain = stored.Retain,
        ExpiresAtMs = stored.ExpirySeconds is { } seconds ? _context.Loop.NowMs + (seconds * 1000L) : long.MaxValue,
    });

    /// <summary>
    /// The session begins behind in every group it had a filter at. Without a position a group begins where the first of
    /// the filters began there.
    /// </summary>
    private void RestoreCursors(SessionState state, IReadOnlyList<GroupPosition> positions)
    {
        IMessageRouter router = _context.Router;
        for (int group = 0; group < router.LogGroups && state.Subscriptions.Count > 0; group++)
        {
            LogPosition after = SessionState.Of(positions, group);
            if (after.IsNone)
            {
                after = FirstStart(state, group);
            }

            if (!after.IsNone && router.CanReadBacklog(group))
            {
                (_backlog ??= new SessionBacklog(router.LogGroups)).Begin(group, after);
            }
        }
    }

    private static LogPosition FirstStart(SessionState state, int group)
    {
        LogPosition first = LogPosition.None;
        foreach (SubscriptionState held in state.Subscriptions)
        {
            LogPosition start = SessionState.Of(held.Starts, group);
            if (!start.IsNone && (first.IsNone || start < first))
            {
                first = start;
            }
        }

        return first;
    }

    private sealed class Restored
    {
        /// <summary>CONNACK is not out yet.</summary>
        public bool IsNew { get; set; } = true;

        /// <summary>
        /// The filters are being handed to the router, one by one, and it may answer for the first before it has the last:
        /// a page read now would lack what the others match.
        /// </summary>
        public bool IsBringingFilters { get; set; }

        /// <summary>Messages in flight that are to be read from the log.</summary>
        public List<GroupPosition> ToRead { get; } = [];

        /// <summary>Messages in flight or done beyond where the reading begins: the log does not give them to the session again.</summary>
        public HashSet<GroupPosition> Masked { get; } = [];

        /// <summary>Those of a group, in the log's order.</summary>
        public IEnumerable<LogPosition> MaskedOf(int group) =>
            Masked.Where(masked => masked.Group == group).Select(masked => masked.Position).Order();
    }
}
