namespace Trunkline.Sessions;

/// <content>The session as a state that another node can go on with.</content>
public sealed partial class Session
{
    /// <summary>
    /// The whole state. Of a session without a connection: everything in flight is listed, and the positions cover what is
    /// done or listed. Of a connected one, to be written back to a store that lost it: only QoS 2 is listed, and the
    /// positions cover what is done, for QoS 1 goes on while this is written.
    /// </summary>
    public SessionState Export()
    {
        bool isDetached = Channel is null;
        return new SessionState
        {
            LastPacketId = _window?.LastPacketId ?? _lastPacketId,
            Positions = ExportPositions(withInFlight: isDetached),
            Subscriptions = [.. _subscriptions.ToArray().Where(subscription => subscription.IsStored).Select(StateOf)],
            Outgoing = ExportOutgoing(isDetached),
            Incoming = ExportIncoming(),
            Will = _ending?.Will,
        };
    }

    /// <summary>Per group the position up to which everything is done.</summary>
    public IReadOnlyList<GroupPosition> DonePositions() => ExportPositions(withInFlight: false);

    private List<GroupPosition> ExportPositions(bool withInFlight)
    {
        IMessageRouter router = _context.Router;
        var positions = new List<GroupPosition>();
        for (int group = 0; group < router.LogGroups; group++)
        {
            if (!router.CanReadBacklog(group))
            {
                continue;
            }

            LogPosition dispatched = router.Dispatched(group);
            LogPosition position = withInFlight ? HandledPosition(group, dispatched) : DonePosition(group, dispatched);
            if (!position.IsNone)
            {
                positions.Add(new GroupPosition(group, position));
            }
        }

        return positions;
    }

    /// <summary>
    /// What has to change in the record of a session whose connection is gone, so that it says all of <see cref="Export"/>:
    /// filters are in it already, or in the changes that wait.
    /// </summary>
    public JournalChanges ExportDetached()
    {
        SessionState state = Export();
        var sets = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        var deletes = new HashSet<string>(StringComparer.Ordinal);
        if (_journal is { } journal)
        {
            JournalChanges pending = journal.Pending();
            foreach (StoredField field in pending.Sets.Where(field => !SessionStateCodec.IsOutgoingName(field.Name, out _)))
            {
                sets[field.Name] = field.Value;
            }

            deletes.UnionWith(pending.Deletes);
            deletes.UnionWith(journal.DoneOutgoing().Select(done => SessionStateCodec.OutgoingName(done.PacketId)));
        }

        foreach (StoredField field in SessionStateCodec.Encode(state with { Subscriptions = [], Will = null }))
        {
            // An incoming exchange that waits for its end is over; an outgoing message stands as the window has it.
            if (SessionStateCodec.IsOutgoingName(field.Name, out _))
            {
                deletes.Remove(field.Name);
            }

            if (!deletes.Contains(field.Name))
            {
                sets[field.Name] = field.Value;
            }
        }

        return new JournalChanges([.. sets.Select(set => new StoredField(set.Key, set.Value))], [.. deletes]);
    }

    private List<OutgoingState> ExportOutgoing(bool isDetached)
    {
        var outgoing = new List<OutgoingState>();
        if (!isDetached && _journal is { } journal)
        {
            // Done, but maybe not passed by a checkpoint yet: they mask their positions.
            outgoing.AddRange(journal.DoneOutgoing().Where(done => done.Group >= 0).Select(done => new OutgoingState
            {
                PacketId = done.PacketId,
                Order = 0,
                QoS = Protocol.QoS.ExactlyOnce,
                Stage = OutgoingStage.Received,
                Group = done.Group,
                Position = done.Position,
            }));
        }

        for (int i = 0; i < (_window?.Span ?? 0); i++)
        {
            ref OutboundEntry entry = ref _window![i];
            if (entry.State != OutboundState.Done && (isDetached || entry.Pending.QoS == Protocol.QoS.ExactlyOnce))
            {
                outgoing.Add(StateOf(
                    entry, entry.State == OutboundState.AwaitingCompletion ? OutgoingStage.Received : OutgoingStage.Sent));
            }
        }

        return outgoing;
    }

    private List<IncomingState> ExportIncoming() =>
        _inbound is null
            ? []
            : [.. _inbound.Where(exchange => !exchange.Value.Id.IsNone).Select(exchange => new IncomingState
            {
                PacketId = exchange.Key,
                Id = exchange.Value.Id,
                IsSafe = exchange.Value.IsSafe,
            })];

    private SubscriptionState StateOf(SessionSubscription subscription) => new()
    {
        Filter = subscription.Filter,
        Options = subscription.Options,
        Identifier = subscription.Identifier,
        IsRetainedPending = subscription.IsRetainedPending,
        Starts = _context.Router.StartsOf(subscription),
    };
}
