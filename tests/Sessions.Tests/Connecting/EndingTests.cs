namespace Trunkline.Sessions.Tests.Connecting;

/// <summary>DISCONNECT, session expiry, authentication we do not have, and what ends a connection.</summary>
public sealed class EndingTests
{
    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.14.4-1", "MQTT-3.14.4-2")]
    [Clause(Specification.Mqtt50, "MQTT-3.14.4-1", "MQTT-3.14.4-2")]
    public void After_disconnect_nothing_more_is_processed(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("c");
        client.Send([0xE0, 0, .. Wire.Publish(setup.Version, "t", "late", new PublishSettings())]);
        Assert.Equal(CloseCause.ClientDisconnect, client.ExpectClosed(ReasonCode.Success).Cause);
        Assert.Empty(bed.Router.Log);
        bed.AssertAtRest();
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.14.1-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.14.1-1", "MQTT-4.13.1-1")]
    public void Reserved_bits_in_disconnect_are_malformed(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c") with { Will = new WillSettings("w", "x") });
        client.Send(0xE1, 0).ExpectDisconnected(ReasonCode.MalformedPacket);
        Assert.Single(bed.Router.Log);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.14.2-1", "MQTT-3.14.2-2")]
    public void Our_disconnect_has_a_code_of_its_own_and_no_session_expiry(Setup setup)
    {
        foreach (ReasonCode reason in Enum.GetValues<ReasonCode>().Where(ReasonCodes.IsError))
        {
            var bed = new TestBed(setup);
            TestClient client = bed.Open(bed.Persistent("c"));
            client.Channel.Disconnect(CloseCause.Administrative, reason, "why");
            Packet packet = client.Expect(PacketType.Disconnect);
            Assert.True(ReasonCodes.IsAllowed(PacketType.Disconnect, PacketSender.Server, packet.Reason), packet.Reason.ToString());
            Assert.Null(packet.SessionExpiry);
            Assert.Equal("why", packet.ReasonString);
            client.ExpectClosed(reason);
        }
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.14.2-3", "MQTT-3.1.2-24")]
    public void A_reason_string_too_large_for_the_client_is_left_out_of_disconnect(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c") with { MaximumPacketSize = 40 });
        client.Channel.Disconnect(CloseCause.Administrative, ReasonCode.AdministrativeAction, new string('x', 40));
        Packet packet = client.Expect(PacketType.Disconnect);
        Assert.Equal(ReasonCode.AdministrativeAction, packet.Reason);
        Assert.Null(packet.ReasonString);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-23", "MQTT-4.1.0-1", "MQTT-4.1.0-2")]
    public void A_session_is_kept_until_its_expiry(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("c") with { Expiry = 100 });
        client.Subscribe("t");
        bed.Advance(1000);
        Assert.True(client.Channel.IsOpen);
        client.Drop();
        bed.Advance(99.9);
        Assert.Empty(bed.Ended);
        bed.Advance(0.2);
        Assert.Equal(["c"], bed.Ended);
        Assert.Equal(["c"], bed.Router.Forgotten);
        Assert.Equal(1, bed.Count(SessionCounter.SessionsExpired));
        bed.AssertAtRest();
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-4", "MQTT-4.1.0-1")]
    public void A_session_that_never_expires_stays(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Open(bed.Persistent("c") with { Expiry = uint.MaxValue }).Drop();
        bed.Loop.Advance(TimeSpan.FromDays(400));
        bed.Open(bed.Persistent("c"), out Packet connAck);
        Assert.True(connAck.SessionPresent);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    public void Disconnect_may_change_the_expiry(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { SessionExpiryCapSeconds = 1000 });
        bed.Open(bed.Persistent("c") with { Expiry = 100 }).Disconnect(expiry: 5000).ExpectClosed(ReasonCode.Success);
        bed.Advance(999);
        Assert.Empty(bed.Ended);
        bed.Advance(2);
        Assert.Equal(["c"], bed.Ended);

        bed.Open(bed.Persistent("c") with { Expiry = 100 }).Disconnect(expiry: 0).ExpectClosed(ReasonCode.Success);
        Assert.Equal(["c", "c"], bed.Ended);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    public void Disconnect_cannot_keep_a_session_that_was_to_end(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c") with { Will = new WillSettings("w", "x") });
        client.Disconnect(expiry: 5).ExpectDisconnected(ReasonCode.ProtocolError);
        Assert.Single(bed.Router.Log);
        bed.AssertAtRest();
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    public void A_cap_of_ours_makes_no_protocol_error_of_the_clients_expiry(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { SessionExpiryCapSeconds = 0 });
        bed.Open(bed.Persistent("c")).Disconnect(expiry: 5).ExpectClosed(ReasonCode.Success);
        bed.AssertAtRest();
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-4.12.0-1", "MQTT-4.12.0-4", "MQTT-4.12.0-6", "MQTT-3.1.4-2")]
    public void An_authentication_method_is_not_ours(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Dial(bed.Clean("c") with { AuthenticationMethod = "SCRAM-SHA-1" });
        Packet connAck = client.Expect(PacketType.ConnAck);
        Assert.Equal(ReasonCode.BadAuthenticationMethod, connAck.Reason);
        Assert.False(connAck.HasAuthenticationMethod);
        client.ExpectClosed(ReasonCode.BadAuthenticationMethod);

        bed.Open(bed.Clean("c") with { UserName = "u", Password = "p" }, out connAck);
        Assert.False(connAck.HasAuthenticationMethod);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-4.12.0-7", "MQTT-3.15.1-1", "MQTT-4.12.1-2")]
    public void Auth_is_refused(Setup setup)
    {
        byte[] reauthenticate = Wire.Frame(0xF0, [0x19, .. Wire.Block(Wire.TextProperty(PropertyId.AuthenticationMethod, "PLAIN"))]);
        TestClient client = new TestBed(setup).Open("c");
        client.Send(reauthenticate).ExpectDisconnected(ReasonCode.ProtocolError);
        new TestBed(setup).Open("d").Send(0xF1, 0).ExpectDisconnected(ReasonCode.MalformedPacket);
        new TestBed(setup).Accept().Send(reauthenticate).ExpectClosed();
    }

    [Theory, Each(ProtocolVersion.Mqtt311)]
    [Clause(Specification.Mqtt311, "MQTT-2.2.2-2", "MQTT-4.8.0-1")]
    public void Auth_does_not_exist_before_5_0(Setup setup) =>
        new TestBed(setup).Open("c").Send(0xF0, 0).ExpectClosed();

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-4.8.0-1")]
    [Clause(Specification.Mqtt50, "MQTT-4.13.1-1", "MQTT-4.13.2-1")]
    public void Packets_only_a_server_sends_close(Setup setup)
    {
        foreach (byte[] packet in (byte[][])[[0x20, 2, 0, 0], [0x90, 3, 0, 1, 0], [0xB0, 2, 0, 1], [0xD0, 0]])
        {
            new TestBed(setup).Open("c").Send(packet).ExpectDisconnected(ReasonCode.ProtocolError);
        }
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.4-2")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.4-3")]
    public void An_identifier_in_use_puts_the_earlier_connection_out(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient old = bed.Open("c");
        TestClient fresh = bed.Open("c");
        Assert.Equal(CloseCause.TakenOver, old.ExpectDisconnected(ReasonCode.SessionTakenOver).Cause);
        fresh.Ping().Expect(PacketType.PingResp);
        old.Drop();
        Assert.Same(fresh.Channel, bed.Context.Registry.Find("c")!.Channel);
        Assert.Equal(1, bed.Context.Registry.Count);
    }

    [Theory, Each]
    public void Ending_a_session_puts_its_connection_out(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("c") with { Will = new WillSettings("w", "x") });
        client.Subscribe("t");
        bed.Context.Registry.End(client.Session);
        Assert.Equal(CloseCause.Administrative, client.ExpectDisconnected(ReasonCode.AdministrativeAction).Cause);
        Assert.Single(bed.Router.Log);
        bed.AssertAtRest();
    }

    [Theory, Each]
    public void A_router_that_speaks_at_attachment_comes_after_connack(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept();
        client.Host.Gate = GateMode.Later;
        client.Connect(bed.Persistent("c"));
        bed.Router.OnAttachment = session =>
        {
            SharedMessage message = bed.Context.Messages.Rent(new MessageContent
            {
                Topic = "t"u8,
                Payload = "from the router"u8,
                ExpiresAtMs = long.MaxValue,
            });
            session.Deliver(message, QoS.AtMostOnce, false, default);
            message.Release();
        };
        client.Channel.Open();
        client.Expect(PacketType.ConnAck);
        client.ExpectPublish("from the router");
        Assert.Equal(["c here"], bed.Router.Attachments);
    }
}
