using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>
/// A device with a session that outlives its connections, as MQTT has it: it keeps what it has not got acknowledged, sends
/// it again with DUP, and keeps open QoS 2 exchanges over connections [MQTT-4.4.0-1, 4.3.3]. Whatever it sees goes to the ledger.
/// </summary>
internal sealed class ModelDevice(ModelTier tier, string clientId, QoS? subscribes, bool hasWill)
{
    private readonly List<Outgoing> _outgoing = [];
    private readonly HashSet<ushort> _exchanges = [];

    // Connections it has turned its back on before CONNACK. Their CONNECT may be taken after a later one, and end that one's
    // connection: a node knows only when it came to it.
    private readonly List<DeviceConnection> _unanswered = [];
    private readonly List<DeviceConnection> _ended = [];
    private readonly HashSet<string> _held = new(StringComparer.Ordinal);
    private ushort _lastId;
    private bool _wasAccepted;
    private bool _mayBeStored;
    private int _connections;
    private int _filters = 1;

    public string ClientId => clientId;

    /// <summary>Whether its session ends with its connection: then it gives up what was not acknowledged by then.</summary>
    public bool IsClean { get; init; }

    /// <summary>Whether it subscribes as a member of the shared subscription.</summary>
    public bool IsMember { get; init; }

    /// <summary>What it publishes is filled up to this; see <see cref="Settings.PayloadBytes"/>.</summary>
    public int PayloadBytes => tier.Settings.PayloadBytes;

    /// <summary>Whether what it publishes is retained.</summary>
    public bool Retains => tier.Settings.Retains;

    /// <summary>The connection it uses now; older ones it has turned its back on.</summary>
    public DeviceConnection? Connection { get; private set; }

    public bool IsOnline => Connection is { IsAccepted: true };

    public bool IsPublisher => subscribes is null;

    /// <summary>Whether it answers what comes at once; else only when told.</summary>
    public bool AnswersAtOnce { get; set; } = true;

    /// <summary>Answers it owes.</summary>
    public int Owed => Connection?.Owed.Count ?? 0;

    public bool HasOutgoing => _outgoing.Count > 0;

    /// <summary>Whether every subscription it wants was granted.</summary>
    public bool IsSubscribed => Filters.All(_held.Contains);

    private IReadOnlyList<string> Filters =>
        subscribes is null ? [] : IsMember ? tier.Settings.ShareFilters : tier.Settings.Filters;

    private Ledger Ledger => tier.Ledger;

    /// <summary>Connects to a node. A connection it still has is left as it is: the device moved, the node has not noticed.</summary>
    public void Connect(ModelNode node)
    {
        if (Connection is { Will: { } before } moved)
        {
            Ledger.Turned(before, moved.Node.IsDraining ? WillState.MayCome : WillState.Due);
            _ended.Add(moved);
        }

        if (Connection is { IsAccepted: false } unanswered)
        {
            _unanswered.Add(unanswered);
        }

        _connections++;
        if (IsClean)
        {
            _outgoing.RemoveAll(outgoing => outgoing.Stage != Stage.Waiting);
        }

        string? will = hasWill ? $"will of {clientId}, connection {_connections}" : null;
        if (will is not null)
        {
            Ledger.Gave(will);
        }

        Connection = new DeviceConnection(this, _connections, node, will);
        node.Devices.Connect(tier.DeviceSeat.Loop, Connection);
    }

    /// <summary>The connection is cut, and the node sees it.</summary>
    public void Drop() => End(WillState.Due, connection => connection.Transport?.Close(TransportClose.Abort));

    /// <summary>DISCONNECT, then the end.</summary>
    public void Leave() => End(WillState.MayCome, connection =>
    {
        if (connection.Transport is { } transport)
        {
            PacketWriter.WriteDisconnect(transport.Output, ProtocolVersion.Mqtt50, default);
            transport.Close(TransportClose.Graceful);
        }
    });

    /// <summary>Ends a connection that gets no CONNACK, as devices do after a while; asked once a second.</summary>
    public void GiveUpHopeless()
    {
        if (Connection is { IsAccepted: false } connection && (connection.Node.IsGone || ++connection.WaitedSeconds > 3))
        {
            Drop();
        }
    }

