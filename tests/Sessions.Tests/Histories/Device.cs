namespace Trunkline.Sessions.Tests.Histories;

/// <summary>
/// One device of a history and what the model knows of it. It publishes on its own topics with numbers that rise, keeps
/// what it has not seen acknowledged, and checks everything it receives.
/// </summary>
internal sealed class Device(TestBed bed, string name, ProtocolVersion version, int receiveMaximum)
{
    private readonly Dictionary<ushort, (QoS QoS, string Topic, string Payload, bool IsReleased)> _unacknowledged = [];
    private readonly List<ushort> _sendOrder = [];
    private readonly Dictionary<ushort, string> _openIn = [];
    private readonly HashSet<ushort> _awaitingRelease = [];
    private readonly List<Packet> _toAnswer = [];
    private readonly Dictionary<string, int> _lastFirst = [];
    private readonly HashSet<ushort> _sinceConnect = [];
    private readonly HashSet<string> _got = [];
    private readonly HashSet<string> _promised = [];
    private int _number;
    private ushort _nextId;
    private bool _hasConnected;

    public string Name => name;

    public TestClient? Client { get; private set; }

    public bool IsSubscribed { get; private set; }

    public int Unacknowledged => _unacknowledged.Count;

    /// <summary>Payloads published at QoS 1 and 2, as the router took them for the first time.</summary>
    public void Promise(string payload) => _promised.Add(payload);

    public void Connect()
    {
        Client = bed.Open(
            new ConnectSettings(version, name) { Clean = false, Expiry = uint.MaxValue, ReceiveMaximum = (ushort)receiveMaximum },
            out Packet connAck);
        Assert.Equal(_hasConnected && version != ProtocolVersion.Mqtt31, connAck.SessionPresent);
        _hasConnected = true;
        _toAnswer.Clear();
        _sinceConnect.Clear();
        foreach (ushort id in _sendOrder.ToArray())
        {
            (QoS qos, string topic, string payload, bool isReleased) = _unacknowledged[id];
            if (isReleased)
            {
                Client.PubRel(id);
            }
            else
            {
                Client.Publish(topic, payload, qos, id, duplicate: true);
            }
        }
    }

    public void Subscribe()
    {
        Client!.SendSubscribe(60_000, 0, ("h/#", SubscriptionOptions.Create(QoS.ExactlyOnce)));
        IsSubscribed = true;
    }

    public void Publish(Random random)
    {
        if (_unacknowledged.Count >= 20)
        {
            return;
        }

        var qos = (QoS)random.Next(3);
        string topic = $"h/{name}/{(int)qos}";
        string payload = $"{topic}:{++_number}";
        ushort id = 0;
        if (qos != QoS.AtMostOnce)
        {
            do
            {
                id = _nextId = (ushort)((_nextId % 200) + 1);
            }
            while (_unacknowledged.ContainsKey(id));
            _unacknowledged.Add(id, (qos, topic, payload, false));
            _sendOrder.Add(id);
        }

        Client!.Publish(topic, payload, qos, id);
    }

    /// <summary>The connection ends; what was on its way to the device may be lost with it.</summary>
    public void Leave(bool politely, bool losesOutput)
    {
        if (!losesOutput)
        {
            Receive();
        }

        if (politely)
        {
            Client!.Disconnect();
        }
        else
        {
            Client!.Drop();
        }

        Client = null;
    }

    /// <summary>Reads what came; answers some of it, in any order that the protocol allows.</summary>
    public void Work(Random random, bool all)
    {
        Receive();
        if (version == ProtocolVersion.Mqtt50 || all)
        {
            // PUBACK and PUBREC leave in the order of arrival.
            int count = all ? _toAnswer.Count : random.Next(_toAnswer.Count + 1);
            for (int i = 0; i < count; i++)
            {
                Answer(_toAnswer[i]);
            }

            _toAnswer.RemoveRange(0, count);
        }
        else if (_toAnswer.Count > 0)
        {
            int index = random.Next(_toAnswer.Count);
            Packet packet = _toAnswer[index];
            _toAnswer.RemoveAt(index);
            Answer(packet);
        }

        Receive();
    }

