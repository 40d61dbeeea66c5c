namespace Trunkline.Sessions.Tests.Connecting;

/// <summary>CONNECT and CONNACK once the packet itself is well formed.</summary>
public sealed class ConnectTests
{
    [Theory, Each(ProtocolVersion.Mqtt31, ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt311, "MQTT-3.1.4-4", "MQTT-3.2.0-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.4-5", "MQTT-3.2.0-1", "MQTT-3.2.0-2", "MQTT-3.2.2-1")]
    public void A_valid_connect_is_answered_by_one_connack(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c"), out Packet connAck);
        Assert.False(connAck.SessionPresent);
        client.ExpectNothing();
        Assert.True(client.Channel.IsOpen);
        Assert.Equal(1, bed.Count(SessionCounter.ConnectsAccepted));
        Assert.Equal(1, bed.Count(SessionCounter.ChannelsOpen));
        client.Drop();
        bed.AssertAtRest();
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-4", "MQTT-3.1.2-6", "MQTT-3.1.4-3", "MQTT-3.2.2-1", "MQTT-3.2.2-2", "MQTT-3.2.2-3", "MQTT-4.1.0-2")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-4", "MQTT-3.1.2-5", "MQTT-3.1.2-6", "MQTT-3.1.2-23", "MQTT-3.1.4-4", "MQTT-3.2.2-2", "MQTT-3.2.2-3", "MQTT-4.1.0-1")]
    public void Session_present_tells_whether_state_was_held(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient first = bed.Open(bed.Persistent("c"), out Packet connAck);
        Assert.False(connAck.SessionPresent);
        first.Subscribe("kept");
        first.Drop();

        TestClient second = bed.Open(bed.Persistent("c"), out connAck);
        Assert.True(connAck.SessionPresent);
        Assert.Equal(1, second.Session.SubscriptionCount);
        second.Drop();

        TestClient clean = bed.Open(bed.Clean("c"), out connAck);
        Assert.False(connAck.SessionPresent);
        Assert.Equal(0, clean.Session.SubscriptionCount);
        Assert.Equal(["c"], bed.Ended);
        clean.Drop();
        Assert.Equal(["c", "c"], bed.Ended);

        bed.Open(bed.Persistent("c"), out connAck);
        Assert.False(connAck.SessionPresent);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.4-5", "MQTT-3.2.2-4", "MQTT-3.2.2-5")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.4-2", "MQTT-3.1.4-6", "MQTT-3.2.2-6", "MQTT-3.2.2-7", "MQTT-4.13.2-1")]
    public void After_a_refusal_nothing_of_the_client_is_processed(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Open(bed.Persistent("c")).Drop();
        TestClient client = bed.Accept();
        client.Host.Gate = GateMode.Later;
        client.Connect(bed.Persistent("c")).Publish("t", "must not arrive").ExpectNothing();
        client.Channel.Refuse(ReasonCode.NotAuthorized, "no");
        Packet connAck = client.Expect(PacketType.ConnAck);
        Assert.Equal(ReasonCode.NotAuthorized, connAck.Reason);
        Assert.False(connAck.SessionPresent);
        Assert.Equal(CloseCause.ConnectRefused, client.ExpectClosed(ReasonCode.NotAuthorized).Cause);
        Assert.Empty(bed.Router.Log);
        Assert.Equal(1, bed.Context.Registry.Count);
    }

    [Theory, Each(ProtocolVersion.Mqtt311)]
    [Clause(Specification.Mqtt311, "MQTT-3.2.2-6")]
    public void A_reason_without_a_return_code_closes_without_connack(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept();
        client.Host.Gate = GateMode.Later;
        client.Connect(bed.Clean("c"));
        client.Channel.Refuse(ReasonCode.PacketTooLarge, "too large");
        client.ExpectClosed(ReasonCode.PacketTooLarge);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.2.2-8")]
    public void Connack_carries_only_codes_of_its_own(Setup setup)
    {
        foreach (ReasonCode reason in Enum.GetValues<ReasonCode>().Where(ReasonCodes.IsError))
        {
            var bed = new TestBed(setup);
            TestClient client = bed.Accept();
            client.Host.Gate = GateMode.Later;
            client.Connect(bed.Clean("c"));
            client.Channel.Refuse(reason, "a reason");
            Packet connAck = client.Expect(PacketType.ConnAck);
            Assert.True(ReasonCodes.IsAllowed(PacketType.ConnAck, PacketSender.Server, connAck.Reason), connAck.Reason.ToString());
            client.ExpectClosed(reason);
        }
    }

    [Theory, Each(ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt50)]
    public void A_claim_that_takes_longer_than_its_deadline_is_refused_then_and_not_before(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { ClaimDeadlineMs = 3_000 });
        TestClient client = bed.Accept();
        client.Host.Gate = GateMode.Later;
        client.Connect(bed.Clean("c"));
        bed.Advance(2.9);
        client.ExpectNothing();
        Assert.False(client.Channel.IsClosed);
        bed.Advance(0.3);
        Assert.Equal(ReasonCode.ServerUnavailable, client.Expect(PacketType.ConnAck).Reason);
        Assert.Equal(CloseCause.ClaimDeadline, client.ExpectClosed(ReasonCode.ServerUnavailable).Cause);
        Assert.Equal(1, bed.Count(SessionCounter.ConnectsRefused));

        // The claim comes too late.
        client.Channel.Open();
        client.ExpectNothing();
        Assert.Equal(0, bed.Context.Registry.Count);
    }

    [Theory, Each]
    public void Packets_behind_connect_wait_for_the_claim(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept();
        client.Host.Gate = GateMode.Later;
        client.Connect(bed.Clean("c")).Publish("t", "1", QoS.AtLeastOnce, 1).Ping().ExpectNothing();
        Assert.True(client.Host.IsPaused);
        Assert.Empty(bed.Router.Log);
        client.Channel.Open();
        client.Expect(PacketType.ConnAck);
        Assert.Equal(1, client.Expect(PacketType.PubAck).Id);
        client.Expect(PacketType.PingResp);
        Assert.Equal(0, client.Host.UnreadBytes);
    }

    [Theory, Each]
    public void A_connection_without_connect_closes_at_its_deadline(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept(connectDeadlineMs: 5_000).Send(0x10);
        bed.Advance(4.9);
        Assert.False(client.Channel.IsClosed);
        bed.Advance(0.2);
        Assert.Equal(CloseCause.ConnectDeadline, client.ExpectClosed().Cause);
    }

    [Theory, Each]
    public void A_claim_that_takes_too_long_is_refused(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept(connectDeadlineMs: 5_000);
        client.Host.Gate = GateMode.Later;
        client.Connect(bed.Clean("c"));
        bed.Advance(14.9);
        Assert.False(client.Channel.IsClosed);
        bed.Advance(0.2);
        Assert.Equal(ReasonCode.ServerUnavailable, client.Expect(PacketType.ConnAck).Reason);
        client.ExpectClosed();
        client.Channel.Open();
        client.ExpectNothing();
        bed.AssertAtRest();
    }

    [Theory, Each]
    public void A_connection_that_breaks_during_the_claim_is_not_opened(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept();
        client.Host.Gate = GateMode.Later;
        client.Connect(bed.Clean("c") with { Will = new WillSettings("w", "never accepted") });
        client.Drop();
        client.Channel.Open();
        client.ExpectNothing();
        Assert.Empty(bed.Router.Log);
        bed.AssertAtRest();
    }

    [Theory, Each]
    [Clause(Specification.Mqtt50, "MQTT-3.2.0-2")]
    public void A_gate_that_answers_twice_is_heard_once(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("c");
        client.Channel.Open();
        client.Channel.Refuse(ReasonCode.NotAuthorized, "too late");
        Assert.DoesNotContain(client.Take(), packet => packet.Type == PacketType.ConnAck);
    }

    [Theory, Each]
    public void A_client_of_another_loop_moves_before_anything_is_acted_on(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept();
        client.Host.Owns = _ => false;
        client.Connect(bed.Clean("elsewhere"));
        Assert.Equal("elsewhere", client.Host.MovedFor);
        Assert.Null(client.Host.Request);
        Assert.NotEqual(0, client.Host.UnreadBytes);
        bed.Advance(60);
        Assert.False(client.Channel.IsClosed);

        var other = new TestBed(setup);
        client.Channel.Enter(other.Context);
        other.Advance(10.1);
        Assert.Equal(CloseCause.ConnectDeadline, client.Host.Closes[0].Cause);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    public void Connack_tells_what_the_server_offers(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions
        {
            ReceiveMaximum = 7,
            TopicAliasMaximum = 3,
            MaximumPacketSize = 5000,
            MaximumQoS = QoS.AtLeastOnce,
            RetainAvailable = false,
            SessionExpiryCapSeconds = 60,
            KeepAliveCapSeconds = 30,
            ResponseInformation = "answers/here",
        });
        bed.Open(bed.Persistent("c") with { KeepAlive = 100, WantsResponseInformation = true }, out Packet connAck);
        Assert.Equal(7, connAck.ReceiveMaximum);
        Assert.Equal(3, connAck.TopicAliasMaximum);
        Assert.Equal(5000u, connAck.MaximumPacketSize);
        Assert.Equal(QoS.AtLeastOnce, connAck.MaximumQoS);
        Assert.False(connAck.RetainAvailable);
        Assert.Equal(60u, connAck.SessionExpiry);
        Assert.Equal((ushort?)30, connAck.ServerKeepAlive);
        Assert.Equal("answers/here", connAck.ResponseInformation);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-28")]
    public void Response_information_comes_only_when_asked_for(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { ResponseInformation = "answers" });
        bed.Open(bed.Clean("c"), out Packet connAck);
        Assert.Null(connAck.ResponseInformation);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.1.2-24")]
    public void Connack_leaves_out_what_would_make_it_too_large(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient refused = bed.Accept();
        refused.Host.Gate = GateMode.Later;
        refused.Connect(bed.Clean("c") with { MaximumPacketSize = 30 });
        refused.Channel.Refuse(ReasonCode.NotAuthorized, new string('x', 50));
        Packet connAck = refused.Expect(PacketType.ConnAck);
        Assert.Null(connAck.ReasonString);
        Assert.InRange(connAck.Length, 1, 30);

        TestClient opened = bed.Accept();
        opened.Host.Gate = GateMode.Later;
        opened.Connect(bed.Clean("c") with { MaximumPacketSize = 30 });
        opened.Channel.Open(Wire.UserProperty("key", new string('v', 30)));
        connAck = opened.Expect(PacketType.ConnAck);
        Assert.Empty(connAck.UserProperties);
        Assert.InRange(connAck.Length, 1, 30);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-24", "MQTT-4.13.2-1")]
    public void A_client_that_cannot_even_take_connack_is_closed_without_one(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Dial(bed.Clean("c") with { MaximumPacketSize = 6, Will = new WillSettings("w", "x") });
        client.ExpectClosed();
        Assert.Empty(bed.Router.Log);
        bed.AssertAtRest();
    }

    [Theory, Each]
    public void The_number_of_sessions_is_limited(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumSessions = 1 });
        bed.Open(bed.Persistent("one")).Drop();
        TestClient refused = bed.Dial(bed.Clean("two"));
        Assert.Equal(setup.IsV5 ? ReasonCode.QuotaExceeded : ReasonCode.ServerUnavailable, refused.Expect(PacketType.ConnAck).Reason);
        refused.ExpectClosed();
        bed.Open(bed.Persistent("one"), out Packet connAck);
        Assert.True(connAck.SessionPresent);
    }
}
