using System.Text;
using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Links.Tests;

/// <summary>What a device got.</summary>
internal sealed record Got(string Topic, string Payload, QoS QoS, bool Retain, bool Duplicate, uint[] Identifiers);

/// <summary>An MQTT 5 (or 3.1.1) device over a memory transport, driven by the test. Answers QoS 1 and 2 by itself.</summary>
internal sealed class TestDevice(string clientId, ProtocolVersion version = ProtocolVersion.Mqtt50) : ITransportHandler, IConnectAttempt
{
    private Transport? _transport;
    private ushort _lastPacketId;

    public string ClientId { get; } = clientId;

    public List<Got> Received { get; } = [];

    public Dictionary<ushort, ReasonCode> Acknowledged { get; } = [];

    public Dictionary<ushort, ReasonCode[]> SubAcks { get; } = [];

    /// <summary>Packets in the order they came, in words.</summary>
    public List<string> Trace { get; } = [];

    public ReasonCode? ConnAck { get; private set; }

    public bool SessionPresent { get; private set; }

    /// <summary>Whether the session is to be resumed and to outlive the connection.</summary>
    public bool IsPersistent { get; init; }

    /// <summary>
    /// QoS 2 packet identifiers between PUBLISH and PUBREL, kept over connections as a device must: a PUBLISH under one of
    /// them is the same message again [MQTT-4.3.3-10]. Null where the test does not care.
    /// </summary>
    public HashSet<ushort>? Exchanges { get; init; }

    public int ReceiveMaximum { get; init; } = 65_535;

    /// <summary>While it does not answer, what it would answer is kept for <see cref="AnswerAll"/>.</summary>
    public bool Answers { get; set; } = true;

    private List<(PacketType Type, ushort Id)> Owed { get; } = [];

    public bool IsClosed { get; private set; }

    public bool KeepsMessages { get; set; } = true;

    public long ReceivedCount { get; private set; }

    public Transport Transport => _transport!;

    public void OnConnected(Transport transport)
    {
        _transport = transport;
        transport.Handler = this;
        PacketWriter.WriteConnect(transport.Output, new ConnectPacket
        {
            Version = version,
            CleanStart = !IsPersistent,
            SessionExpiryInterval = IsPersistent && version == ProtocolVersion.Mqtt50 ? 3600u : 0,
            ClientId = Encoding.UTF8.GetBytes(ClientId),
            KeepAliveSeconds = 0,
            ReceiveMaximum = (ushort)ReceiveMaximum,
        });
    }

    public void OnConnectFailed(string reason) => IsClosed = true;

    public ushort Publish(string topic, string payload, QoS qos = QoS.AtMostOnce, bool retain = false, uint? expiry = null)
    {
        ushort packetId = qos == QoS.AtMostOnce ? (ushort)0 : Next();
        new PublishEncoder
        {
            Version = version,
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(payload),
            QoS = qos,
            Retain = retain,
            PacketId = packetId,
            RemainingExpirySeconds = expiry,
        }.Write(_transport!.Output);
        return packetId;
    }

    public ushort Subscribe(
        string filter, QoS qos = QoS.AtLeastOnce, uint identifier = 0, bool noLocal = false, RetainHandling handling = RetainHandling.SendAtSubscribe)
    {
        ushort packetId = Next();
        PacketWriter.WriteSubscribe(
            _transport!.Output, version, packetId, Encoding.UTF8.GetBytes(filter),
            SubscriptionOptions.Create(qos, noLocal, retainHandling: handling), identifier);
        return packetId;
    }

    public void Unsubscribe(string filter) =>
        PacketWriter.WriteUnsubscribe(_transport!.Output, version, Next(), Encoding.UTF8.GetBytes(filter));

    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        int used = 0;
        while (FrameReader.TryRead(bytes[used..], 0, version, out Frame frame, out _) == FrameStatus.Complete)
        {
            used += frame.TotalLength;
            Take(frame);
        }

