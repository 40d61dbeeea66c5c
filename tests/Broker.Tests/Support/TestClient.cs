using System.Text;
using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Support;

/// <summary>
/// A small MQTT client on a memory transport: writes what it is told, keeps what comes, acknowledges QoS 1 and 2. Every
/// call runs the loop until it rests, unless <see cref="Hold"/> is set.
/// </summary>
internal sealed class TestClient : ITransportHandler
{
    private readonly TestBroker _broker;
    private readonly Transport _transport;
    private readonly ProtocolVersion _version;
    private ushort _packetId;

    public TestClient(TestBroker broker, Transport transport, ProtocolVersion version)
    {
        _broker = broker;
        _transport = transport;
        _version = version;
        transport.Handler = this;
    }

    /// <summary>Everything published to this client but tails and replies.</summary>
    public List<Received> Messages { get; } = [];

    public List<Received> Tails { get; } = [];

    public List<Received> Replies { get; } = [];

    /// <summary>Messages, tails and replies in the order they came.</summary>
    public List<Received> All { get; } = [];

    public List<(ushort PacketId, ReasonCode Reason)> Acknowledged { get; } = [];

    public List<(ushort PacketId, ReasonCode[] Reasons, string? Tl)> SubAcks { get; } = [];

    public ReasonCode? ConnAck { get; private set; }

    public bool SessionPresent { get; private set; }

    public string? ConnAckTl { get; private set; }

    public ReasonCode? Disconnected { get; private set; }

    public bool IsClosed { get; private set; }

    /// <summary>Do not run the loop after each call.</summary>
    public bool Hold { get; set; }

    /// <summary>Do not acknowledge what comes at QoS 1 and 2.</summary>
    public bool HoldAcknowledgements { get; set; }

    public string[] Payloads => [.. Messages.Select(message => message.Payload)];

    public Received LastReply => Replies[^1];

    public void Connect(string id, bool clean = true, uint expiry = 0, string? tl = null, ushort receiveMaximum = 65_535, uint maximumPacketSize = 0)
    {
        var properties = new UserPropertyBuilder(new byte[256]);
        if (tl is not null)
        {
            properties.TryAdd("tl"u8, Encoding.UTF8.GetBytes(tl));
        }

        PacketWriter.WriteConnect(_transport.Output, new ConnectPacket
        {
            Version = _version,
            ClientId = Encoding.UTF8.GetBytes(id),
            CleanStart = clean,
            SessionExpiryInterval = expiry,
            ReceiveMaximum = receiveMaximum,
            MaximumPacketSize = maximumPacketSize,
            UserProperties = properties.List,
            RequestProblemInformation = true,
        });
        Run();
    }

    public void Subscribe(
        string filter, QoS qos, uint identifier = 0, bool noLocal = false, bool retainAsPublished = false,
        RetainHandling retainHandling = RetainHandling.SendAtSubscribe)
    {
        PacketWriter.WriteSubscribe(
            _transport.Output, _version, ++_packetId, Encoding.UTF8.GetBytes(filter),
            SubscriptionOptions.Create(qos, noLocal, retainAsPublished, retainHandling), identifier);
        Run();
    }

    public void Unsubscribe(string filter)
    {
        PacketWriter.WriteUnsubscribe(_transport.Output, _version, ++_packetId, Encoding.UTF8.GetBytes(filter));
        Run();
    }

    /// <summary>Publishes, with a user property "id" if asked; returns the packet id (0 at QoS 0).</summary>
    public ushort Publish(string topic, string payload, QoS qos = QoS.AtLeastOnce, bool retain = false, string? tl = null, uint? expiry = null, string? id = null)
    {
        var properties = new UserPropertyBuilder(new byte[256]);
        if (id is not null)
        {
            properties.TryAdd("id"u8, Encoding.UTF8.GetBytes(id));
        }

        if (tl is not null)
        {
            properties.TryAdd("tl"u8, Encoding.UTF8.GetBytes(tl));
        }

        ushort packetId = qos == QoS.AtMostOnce ? (ushort)0 : ++_packetId;
        new PublishEncoder
        {
            Version = _version,
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(payload),
            ForwardableProperties = properties.Block,
            QoS = qos,
            Retain = retain,
            PacketId = packetId,
            RemainingExpirySeconds = expiry,
        }.Write(_transport.Output);
        Run();
        return packetId;
    }

    /// <summary>A request with response topic "reply" and its own text as correlation data.</summary>
    public void Request(string topic, string payload)
    {
        byte[] correlation = Encoding.UTF8.GetBytes(topic);
        byte[] properties =
        [
            (byte)PropertyId.ResponseTopic, 0, 5, .. "reply"u8,
            (byte)PropertyId.CorrelationData, 0, (byte)correlation.Length, .. correlation,
        ];
        new PublishEncoder
        {
            Version = _version,
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(payload),
            ForwardableProperties = properties,
        }.Write(_transport.Output);
        Run();
    }

