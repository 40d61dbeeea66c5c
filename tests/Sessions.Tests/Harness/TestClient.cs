using System.Buffers;
using System.Text;

namespace Trunkline.Sessions.Tests.Harness;

/// <summary>A device of the tests: writes packets into its channel and reads what the channel answers.</summary>
public sealed class TestClient
{
    private readonly TestBed _bed;
    private readonly Queue<Packet> _received = [];
    private readonly ArrayBufferWriter<byte> _frame = new();
    private ProtocolVersion _version;

    public TestClient(TestBed bed, Setup setup, long connectDeadlineMs = 10_000)
    {
        _bed = bed;
        _version = setup.Version;
        Host = new TestHost(bed, setup.Feed);
        Channel = new Channel(bed.Context, Host, connectDeadlineMs);
        Host.Channel = Channel;
    }

    public TestHost Host { get; }

    public Channel Channel { get; }

    public Session Session => Channel.Session!;

    public ProtocolVersion Version => _version;

    public bool IsV5 => _version == ProtocolVersion.Mqtt50;

    // ---- writing

    public TestClient Send(params ReadOnlySpan<byte> bytes)
    {
        Host.Send(bytes);
        _bed.Loop.RunUntilIdle();
        return this;
    }

    public TestClient Connect(ConnectSettings settings)
    {
        _version = settings.Version;
        return Send(Bytes(output => PacketWriter.WriteConnect(output, ToPacket(settings, stackalloc byte[512]))));
    }

    public TestClient Publish(string topic, string payload, PublishSettings? settings = null) =>
        Send(Wire.Publish(_version, topic, payload, settings ?? new PublishSettings()));

    public TestClient Publish(string topic, string payload, QoS qos, ushort id = 0, bool duplicate = false) =>
        Publish(topic, payload, new PublishSettings { QoS = qos, Id = id, Duplicate = duplicate });

    public TestClient PubAck(ushort id, ReasonCode reason = ReasonCode.Success) =>
        Send(Bytes(output => PacketWriter.WritePubAck(output, _version, id, reason)));

    public TestClient PubRec(ushort id, ReasonCode reason = ReasonCode.Success) =>
        Send(Bytes(output => PacketWriter.WritePubRec(output, _version, id, reason)));

    public TestClient PubRel(ushort id, ReasonCode reason = ReasonCode.Success) =>
        Send(Bytes(output => PacketWriter.WritePubRel(output, _version, id, reason)));

    public TestClient PubComp(ushort id, ReasonCode reason = ReasonCode.Success) =>
        Send(Bytes(output => PacketWriter.WritePubComp(output, _version, id, reason)));

    public TestClient SendSubscribe(ushort id, uint identifier, params (string Filter, SubscriptionOptions Options)[] filters) =>
        Send(Bytes(output =>
        {
            var builder = new SubscriptionListBuilder(new byte[70_000]);
            foreach ((string filter, SubscriptionOptions options) in filters)
            {
                Assert.True(builder.TryAdd(Encoding.UTF8.GetBytes(filter), options));
            }

            PacketWriter.WriteSubscribe(
                output, _version, new SubscribePacket { PacketId = id, SubscriptionIdentifier = identifier, Subscriptions = builder.List });
        }));

    public TestClient SendUnsubscribe(ushort id, params string[] filters) => Send(Bytes(output =>
    {
        var builder = new TopicFilterListBuilder(new byte[70_000]);
        foreach (string filter in filters)
        {
            Assert.True(builder.TryAdd(Encoding.UTF8.GetBytes(filter)));
        }

        PacketWriter.WriteUnsubscribe(output, _version, new UnsubscribePacket { PacketId = id, Filters = builder.List });
    }));

    /// <summary>Subscribes and takes the SUBACK, which must grant the QoS.</summary>
    public TestClient Subscribe(string filter, QoS qos = QoS.ExactlyOnce, uint identifier = 0, bool noLocal = false,
        bool retainAsPublished = false, RetainHandling handling = RetainHandling.SendAtSubscribe)
    {
        SendSubscribe(100, identifier, (filter, SubscriptionOptions.Create(qos, noLocal, retainAsPublished, handling)));
        Assert.Equal([(ReasonCode)qos], Expect(PacketType.SubAck).Codes);
        return this;
    }

    public TestClient Ping() => Send(FixedFrames.PingReq);

    public TestClient Disconnect(ReasonCode reason = ReasonCode.Success, uint? expiry = null) => Send(Bytes(output =>
        PacketWriter.WriteDisconnect(output, _version, new DisconnectPacket { ReasonCode = reason, SessionExpiryInterval = expiry })));