        return used;
    }

    public void OnWritable()
    {
    }

    public void OnClosed(TransportCloseReason reason)
    {
        IsClosed = true;
        Trace.Add($"closed: {reason}");
    }

    private ushort Next() => _lastPacketId = _lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastPacketId + 1);

    private void Take(in Frame frame)
    {
        switch (frame.Type)
        {
            case PacketType.ConnAck:
                ConnAckPacket.TryParse(frame, version, out ConnAckPacket connAck, out _);
                ConnAck = connAck.ReasonCode;
                SessionPresent = connAck.SessionPresent;
                break;
            case PacketType.Publish:
                TakePublish(frame);
                break;
            case PacketType.PubAck:
                PubAckPacket.TryParse(frame, version, out PubAckPacket pubAck, out _);
                Acknowledged[pubAck.PacketId] = pubAck.ReasonCode;
                break;
            case PacketType.PubRec:
                PubRecPacket.TryParse(frame, version, out PubRecPacket pubRec, out _);
                Acknowledged[pubRec.PacketId] = pubRec.ReasonCode;
                if (!ReasonCodes.IsError(pubRec.ReasonCode))
                {
                    PacketWriter.WritePubRel(_transport!.Output, version, pubRec.PacketId);
                }

                break;
            case PacketType.PubRel:
                PubRelPacket.TryParse(frame, version, out PubRelPacket pubRel, out _);
                Exchanges?.Remove(pubRel.PacketId);
                Answer(PacketType.PubComp, pubRel.PacketId);
                break;
            case PacketType.Disconnect:
                DisconnectPacket.TryParse(frame, version, PacketSender.Server, out DisconnectPacket disconnect, out _);
                Trace.Add($"disconnect: {disconnect.ReasonCode} {Encoding.UTF8.GetString(disconnect.ReasonString)}");
                break;
            case PacketType.SubAck:
                SubAckPacket.TryParse(frame, version, out SubAckPacket subAck, out _);
                SubAcks[subAck.PacketId] = subAck.ReasonCodes.ToArray();
                Trace.Add("suback");
                break;
        }
    }

    private void TakePublish(in Frame frame)
    {
        Assert.True(PublishPacket.TryParse(frame, version, PacketSender.Server, out PublishPacket packet, out ProtocolError error), error.Message);
        ReceivedCount++;
        bool isRepeat = packet.QoS == QoS.ExactlyOnce && Exchanges?.Add(packet.PacketId) == false;
        if (KeepsMessages && !isRepeat)
        {
            List<uint> identifiers = [];
            foreach (uint identifier in packet.Properties.SubscriptionIdentifiers)
            {
                identifiers.Add(identifier);
            }

            Assert.False(packet.Properties.UserProperties.TryFind("tl"u8, out _), "our own property reached a device");
            string payload = Encoding.UTF8.GetString(packet.Payload);
            Received.Add(new Got(Encoding.UTF8.GetString(packet.Topic), payload, packet.QoS, packet.Retain, packet.Duplicate, [.. identifiers]));
            Trace.Add(payload);
        }

        if (packet.QoS == QoS.AtLeastOnce)
        {
            Answer(PacketType.PubAck, packet.PacketId);
        }
        else if (packet.QoS == QoS.ExactlyOnce)
        {
            Answer(PacketType.PubRec, packet.PacketId);
        }
    }

    /// <summary>Answers what it owes, at most so many, and goes on answering.</summary>
    public void AnswerAll(int count = int.MaxValue)
    {
        Answers = count == int.MaxValue;
        foreach ((PacketType type, ushort id) in Owed.Take(count).ToArray())
        {
            Owed.RemoveAt(0);
            Write(type, id);
        }
    }

    private void Answer(PacketType type, ushort id)
    {
        if (Answers)
        {
            Write(type, id);
        }
        else
        {
            Owed.Add((type, id));
        }
    }

    private void Write(PacketType type, ushort id)
    {
        switch (type)
        {
            case PacketType.PubAck:
                PacketWriter.WritePubAck(_transport!.Output, version, id);
                break;
            case PacketType.PubRec:
                PacketWriter.WritePubRec(_transport!.Output, version, id);
                break;
            default:
                PacketWriter.WritePubComp(_transport!.Output, version, id);
                break;
        }
    }
}