    /// <summary>Requests, and turns the loop until the answer is here: what lies on disk is read first.</summary>
    public Received Ask(string topic, string payload)
    {
        int before = Replies.Count;
        Request(topic, payload);
        LoopUntil.Holds(_broker.Loop, () => Replies.Count > before, "the request is answered");
        return LastReply;
    }

    /// <summary>Reports lines about a share.</summary>
    public void Report(string share, params string[] lines) => Request("$trunkline/shares", $"share {share}\n{string.Join('\n', lines)}");

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_transport.Output.GetSpan(bytes.Length));
        _transport.Output.Advance(bytes.Length);
        Run();
    }

    public void Acknowledge(ushort packetId)
    {
        PacketWriter.WritePubAck(_transport.Output, _version, packetId);
        Run();
    }

    public void Pause() => _transport.PauseReading();

    public void Resume()
    {
        _transport.ResumeReading();
        Run();
    }

    public void Disconnect()
    {
        PacketWriter.WriteDisconnect(_transport.Output, _version, new DisconnectPacket());
        _transport.Close(TransportClose.Graceful);
        Run();
    }

    /// <summary>The connection breaks.</summary>
    public void Break()
    {
        _transport.Close(TransportClose.Abort);
        Run();
    }

    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        int used = 0;
        while (FrameReader.TryRead(bytes[used..], 0, out Frame frame, out _) == FrameStatus.Complete)
        {
            used += frame.TotalLength;
            Take(frame);
        }

        return used;
    }

    public void OnWritable()
    {
    }

    public void OnClosed(TransportCloseReason reason) => IsClosed = true;

    private void Run()
    {
        if (!Hold)
        {
            _broker.Run();
        }
    }

    private void Take(in Frame frame)
    {
        switch (frame.Type)
        {
            case PacketType.ConnAck:
                Assert.True(ConnAckPacket.TryParse(frame, _version, out ConnAckPacket connAck, out _));
                ConnAck = connAck.ReasonCode;
                SessionPresent = connAck.SessionPresent;
                ConnAckTl = Find(connAck.UserProperties);
                break;
            case PacketType.Publish:
                Assert.True(PublishPacket.TryParse(frame, _version, PacketSender.Server, out PublishPacket publish, out _));
                Take(Received.From(publish));
                break;
            case PacketType.SubAck:
                Assert.True(SubAckPacket.TryParse(frame, _version, out SubAckPacket subAck, out _));
                SubAcks.Add((subAck.PacketId, subAck.ReasonCodes.ToArray(), Find(subAck.UserProperties)));
                break;
            case PacketType.PubAck:
                Assert.True(PubAckPacket.TryParse(frame, _version, out PubAckPacket pubAck, out _));
                Acknowledged.Add((pubAck.PacketId, pubAck.ReasonCode));
                break;
            case PacketType.PubRec:
                Assert.True(PubRecPacket.TryParse(frame, _version, out PubRecPacket pubRec, out _));
                Acknowledged.Add((pubRec.PacketId, pubRec.ReasonCode));
                PacketWriter.WritePubRel(_transport.Output, _version, pubRec.PacketId);
                break;
            case PacketType.PubRel:
                Assert.True(PubRelPacket.TryParse(frame, _version, out PubRelPacket pubRel, out _));
                PacketWriter.WritePubComp(_transport.Output, _version, pubRel.PacketId);
                break;
            case PacketType.Disconnect:
                Assert.True(DisconnectPacket.TryParse(frame, _version, PacketSender.Server, out DisconnectPacket disconnect, out _));
                Disconnected = disconnect.ReasonCode;
                break;
        }
    }

    private void Take(Received message)
    {
        All.Add(message);
        (message.Topic switch
        {
            "$trunkline/tail" => Tails,
            "reply" => Replies,
            _ => Messages,
        }).Add(message);
        if (HoldAcknowledgements)
        {
            return;
        }

        if (message.QoS == QoS.AtLeastOnce)
        {
            PacketWriter.WritePubAck(_transport.Output, _version, message.PacketId);
        }
        else if (message.QoS == QoS.ExactlyOnce)
        {
            PacketWriter.WritePubRec(_transport.Output, _version, message.PacketId);
        }
    }

    private static string? Find(UserPropertyList properties) =>
        properties.TryFind("tl"u8, out ReadOnlySpan<byte> value) ? Encoding.UTF8.GetString(value) : null;
}