    /// <summary>The connection breaks.</summary>
    public void Drop()
    {
        Host.IsTransportGone = true;
        Channel.OnTransportClosed(null);
        _bed.Loop.RunUntilIdle();
    }

    public TestClient Congest()
    {
        Host.IsCongested = true;
        return this;
    }

    public TestClient Relieve()
    {
        Host.IsCongested = false;
        Channel.OnWritable();
        _bed.Loop.RunUntilIdle();
        return this;
    }

    // ---- reading

    /// <summary>Everything received and not looked at yet.</summary>
    public List<Packet> Take()
    {
        Fill();
        List<Packet> packets = [.. _received];
        _received.Clear();
        return packets;
    }

    public Packet Expect(PacketType type)
    {
        Fill();
        Assert.True(_received.Count > 0, $"No {type} came; the channel is {(Channel.IsClosed ? "closed: " + Host.Closes[0] : "open")}.");
        Packet packet = _received.Dequeue();
        Assert.Equal(type, packet.Type);
        return packet;
    }

    public Packet ExpectPublish(string payload)
    {
        Packet packet = Expect(PacketType.Publish);
        Assert.Equal(payload, packet.Payload);
        return packet;
    }

    public TestClient ExpectNothing()
    {
        Fill();
        Assert.Empty(_received);
        return this;
    }

    /// <summary>The connection was ended by the server for this reason: 5.0 was told by DISCONNECT, 3.x was not.</summary>
    public ChannelClose ExpectDisconnected(ReasonCode reason)
    {
        if (IsV5)
        {
            Assert.Equal(reason, Expect(PacketType.Disconnect).Reason);
        }

        return ExpectClosed(reason);
    }

    /// <summary>The connection ended and nothing more was said.</summary>
    public ChannelClose ExpectClosed(ReasonCode? reason = null)
    {
        ExpectNothing();
        ChannelClose close = Assert.Single(Host.Closes);
        Assert.True(Channel.IsClosed);
        if (reason is { } expected)
        {
            Assert.Equal(expected, close.Reason);
        }

        return close;
    }

    private void Fill()
    {
        _bed.Loop.RunUntilIdle();
        foreach (Packet packet in Packet.ReadAll(Host.Written.WrittenSpan, _version == 0 ? ProtocolVersion.Mqtt50 : _version))
        {
            _received.Enqueue(packet);
        }

        Host.Written.ResetWrittenCount();
    }

    private byte[] Bytes(Action<IBufferWriter<byte>> write)
    {
        _frame.ResetWrittenCount();
        write(_frame);
        Assert.NotEqual(0, _frame.WrittenCount);
        return _frame.WrittenSpan.ToArray();
    }

    private static ConnectPacket ToPacket(ConnectSettings settings, Span<byte> scratch)
    {
        var builder = new UserPropertyBuilder(scratch.ToArray());
        foreach ((string key, string value) in settings.Will?.UserProperties ?? [])
        {
            Assert.True(builder.TryAdd(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value)));
        }

        WillSettings? will = settings.Will;
        return new ConnectPacket
        {
            Version = settings.Version,
            IsBridge = settings.IsBridge,
            CleanStart = settings.Clean,
            KeepAliveSeconds = settings.KeepAlive,
            ClientId = Utf8(settings.ClientId),
            UserName = Utf8(settings.UserName),
            Password = Utf8(settings.Password),
            SessionExpiryInterval = settings.Expiry,
            ReceiveMaximum = settings.ReceiveMaximum,
            MaximumPacketSize = settings.MaximumPacketSize,
            TopicAliasMaximum = settings.AliasMaximum,
            RequestResponseInformation = settings.WantsResponseInformation,
            RequestProblemInformation = settings.WantsProblemInformation,
            AuthenticationMethod = Utf8(settings.AuthenticationMethod),
            HasWill = will is not null,
            WillTopic = Utf8(will?.Topic),
            WillPayload = Utf8(will?.Payload),
            WillQoS = will?.QoS ?? QoS.AtMostOnce,
            WillRetain = will?.Retain ?? false,
            WillProperties = will is null ? default : new WillProperties
            {
                DelayInterval = will.Delay,
                MessageExpiryInterval = will.Expiry,
                ContentType = Utf8(will.ContentType),
                ResponseTopic = Utf8(will.ResponseTopic),
                UserProperties = builder.List,
            },
        };
    }

    private static ReadOnlySpan<byte> Utf8(string? text) => text is null ? default : Encoding.UTF8.GetBytes(text);
}
