namespace Trunkline.Sessions;

/// <summary>
/// What one session writes ahead: changes of its stored fields, the steps that wait for them, and which outgoing messages
/// stand in the record. Exists only while there is something of it. Loop thread only.
/// </summary>
/// <remarks>
/// <code>
///   Set, Delete ──► pending ──Take──► under way (one write at a time) ──Written──► the steps that waited are taken
///                      ▲                     │
///                      └───────Failed────────┘   older values give way to newer ones
/// </code>
/// One write of a session at a time: two could overtake each other when one of them has to be repeated.
/// </remarks>
internal sealed class SessionJournal(int maximumOutgoing, long permittedMs)
{
    private readonly Dictionary<string, ReadOnlyMemory<byte>?> _pending = new(StringComparer.Ordinal);
    private readonly Queue<(long Write, JournalWait Wait)> _waits = new();
    private readonly Dictionary<ushort, OutgoingRecord> _outgoing = [];
    private Dictionary<string, ReadOnlyMemory<byte>?>? _underWay;
    private IReadOnlyList<LogPosition> _covered = [];
    private int _inherited;
    private long _write = 1;
    private long _written;

    /// <summary>An outgoing message that stands in the record.</summary>
    /// <param name="Group">The group of its log, or -1.</param>
    /// <param name="Position">Its place there.</param>
    /// <param name="IsDone">The device has finished it; the field masks its position until a checkpoint has passed it.</param>
    /// <param name="IsInherited">It stood in the record when the session came here.</param>
    private readonly record struct OutgoingRecord(int Group, LogPosition Position, bool IsDone, bool IsInherited);

    /// <summary>When the store was last known to permit what the session sends, in the loop's milliseconds.</summary>
    public long PermittedMs { get; set; } = permittedMs;

    /// <summary>Whether a write is under way.</summary>
    public bool IsWriting => _underWay is not null;

    /// <summary>Whether anything waits to be written.</summary>
    public bool HasPending => _pending.Count > 0;

    /// <summary>
    /// Whether so many outgoing messages stand in the record that no more may be sent. What the session brought along is not
    /// counted: those go when the reading of the log has passed their positions, and it would wait for them.
    /// </summary>
    public bool IsFull => _outgoing.Count - _inherited >= maximumOutgoing;

    /// <summary>Outgoing messages in the record, each with a packet identifier that is not free.</summary>
    public int Outgoing => _outgoing.Count;

    /// <summary>Whether anything the session brought along stands in the record.</summary>
    public bool HasInherited => _inherited > 0;

    /// <summary>Whether half of that is reached: time to write the deletions of those that are done.</summary>
    public bool IsHalfFull => _outgoing.Count >= maximumOutgoing / 2;

    /// <summary>Whether this is needed no longer.</summary>
    public bool IsIdle => _underWay is null && _pending.Count == 0 && _waits.Count == 0 && _outgoing.Count == 0;

    public void Set(in StoredField field) => _pending[field.Name] = field.Value;

    public void Delete(string name) => _pending[name] = null;

    /// <summary>Lets a step wait for everything set or deleted so far.</summary>
    public void Await(in JournalWait wait) => _waits.Enqueue((_write, wait));

    /// <summary>Whether a field's newest value is not stored yet.</summary>
    public bool IsUnwritten(string name) => _pending.ContainsKey(name) || _underWay?.ContainsKey(name) == true;

    /// <summary>What waits to be written, which is under way from now on; null when nothing waits or a write is under way.</summary>
    public JournalChanges? Take()
    {
        if (_underWay is not null || _pending.Count == 0)
        {
            return null;
        }

        JournalChanges changes = Pending();
        _underWay = new(_pending, StringComparer.Ordinal);
        _pending.Clear();
        _write++;
        return changes;
    }

    /// <summary>What waits to be written, for a write of the whole session that replaces it.</summary>
    public JournalChanges Pending() => new(
        [.. _pending.Where(change => change.Value is not null).Select(change => new StoredField(change.Key, change.Value!.Value))],
        [.. _pending.Where(change => change.Value is null).Select(change => change.Key)]);

    /// <summary>What was under way is stored.</summary>
    public void Written()
    {
        if (_underWay is null)
        {
            return;
        }

        foreach ((string name, ReadOnlyMemory<byte>? value) in _underWay)
        {
            // A field that was set again meanwhile stands in the record.
            if (value is null && SessionStateCodec.IsOutgoingName(name, out ushort packetId) && !_pending.ContainsKey(name)
                && _outgoing.Remove(packetId, out OutgoingRecord record) && record.IsInherited)
            {
                _inherited--;
            }
        }

        _underWay = null;
        _written = _write - 1;
    }

