namespace Trunkline.Sessions;

/// <content>The session as a state that another node can go on with.</content>
public sealed partial class Session
{
    /// <summary>
    /// The whole state of a session that stays here, to be written to a store that lost it: the positions cover what is done,
    /// and only QoS 2 is listed, for QoS 1 goes on while this is written. What was in flight when the session came here is
    /// listed whatever its QoS, for the positions never lie below those the session came with.
    /// </summary>
    /// <remarks>
    /// A session whose connection is gone is written like that, too: a new connection may have it here before it is written
    /// for good, and then what is done beyond the positions must stand in the record.
    /// </remarks>
    public SessionState Export() => Export(isDetached: false);

    /// <summary>
    /// The whole state of a session that leaves here (detached): everything in flight is listed, and the positions cover what
    /// is done or listed.
    /// </summary>
    private SessionState Export(bool isDetached)
    {
        List<GroupPosition> positions = ExportPositions(withInFlight: isDetached);
        return new SessionState
        {
            LastPacketId = _window?.LastPacketId ?? _lastPacketId,
            Positions = positions,
            Subscriptions = [.. _subscriptions.ToArray().Where(subscription => subscription.IsStored).Select(StateOf)],
            Outgoing = ExportOutgoing(isDetached, positions),
            Incoming = ExportIncoming(),
            Skipped = PendingRetained?.Skipped ?? [],
            Will = _ending?.Will,
        };
    }

    /// <summary>
    /// Per group the position up to which everything is done, or stands in the record as in flight: never below the one the
    /// session came with, for what was done up to there nobody knows any more.
    /// </summary>
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
            LogPosition position = withInFlight ? HandledPosition(group, dispatched) : NotBelowFloor(group, DonePosition(group, dispatched));
            if (!position.IsNone)
            {
                positions.Add(new GroupPosition(group, position));
            }
        }

        return positions;
    }

    private LogPosition NotBelowFloor(int group, LogPosition done) =>
        Floor is not null && SessionState.Of(Floor, group) is var floor && floor > done ? floor : done;

    /// <summary>
    /// What has to change in the record of a session whose connection is gone, so that it says everything: what is
    /// in flight is listed, and the positions cover what is done or listed; filters are in it already, or in the changes that wait.
    /// </summary>
    /// <remarks>
    /// The write may be carried out although nobody hears of it, and the device come back here. So what it lists counts as
    /// standing in the record from now on: what is done later goes from there, too, and never comes again with a later absence.
    /// </remarks>
    public JournalChanges ExportDetached()
    {
        SessionState state = Export(isDetached: true);
        NoteListed();
        RecordSkipped();
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

        foreach (StoredField field in SessionStateCodec.Encode(state with { Subscriptions = [], Will = null, AwaySince = _context.Loop.Time.GetUtcNow() }))
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

    private void NoteListed()
    {
        for (int i = 0; i < (_window?.Span ?? 0); i++)
        {
            ref OutboundEntry entry = ref _window![i];
            if (entry.State != OutboundState.Done && !Journal.HasOutgoing(entry.PacketId))
            {
                bool isLogged = entry.Pending.IsLogged;
                Journal.InheritOutgoing(entry.PacketId, isLogged ? entry.Group : -1, isLogged ? entry.Position : LogPosition.None);
            }
        }
    }

    private List<OutgoingState> ExportOutgoing(bool isDetached, List<GroupPosition> positions)
    {
        var outgoing = new List<OutgoingState>();
        if (_journal is { } journal)
        {
            // Done, but beyond where the next reading begins: they mask their positions there. Of a connected session none may
            // be missing, for what it wrote before did not name these positions.
            outgoing.AddRange(journal.DoneOutgoing()
                .Where(done => done.Group >= 0 && (!isDetached || done.Position > SessionState.Of(positions, done.Group)))
                .Select(done => new OutgoingState
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
            if (entry.State != OutboundState.Done && (isDetached || entry.Pending.QoS == Protocol.QoS.ExactlyOnce || IsBelowFloor(entry)))
            {
                outgoing.Add(StateOf(
                    entry, entry.State == OutboundState.AwaitingCompletion ? OutgoingStage.Received : OutgoingStage.Sent));
            }
        }

        return outgoing;
    }

    private bool IsBelowFloor(in OutboundEntry entry) =>
        Floor is not null && entry.Pending.IsLogged && entry.Position <= SessionState.Of(Floor, entry.Group);

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