    public void Publish(string topic, QoS qos)
    {
        if (IsClean && !IsOnline)
        {
            // Nobody knows yet in which session it would be sent.
            return;
        }

        // What a clean session gave up may still arrive, after what the next one sent: each is a publisher of its own.
        string publisher = IsClean ? $"{clientId}.{_connections}" : clientId;
        _outgoing.Add(new Outgoing(Ledger.Take(publisher, topic, qos), NextId()));
        SendWaiting();
    }

    /// <summary>Answers so many of the messages it owes an answer.</summary>
    public void Answer(int count)
    {
        while (count-- > 0 && Connection is { Owed.Count: > 0 } connection)
        {
            (PacketType type, ushort id) = connection.Owed.Dequeue();
            connection.Write(type, id);
        }
    }

    public void Accepted(DeviceConnection connection, in ConnAckPacket packet)
    {
        if (packet.ReasonCode != ReasonCode.Success)
        {
            // Refused: the will that CONNECT carried may stand in the record all the same.
            return;
        }

        Tell(connection, $"is accepted, session present {packet.SessionPresent}");
        connection.IsAccepted = true;
        if (connection.Will is { } will)
        {
            _unanswered.RemoveAll(before => before.IsOver || before.Node.IsGone);
            Ledger.Turned(will, _unanswered.Count > 0 ? WillState.MayCome : WillState.Open);
        }

        if (_wasAccepted && !IsClean && !packet.SessionPresent)
        {
            Ledger.Violate($"{clientId} was told that it has no session");
        }
        else if ((IsClean || !_mayBeStored) && packet.SessionPresent)
        {
            Ledger.Violate($"{clientId} was told that it has a session, but it never had one");
        }

        if (!packet.SessionPresent)
        {
            _exchanges.Clear();
            _held.Clear();
        }

        _wasAccepted = true;
        foreach (Outgoing outgoing in _outgoing.Where(outgoing => outgoing.Stage != Stage.Waiting))
        {
            if (outgoing.Stage == Stage.Sent)
            {
                Ledger.Left(outgoing.Message);
                connection.Write(outgoing, duplicate: true);
            }
            else
            {
                connection.Write(PacketType.PubRel, outgoing.PacketId);
            }
        }

        Subscribe();
        SendWaiting();
    }

    public void Tell(DeviceConnection connection, string what) =>
        Ledger.Story?.Add($"  {clientId}/{connection.Number} {what}");

    /// <summary>CONNECT is out: the tier may have a session of this device from now on.</summary>
    public void Asked() => _mayBeStored = true;

    /// <summary>SUBSCRIBE leaves: what is retained by now is asked for.</summary>
    public void Subscribing(string filter)
    {
        foreach (string topic in tier.Settings.Matching(filter))
        {
            if (Retains)
            {
                Ledger.Asked(clientId, topic);
            }

            if (!IsMember)
            {
                Ledger.Wanted(clientId, topic);
            }
        }
    }

    /// <summary>Wants one filter more, where filters come one by one.</summary>
    public void SubscribeMore()
    {
        _filters++;
        if (IsOnline)
        {
            Subscribe();
        }
    }

    public void SubAcked(string filter)
    {
        if (_held.Add(filter))
        {
            if (IsMember)
            {
                Ledger.Joined(tier.Settings.Matching(filter));
                return;
            }

            foreach (string topic in tier.Settings.Matching(filter))
            {
                Ledger.SubAcked(clientId, topic, subscribes!.Value);
            }
        }
    }

    public void Got(DeviceConnection connection, in PublishPacket packet)
    {
        string payload = System.Text.Encoding.UTF8.GetString(packet.Payload).TrimEnd();
        Tell(connection, $"gets \"{payload}\" at QoS {(int)packet.QoS} under {packet.PacketId}{(packet.Retain ? ", as retained" : "")}{(packet.Duplicate ? ", DUP" : "")}");
        if (packet.QoS != QoS.ExactlyOnce || _exchanges.Add(packet.PacketId))
        {
            if (IsMember)
            {
                Ledger.Shared(clientId, payload, tier.Settings.IsShareExact);
            }
            else
            {
                Ledger.Delivered(clientId, subscribes!.Value, payload, packet.Retain);
            }
        }

        Owe(connection, packet.QoS == QoS.ExactlyOnce ? PacketType.PubRec : PacketType.PubAck, packet.PacketId);
    }

