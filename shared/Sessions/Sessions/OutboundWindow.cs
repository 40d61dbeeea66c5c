namespace Trunkline.Sessions;

/// <summary>Where an outgoing QoS 1 or 2 message stands.</summary>
internal enum OutboundState : byte
{
    /// <summary>Acknowledged; the slot waits for its elders to leave.</summary>
    Done,

    /// <summary>QoS 2, written ahead: PUBLISH goes out when its record is stored.</summary>
    AwaitingRecord,

    /// <summary>Restored: it was in flight before, and its message is being read from the log to be sent again.</summary>
    AwaitingMessage,

    /// <summary>QoS 2, of a share: PUBLISH goes out when the group has made the message this session's.</summary>
    AwaitingTake,

    /// <summary>PUBLISH sent, PUBACK or PUBREC awaited.</summary>
    AwaitingAcknowledgement,

    /// <summary>PUBREC received, PUBREL sent, PUBCOMP awaited; the message itself is no longer needed [MQTT-4.3.3-6].</summary>
    AwaitingCompletion,
}

/// <summary>One outgoing QoS 1 or 2 message with its packet identifier.</summary>
internal struct OutboundEntry
{
    public PendingMessage Pending;

    /// <summary>Where the message stands in its group's log; known longer than the message is held.</summary>
    public LogPosition Position;

    /// <summary>The group of that log, or -1.</summary>
    public int Group;

    public ushort PacketId;
    public OutboundState State;

    /// <summary>The order of sending; rises within the session, on whatever node.</summary>
    public ulong Order;

    /// <summary>Whether it went out on the connection of now; after a reconnect it is sent again first.</summary>
    public bool IsSent;

    /// <summary>Whether the share it came from was told that it is done.</summary>
    public bool IsShareDone;

    /// <summary>What the share knows it by.</summary>
    public readonly SharedPlace Place => new(Pending.Share, Group, Position);
}

/// <summary>
/// The QoS 1 and 2 messages in flight towards one client, in the order they were sent, so that a resend keeps order
/// [MQTT-4.6.0-1] (3.1.1). Packet identifiers rise through 1..65,535 and are given again only when free [MQTT-2.2.1-4].
/// </summary>
/// <remarks>
/// <code>
///   head                                       tail
///    v                                          v
///  [ id 7, awaiting ack ][ id 8, done ][ id 9 ][ free ]   done slots leave when they reach the head
/// </code>
/// The window holds at most a few hundred entries, so a scan from the head (where the answer nearly always lies) beats
/// any index.
/// </remarks>
internal sealed class OutboundWindow
{
    private OutboundEntry[] _ring = new OutboundEntry[4];
    private int _head;
    private int _span;
    private ushort _lastPacketId;

    /// <summary>Entries not done: what counts against Receive Maximum [MQTT-3.3.4-9].</summary>
    public int InFlight { get; private set; }

    /// <summary>Entries that still have to be sent again on the connection of now.</summary>
    public int Unsent { get; set; }

    /// <summary>The packet identifier given last; set when an empty window is lent to a session.</summary>
    public ushort LastPacketId
    {
        get => _lastPacketId;
        set => _lastPacketId = value;
    }

    /// <summary>Slots the ring has; a window that grew large is not kept for others.</summary>
    public int Capacity => _ring.Length;

    /// <summary>Slots from head to tail, done ones included; indexes run from 0 to this.</summary>
    public int Span => _span;

    public ref OutboundEntry this[int index] => ref _ring[(_head + index) & (_ring.Length - 1)];

    /// <summary>Adds a message under a free packet identifier and takes over its reference.</summary>
    /// <param name="pending">The message.</param>
    /// <param name="order">Its place in the order of sending.</param>
    /// <param name="journal">Names the identifiers that stand in the session's record and are not free either; may be null.</param>
    public ref OutboundEntry Add(in PendingMessage pending, ulong order, SessionJournal? journal)
    {
        if (_span == _ring.Length)
        {
            Grow();
        }

        ref OutboundEntry entry = ref this[_span];
        entry.Pending = pending;
        entry.Position = pending.Message.Position;
        entry.Group = pending.Message.Group;
        entry.PacketId = NextPacketId(journal);
        entry.Order = order;
        entry.State = OutboundState.AwaitingAcknowledgement;
        entry.IsSent = true;
        _span++;
        InFlight++;
        return ref entry;
    }

    /// <summary>Adds a message that was in flight before, under its own identifier; not sent yet.</summary>
    public void Restore(in OutboundEntry restored)
    {
        if (_span == _ring.Length)
        {
            Grow();
        }

        this[_span++] = restored;
        InFlight++;
    }

    /// <summary>The index of the entry with this packet identifier, or -1.</summary>
    public int Find(ushort packetId)
    {
        for (int i = 0; i < _span; i++)
        {
            ref OutboundEntry entry = ref this[i];
            if (entry.PacketId == packetId && entry.State != OutboundState.Done)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Marks an entry done and lets go of what is done at the head.</summary>
    public void Finish(int index)
    {
        ref OutboundEntry entry = ref this[index];
        entry.Pending.Message?.Release();
        entry.Pending = default;
        entry.State = OutboundState.Done;
        InFlight--;
        while (_span > 0 && this[0].State == OutboundState.Done)
        {
            this[0] = default;
            _head = (_head + 1) & (_ring.Length - 1);
            _span--;
        }
    }

    /// <summary>
    /// The connection is gone: everything has to be sent again on the next one [MQTT-4.4.0-1], but for what waits for its
    /// record and was never sent.
    /// </summary>
    public void MarkUnsent()
    {
        Unsent = 0;
        for (int i = 0; i < _span; i++)
        {
            ref OutboundEntry entry = ref this[i];
            entry.IsSent = entry.State == OutboundState.AwaitingRecord;
            Unsent += entry.State == OutboundState.Done || entry.IsSent ? 0 : 1;
        }
    }

    public void Clear()
    {
        for (int i = 0; i < _span; i++)
        {
            this[i].Pending.Message?.Release();
            this[i] = default;
        }

        _head = 0;
        _span = 0;
        InFlight = 0;
        Unsent = 0;
    }

    private ushort NextPacketId(SessionJournal? journal)
    {
        do
        {
            _lastPacketId = _lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastPacketId + 1);
        }
        while ((IsInSpan(_lastPacketId) && Find(_lastPacketId) >= 0) || journal?.HasOutgoing(_lastPacketId) == true);

        return _lastPacketId;
    }

    /// <summary>Identifiers in the ring rise from the head's; only one within that arc can be taken.</summary>
    private bool IsInSpan(ushort packetId)
    {
        if (_span == 0)
        {
            return false;
        }

        int first = this[0].PacketId;
        int last = this[_span - 1].PacketId;
        int distance = (packetId - first + 65_535) % 65_535;
        return distance <= (last - first + 65_535) % 65_535;
    }

    private void Grow()
    {
        var larger = new OutboundEntry[_ring.Length * 2];
        for (int i = 0; i < _span; i++)
        {
            larger[i] = this[i];
        }

        _ring = larger;
        _head = 0;
    }
}
