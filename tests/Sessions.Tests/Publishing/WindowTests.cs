namespace Trunkline.Sessions.Tests.Publishing;

/// <summary>How much a device may have open, and when we stop reading.</summary>
public sealed class WindowTests
{
    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.4-7", "MQTT-4.9.0-1")]
    public void Passing_our_receive_maximum_closes(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { ReceiveMaximum = 2 });
        bed.Router.PublishAnswer = Answer.Later;
        TestClient client = bed.Open(bed.Clean("c"), out Packet connAck);
        Assert.Equal(2, connAck.ReceiveMaximum);
        client.Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2);
        bed.Router.CompletePublishes();
        client.Expect(PacketType.PubAck);
        client.Expect(PacketType.PubRec);
        client.Publish("t", "3", QoS.AtLeastOnce, 3).Publish("t", "0").ExpectNothing();
        client.Publish("t", "4", QoS.AtLeastOnce, 4);
        Assert.Equal(CloseCause.LimitExceeded, client.ExpectDisconnected(ReasonCode.ReceiveMaximumExceeded).Cause);
        Assert.DoesNotContain(bed.Router.Log, published => published.Payload == "4");
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.4-8")]
    public void Other_packets_are_served_while_the_clients_window_is_full(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { ReceiveMaximum = 1 });
        bed.Router.PublishAnswer = Answer.Later;
        TestClient client = bed.Open("c");
        client.Publish("t", "1", QoS.ExactlyOnce, 1).Ping().Expect(PacketType.PingResp);
        client.Subscribe("x").Publish("x", "0").ExpectPublish("0");
        bed.Router.CompletePublishes();
        client.Expect(PacketType.PubRec);
        client.PubRel(1).Expect(PacketType.PubComp);
        client.Publish("t", "2", QoS.ExactlyOnce, 2).ExpectNothing();
    }

    [Theory, Each(ProtocolVersion.Mqtt31, ProtocolVersion.Mqtt311)]
    public void Before_5_0_reading_pauses_instead(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { ReceiveMaximum = 2 });
        bed.Router.PublishAnswer = Answer.Later;
        TestClient client = bed.Open("c");
        client.Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2).Publish("t", "3", QoS.AtLeastOnce, 3);
        Assert.True(client.Host.IsPaused);
        Assert.Equal(2, bed.Router.Log.Count);
        Assert.Equal(1, bed.Count(SessionCounter.ReadingPaused));
        bed.Router.CompletePublishes();
        client.Expect(PacketType.PubAck);
        client.Expect(PacketType.PubRec);
        Assert.Equal(3, bed.Router.Log.Count);
        Assert.False(client.Host.IsPaused);
    }

    [Theory, Each(ProtocolVersion.Mqtt31, ProtocolVersion.Mqtt311)]
    public void Exchanges_that_wait_for_pubrel_do_not_stop_reading(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { ReceiveMaximum = 2 });
        TestClient client = bed.Open("c");
        for (ushort id = 1; id <= 20; id++)
        {
            client.Publish("t", $"{id}", QoS.ExactlyOnce, id).Expect(PacketType.PubRec);
        }

        for (ushort id = 1; id <= 20; id++)
        {
            client.PubRel(id).Expect(PacketType.PubComp);
        }

        Assert.False(client.Host.IsPaused);
        Assert.Equal(0, client.Channel.InboundUnfinished);
    }

    [Theory, Each]
    public void More_exchanges_of_a_session_than_the_limit_close_it_over_its_connections(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { ReceiveMaximum = 2, MaximumIncomingExchanges = 3 });
        TestClient first = bed.Open(bed.Persistent("c"));
        first.Publish("t", "1", QoS.ExactlyOnce, 1).Expect(PacketType.PubRec);
        first.Publish("t", "2", QoS.ExactlyOnce, 2).Expect(PacketType.PubRec);
        first.Drop();

        TestClient second = bed.Open(bed.Persistent("c"));
        second.Publish("t", "3", QoS.ExactlyOnce, 3).Expect(PacketType.PubRec);
        second.PubRel(1).Expect(PacketType.PubComp);
        second.Publish("t", "4", QoS.ExactlyOnce, 4).Expect(PacketType.PubRec);
        second.PubRel(4).Expect(PacketType.PubComp);
        second.Publish("t", "5", QoS.ExactlyOnce, 5).Expect(PacketType.PubRec);
        second.PubRel(5).Expect(PacketType.PubComp);
        second.Publish("t", "6", QoS.ExactlyOnce, 6).Expect(PacketType.PubRec);
        second.Publish("t", "7", QoS.ExactlyOnce, 7);
        CloseCause cause = setup.Version == ProtocolVersion.Mqtt50
            ? second.ExpectDisconnected(ReasonCode.QuotaExceeded).Cause
            : second.ExpectClosed().Cause;
        Assert.Equal(CloseCause.LimitExceeded, cause);
        Assert.DoesNotContain(bed.Router.Log, published => published.Payload == "7");
    }

    [Theory, Each]
    public void A_router_that_is_full_stops_the_reading(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("c");
        bed.Router.SlowDown = true;
        client.Publish("t", "1").Publish("t", "2");
        Assert.True(client.Host.IsPaused);
        Assert.Single(bed.Router.Log);
        bed.Router.SlowDown = false;
        client.Channel.ResumeReading();
        bed.Loop.RunUntilIdle();
        Assert.Equal(2, bed.Router.Log.Count);
        Assert.False(client.Host.IsPaused);
        client.Channel.ResumeReading();
    }

    [Theory, Each(ProtocolVersion.Mqtt311)]
    public void A_refusal_that_closes_does_not_pause_the_closed_connection(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { ReceiveMaximum = 1 });
        bed.Router.SlowDown = true;
        bed.Router.CompleteAndSlowDown = ReasonCode.QuotaExceeded;
        TestClient client = bed.Open("c").Publish("t", "1", QoS.AtLeastOnce, 1);
        client.ExpectClosed(ReasonCode.QuotaExceeded);
        Assert.False(client.Host.IsPaused);
    }

    [Theory, Each]
    public void Late_answers_to_a_session_that_ended_do_no_harm(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.PublishAnswer = Answer.Later;
        bed.Router.SubscribeAnswer = Answer.Later;
        TestClient client = bed.Open("c");
        client.Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2);
        client.SendSubscribe(3, 0, ("a", default)).SendUnsubscribe(4, "a").SendSubscribe(5, 0, ("b", default));
        client.Drop();
        bed.Router.CompletePublishes();
        bed.Router.CompleteOperations();
        Assert.Empty(bed.Router.Operations);
        bed.AssertAtRest();
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.2-7", "MQTT-3.3.2-12")]
    public void Every_alias_up_to_the_maximum_works_and_dies_with_the_connection(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { TopicAliasMaximum = 20 });
        TestClient client = bed.Open(bed.Persistent("c"));
        for (ushort alias = 1; alias <= 20; alias++)
        {
            client.Publish($"topic/{alias}", "set", new PublishSettings { Alias = alias });
        }

        for (ushort alias = 1; alias <= 20; alias++)
        {
            client.Publish("", "use", new PublishSettings { Alias = alias });
            Assert.Equal($"topic/{alias}", bed.Router.Last.Topic);
        }

        client.Publish("other", "moved", new PublishSettings { Alias = 1 }).Publish("", "use", new PublishSettings { Alias = 1 });
        Assert.Equal("other", bed.Router.Last.Topic);
        client.Drop();
        bed.Open(bed.Persistent("c")).Publish("", "unknown", new PublishSettings { Alias = 1 }).ExpectDisconnected(ReasonCode.ProtocolError);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.2-8", "MQTT-3.3.2-9", "MQTT-3.2.2-17", "MQTT-3.2.2-18")]
    public void An_alias_out_of_range_closes(Setup setup)
    {
        foreach ((int maximum, int alias) in ((int, int)[])[(16, 17), (16, 0), (0, 1), (16, 65_535)])
        {
            var bed = new TestBed(setup, new MqttOptions { TopicAliasMaximum = maximum });
            byte[] property = [(byte)PropertyId.TopicAlias, (byte)(alias >> 8), (byte)alias];
            TestClient client = bed.Open("c").Publish("t", "x", new PublishSettings { Properties = property });
            client.ExpectDisconnected(ReasonCode.TopicAliasInvalid);
            Assert.Empty(bed.Router.Log);
        }
    }
}