    /// <summary>Everything promised arrived, and nothing is open any more.</summary>
    public void AssertComplete()
    {
        Assert.Empty(_unacknowledged);
        Assert.Empty(_openIn);
        Assert.Empty(_awaitingRelease);
        Assert.Empty(_promised.Except(_got));
        Assert.Equal(0, Client!.Session.InFlight);
        Assert.Equal(0, Client.Session.Waiting);
        Assert.Equal(0, Client.Session.InboundExchanges);
        Assert.Equal(0, Client.Channel.InboundUnfinished);
    }

    private void Receive()
    {
        foreach (Packet packet in Client!.Take())
        {
            switch (packet.Type)
            {
                case PacketType.PubAck:
                case PacketType.PubComp:
                    Assert.True(_unacknowledged.Remove(packet.Id), $"{name}: {packet.Type} {packet.Id} for nothing");
                    _sendOrder.Remove(packet.Id);
                    break;
                case PacketType.PubRec:
                    Assert.Equal(ReasonCode.Success, packet.Reason);
                    if (_unacknowledged.TryGetValue(packet.Id, out (QoS QoS, string Topic, string Payload, bool IsReleased) open))
                    {
                        _unacknowledged[packet.Id] = open with { IsReleased = true };
                        Client.PubRel(packet.Id);
                    }

                    break;
                case PacketType.Publish:
                    ReceivePublish(packet);
                    break;
                case PacketType.PubRel:
                    _toAnswer.Add(packet);
                    break;
                case PacketType.SubAck:
                    break;
                default:
                    Assert.Fail($"{name} got {packet}");
                    break;
            }
        }
    }

    private void ReceivePublish(Packet packet)
    {
        string payload = packet.Payload;
        int number = int.Parse(payload[(payload.IndexOf(':', StringComparison.Ordinal) + 1)..], System.Globalization.CultureInfo.InvariantCulture);
        if (packet.QoS == QoS.AtMostOnce)
        {
            AssertOrder(packet.Topic, number);
            return;
        }

        Assert.NotEqual(0, packet.Id);
        if (_openIn.TryGetValue(packet.Id, out string? open))
        {
            Assert.True(packet.Duplicate, $"{name}: id {packet.Id} is used twice: {open} and {payload}");
            Assert.Equal(open, payload);
            Assert.True(_sinceConnect.Add(packet.Id), $"{name}: {payload} came twice on one connection");
        }
        else
        {
            // A message of which the device had seen nothing yet: its first copy may have died with a connection.
            _openIn.Add(packet.Id, payload);
            _sinceConnect.Add(packet.Id);
            Assert.DoesNotContain(packet.Id, _awaitingRelease);
            if (packet.QoS == QoS.ExactlyOnce)
            {
                Assert.True(_got.Add(payload), $"{name}: {payload} was delivered twice");
            }

            // What was published before the filter was live may come late, when its publisher repeats it.
            if ((packet.QoS == QoS.ExactlyOnce || _got.Add(payload)) && _promised.Contains(payload))
            {
                AssertOrder(packet.Topic, number);
            }
        }

        _toAnswer.Add(packet);
        Assert.True(_sinceConnect.Count(_openIn.ContainsKey) <= receiveMaximum, $"{name}: more is open than the Receive Maximum");
    }

    private void Answer(Packet packet)
    {
        switch (packet)
        {
            case { Type: PacketType.PubRel }:
                _awaitingRelease.Remove(packet.Id);
                Client!.PubComp(packet.Id);
                break;
            case { QoS: QoS.AtLeastOnce }:
                _openIn.Remove(packet.Id);
                Client!.PubAck(packet.Id);
                break;
            default:
                _openIn.Remove(packet.Id);
                _awaitingRelease.Add(packet.Id);
                Client!.PubRec(packet.Id);
                break;
        }
    }

    private void AssertOrder(string topic, int number)
    {
        Assert.True(number > _lastFirst.GetValueOrDefault(topic), $"{name}: {topic}:{number} came after {_lastFirst.GetValueOrDefault(topic)}");
        _lastFirst[topic] = number;
    }
}