    /// <summary>What was under way may or may not be stored: it is written again, but for what has changed since.</summary>
    public void Failed()
    {
        if (_underWay is null)
        {
            return;
        }

        foreach ((string name, ReadOnlyMemory<byte>? value) in _underWay)
        {
            _pending.TryAdd(name, value);
        }

        _underWay = null;
    }

    /// <summary>The next step whose changes are stored.</summary>
    public bool TryRelease(out JournalWait wait)
    {
        if (_waits.TryPeek(out (long Write, JournalWait Wait) first) && first.Write <= _written)
        {
            wait = _waits.Dequeue().Wait;
            return true;
        }

        wait = default;
        return false;
    }

    /// <summary>Takes some steps out; the others keep their order.</summary>
    public List<JournalWait> Remove(Predicate<JournalWait> goes)
    {
        List<JournalWait> removed = [];
        for (int left = _waits.Count; left > 0; left--)
        {
            (long Write, JournalWait Wait) next = _waits.Dequeue();
            if (goes(next.Wait))
            {
                removed.Add(next.Wait);
            }
            else
            {
                _waits.Enqueue(next);
            }
        }

        return removed;
    }

    /// <summary>Takes every step that waits, for a session that is let go.</summary>
    public bool TryAbandon(out JournalWait wait)
    {
        bool found = _waits.TryDequeue(out (long Write, JournalWait Wait) first);
        wait = first.Wait;
        return found;
    }

    /// <summary>Whether a packet identifier stands in the record, so that it must not be given again yet.</summary>
    public bool HasOutgoing(ushort packetId) => _outgoing.ContainsKey(packetId);

    /// <summary>An outgoing message stands in the record with the next write.</summary>
    public void AddOutgoing(ushort packetId, int group, LogPosition position) =>
        _outgoing[packetId] = new OutgoingRecord(group, position, IsDone: false, IsInherited: false);

    /// <summary>An outgoing message stands in the record of a session that came here. Once each, before anything is sent.</summary>
    public void InheritOutgoing(ushort packetId, int group, LogPosition position)
    {
        _outgoing.Add(packetId, new OutgoingRecord(group, position, IsDone: false, IsInherited: true));
        _inherited++;
    }

    /// <summary>
    /// The device has finished an outgoing message. Its field stays to mask its position, so that a reading from a
    /// checkpoint passes it over; without a position, or where the written checkpoint has passed it already (it counts what
    /// the device has received as done), there is nothing to mask.
    /// </summary>
    public void OutgoingDone(ushort packetId)
    {
        if (!_outgoing.TryGetValue(packetId, out OutgoingRecord record))
        {
            return;
        }

        _outgoing[packetId] = record with { IsDone = true };
        if (record.Position.IsNone || IsCovered(record, _covered))
        {
            Delete(SessionStateCodec.OutgoingName(packetId));
        }
    }

    /// <summary>A written checkpoint says that the session is done up to these positions: what they cover needs no mask.</summary>
    public void CheckpointWritten(IReadOnlyList<LogPosition> positions)
    {
        _covered = positions;
        foreach ((ushort packetId, OutgoingRecord record) in _outgoing)
        {
            if (record.IsDone && IsCovered(record, positions))
            {
                Delete(SessionStateCodec.OutgoingName(packetId));
            }
        }
    }

    /// <summary>
    /// Whether the record is full, and no write that waits or is under way lets go of anything in it: then what holds the node's
    /// checkpoint back may wait for this very session.
    /// </summary>
    public bool IsStuck => IsFull && !_outgoing.Keys.Any(packetId => IsUnwritten(SessionStateCodec.OutgoingName(packetId)));

    /// <summary>The record itself says, with the next write, up to where the session is done, where that lets go of anything.</summary>
    public void PositionsRecorded(IReadOnlyList<GroupPosition> positions)
    {
        var covered = new LogPosition[positions.Count == 0 ? 0 : positions.Max(position => position.Group) + 1];
        foreach (GroupPosition position in positions)
        {
            covered[position.Group] = position.Position;
        }

        if (_outgoing.Values.Any(record => record.IsDone && IsCovered(record, covered)))
        {
            Set(SessionStateCodec.Positions(positions));
            CheckpointWritten(covered);
        }
    }

    private static bool IsCovered(in OutgoingRecord record, IReadOnlyList<LogPosition> positions) =>
        record.Group >= 0 && record.Group < positions.Count && record.Position <= positions[record.Group];

    /// <summary>Done messages that still stand in the record, for a write of the whole session.</summary>
    public IEnumerable<(ushort PacketId, int Group, LogPosition Position)> DoneOutgoing() =>
        _outgoing.Where(record => record.Value.IsDone).Select(record => (record.Key, record.Value.Group, record.Value.Position));
}