    public void Released(DeviceConnection connection, ushort id)
    {
        _exchanges.Remove(id);
        Owe(connection, PacketType.PubComp, id);
    }

    /// <summary>PUBACK, PUBREC or PUBCOMP for one of its own.</summary>
    public void Acknowledged(DeviceConnection connection, PacketType type, ushort id, ReasonCode reason)
    {
        if (_outgoing.Find(outgoing => outgoing.PacketId == id) is not { } outgoing)
        {
            return;
        }

        if (type == PacketType.PubComp || ReasonCodes.IsError(reason))
        {
            _outgoing.Remove(outgoing);
            return;
        }

        Ledger.Acknowledged(outgoing.Message);
        if (type == PacketType.PubRec)
        {
            outgoing.Stage = Stage.Received;
            connection.Write(PacketType.PubRel, id);
        }
        else
        {
            _outgoing.Remove(outgoing);
        }
    }

    /// <summary>
    /// A node begins to stop. What ended before, but not in the node's eyes, it sends away; and then the device's next connection
    /// drops the will that was due.
    /// </summary>
    public void SentAwayBy(ModelNode node) => _ended.FindAll(connection => connection.Node == node).ForEach(connection => Ledger.Forgive(connection.Will!));

    /// <summary>A node that stops told it so: its will must not come, if that connection was its only one.</summary>
    public void SentAway(DeviceConnection connection)
    {
        if (connection.Will is { } will)
        {
            Ledger.Turned(will, WillState.SentAway);
        }
    }

    public void Closed(DeviceConnection connection)
    {
        if (ReferenceEquals(connection, Connection))
        {
            End(WillState.Due, static _ => { });
        }
    }

    private void End(WillState will, Action<DeviceConnection> close)
    {
        if (Connection is { } connection)
        {
            Connection = null;
            if (connection is { IsAccepted: false, IsOver: false })
            {
                _unanswered.Add(connection);
            }

            close(connection);
            if (connection.Will is { } given)
            {
                Ledger.Turned(given, connection.Node.IsDraining ? WillState.MayCome : will);
                _ended.Add(connection);
            }
        }
    }

    private void Owe(DeviceConnection connection, PacketType type, ushort id)
    {
        connection.Owed.Enqueue((type, id));
        if (AnswersAtOnce)
        {
            Answer(int.MaxValue);
        }
    }

    private void Subscribe()
    {
        int wanted = tier.Settings.FiltersComeLater ? _filters : int.MaxValue;
        foreach (string filter in Filters.Take(wanted).Where(filter => !_held.Contains(filter) && !Connection!.IsAsking(filter)))
        {
            Connection!.Subscribe(NextId(), filter, subscribes!.Value);
        }
    }

    private void SendWaiting()
    {
        if (IsOnline)
        {
            foreach (Outgoing outgoing in _outgoing.Where(outgoing => outgoing.Stage == Stage.Waiting))
            {
                outgoing.Stage = Stage.Sent;
                Ledger.Left(outgoing.Message);
                Connection!.Write(outgoing, duplicate: false);
            }
        }
    }

    private ushort NextId()
    {
        do
        {
            _lastId = _lastId == 200 ? (ushort)1 : (ushort)(_lastId + 1);
        }
        while (_outgoing.Exists(outgoing => outgoing.PacketId == _lastId));
        return _lastId;
    }

    internal enum Stage
    {
        Waiting,
        Sent,
        Received,
    }

    internal sealed class Outgoing(Sent message, ushort packetId)
    {
        public Sent Message { get; } = message;

        public ushort PacketId { get; } = packetId;

        public Stage Stage { get; set; }
    }
}
