namespace Trunkline.Sessions.Tests.Connecting;

/// <summary>When a will is published, and when not.</summary>
public sealed class WillTests
{
    private static WillSettings Will => new("wills/c", "gone");

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.1.2-16")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-7", "MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.1.2-14")]
    public void A_broken_connection_publishes_the_will_once(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient watcher = bed.Open("watcher").Subscribe("wills/#");
        TestClient client = bed.Open(bed.Clean("c") with { Will = Will with { QoS = QoS.AtLeastOnce } });
        Assert.True(client.Session.HasWill);
        watcher.ExpectNothing();
        client.Drop();
        Packet will = watcher.ExpectPublish("gone");
        Assert.Equal(QoS.AtLeastOnce, will.QoS);
        Assert.False(will.Retain);
        Assert.False(bed.Router.Last.Retain);
        bed.Open(bed.Persistent("c")).Drop();
        watcher.ExpectNothing();
        Assert.Equal(1, bed.Count(SessionCounter.WillsPublished));
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-17")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-15")]
    public void A_retained_will_is_published_retained(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Open(bed.Clean("c") with { Will = Will with { Retain = true } }).Drop();
        Assert.True(bed.Router.Last.Retain);
        TestClient late = bed.Open("late").Subscribe("wills/c");
        Assert.True(late.ExpectPublish("gone").Retain);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-12")]
    public void Without_a_will_nothing_is_published(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Open("c").Drop();
        Assert.Empty(bed.Router.Log);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-10", "MQTT-3.14.4-3")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-10", "MQTT-3.14.4-3")]
    public void Disconnect_discards_the_will(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c") with { Will = Will });
        client.Disconnect().ExpectClosed(ReasonCode.Success);
        client.Drop();
        bed.Advance(10);
        Assert.Empty(bed.Router.Log);
        bed.AssertAtRest();
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-8")]
    public void Disconnect_with_another_reason_publishes_the_will(Setup setup)
    {
        foreach (ReasonCode reason in (ReasonCode[])[ReasonCode.DisconnectWithWillMessage, ReasonCode.UnspecifiedError, ReasonCode.QuotaExceeded])
        {
            var bed = new TestBed(setup);
            bed.Open(bed.Clean("c") with { Will = Will }).Disconnect(reason).ExpectClosed(reason);
            Assert.Equal("gone", Assert.Single(bed.Router.Log).Payload);
        }
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-8")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-8")]
    public void A_protocol_error_publishes_the_will(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c") with { Will = Will });
        client.Send(0x36, 0).Take();
        Assert.True(client.Channel.IsClosed);
        Assert.Equal("gone", Assert.Single(bed.Router.Log).Payload);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-8")]
    public void The_will_waits_for_its_delay(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Open(bed.Persistent("c") with { Will = Will with { Delay = 30 } }).Drop();
        bed.Advance(29.9);
        Assert.Empty(bed.Router.Log);
        bed.Advance(0.2);
        Assert.Equal("gone", Assert.Single(bed.Router.Log).Payload);
        bed.Advance(10_000);
        Assert.Single(bed.Router.Log);
        bed.AssertAtRest();
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-8", "MQTT-4.1.0-2")]
    public void The_end_of_the_session_ends_the_delay(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Open(bed.Persistent("c") with { Expiry = 20, Will = Will with { Delay = 30 } }).Drop();
        bed.Advance(19.9);
        Assert.Empty(bed.Router.Log);
        bed.Advance(0.2);
        Assert.Single(bed.Router.Log);
        Assert.Equal(["c"], bed.Ended);

        bed.Open(bed.Clean("d") with { Will = Will with { Delay = 30 } }).Drop();
        Assert.Equal(2, bed.Router.Log.Count);
        bed.AssertAtRest();
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.3-9", "MQTT-3.1.2-8")]
    public void A_client_that_returns_within_the_delay_keeps_its_will_from_being_sent(Setup setup)
    {
        var bed = new TestBed(setup);
        ConnectSettings settings = bed.Persistent("c") with { Will = Will with { Delay = 30 } };
        bed.Open(settings).Drop();
        bed.Advance(29);
        TestClient again = bed.Open(settings with { Will = null });
        bed.Advance(100);
        Assert.Empty(bed.Router.Log);
        Assert.False(again.Session.HasWill);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-8", "MQTT-3.1.2-4")]
    public void Clean_start_within_the_delay_ends_the_session_and_so_sends_the_will(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Open(bed.Persistent("c") with { Will = Will with { Delay = 30 } }).Drop();
        bed.Open(bed.Clean("c"));
        Assert.Single(bed.Router.Log);
        bed.Advance(100);
        Assert.Single(bed.Router.Log);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.4-2", "MQTT-3.1.2-8")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.4-3", "MQTT-3.1.2-8")]
    public void Take_over_publishes_a_will_without_delay(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient old = bed.Open(bed.Persistent("c") with { Will = Will });
        TestClient fresh = bed.Open(bed.Persistent("c"), out Packet connAck);
        Assert.Equal(CloseCause.TakenOver, old.ExpectDisconnected(ReasonCode.SessionTakenOver).Cause);
        Assert.True(connAck.SessionPresent);
        Assert.Single(bed.Router.Log);
        Assert.True(fresh.Channel.IsOpen);
        Assert.Equal(1, bed.Count(SessionCounter.ChannelsOpen));
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.3-9")]
    public void Take_over_within_the_delay_discards_the_will(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient old = bed.Open(bed.Persistent("c") with { Will = Will with { Delay = 30 } });
        bed.Open(bed.Persistent("c"));
        old.ExpectDisconnected(ReasonCode.SessionTakenOver);
        bed.Advance(100);
        Assert.Empty(bed.Router.Log);

        bed.Open(bed.Persistent("d") with { Will = Will with { Delay = 30 } });
        bed.Open(bed.Clean("d"));
        Assert.Single(bed.Router.Log);
    }

    [Theory, Each]
    public void Shutting_down_publishes_every_will_also_those_that_wait(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient here = bed.Open(bed.Persistent("here") with { Will = Will });
        TestClient delayed = bed.Open(bed.Persistent("delayed") with { Will = Will with { Delay = 30 } });
        bed.Open(bed.Persistent("away") with { Will = Will with { Delay = 30 } }).Drop();
        bed.Context.Registry.ShutDown();
        Assert.Equal(CloseCause.ServerShutdown, here.ExpectDisconnected(ReasonCode.ServerShuttingDown).Cause);
        delayed.ExpectDisconnected(ReasonCode.ServerShuttingDown);
        Assert.Equal(["away", "delayed", "here"], bed.Router.Log.Select(published => published.ClientId).Order());
        bed.Advance(100);
        Assert.Equal(3, bed.Router.Log.Count);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.3-10", "MQTT-3.3.2-15", "MQTT-3.3.2-20")]
    public void A_will_keeps_its_properties(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient watcher = bed.Open("watcher").Subscribe("wills/#");
        bed.Open(bed.Clean("c") with
        {
            Will = Will with
            {
                Expiry = 60,
                ResponseTopic = "answer/here",
                ContentType = "text",
                UserProperties = [("b", "1"), ("a", "2"), ("tl", "ours"), ("b", "3")],
            },
        }).Drop();
        Packet will = watcher.ExpectPublish("gone");
        Assert.Equal(60u, will.Expiry);
        Assert.Equal("answer/here", will.ResponseTopic);
        Assert.Equal("text", will.ContentType);
        Assert.Equal([("b", "1"), ("a", "2"), ("b", "3")], will.UserProperties);
    }

    [Theory, Each]
    public void A_will_the_server_does_not_serve_is_refused(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumQoS = QoS.AtLeastOnce, RetainAvailable = false });
        foreach ((WillSettings will, ReasonCode reason) in ((WillSettings, ReasonCode)[])
            [(Will with { QoS = QoS.ExactlyOnce }, ReasonCode.QoSNotSupported), (Will with { Retain = true }, ReasonCode.RetainNotSupported)])
        {
            TestClient client = bed.Dial(bed.Clean("c") with { Will = will });
            if (setup.IsV5)
            {
                Assert.Equal(reason, client.Expect(PacketType.ConnAck).Reason);
            }

            client.ExpectClosed(reason);
        }
    }
}
