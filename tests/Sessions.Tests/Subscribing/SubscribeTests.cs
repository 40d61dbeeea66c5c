namespace Trunkline.Sessions.Tests.Subscribing;

/// <summary>SUBSCRIBE and SUBACK.</summary>
public sealed class SubscribeTests
{
    private static SubscriptionOptions Q(int qos) => SubscriptionOptions.Create((QoS)qos);

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-2.3.1-7", "MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.8.4-4", "MQTT-3.8.4-5", "MQTT-3.9.3-1", "MQTT-3.9.3-2")]
    [Clause(Specification.Mqtt50, "MQTT-2.2.1-6", "MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.8.4-5", "MQTT-3.8.4-6", "MQTT-3.8.4-7", "MQTT-3.9.3-1", "MQTT-3.9.3-2")]
    public void One_suback_answers_every_filter_in_order(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumTopicLevels = 3, MaximumSingleLevelWildcards = 1, MaximumSubscriptions = 4 });
        TestClient client = bed.Open("c");
        client.SendSubscribe(
            300, 0, ("a", Q(2)), ("b/+", Q(0)), ("1/2/3/4", Q(1)), ("+/b/+", Q(1)), ("#", Q(1)), ("d", Q(1)), ("one/more", Q(1)));
        Packet ack = client.Expect(PacketType.SubAck);
        Assert.Equal(300, ack.Id);
        ReasonCode notHere = setup.IsV5 ? ReasonCode.TopicFilterInvalid : ReasonCode.UnspecifiedError;
        ReasonCode tooMany = setup.IsV5 ? ReasonCode.QuotaExceeded : ReasonCode.UnspecifiedError;
        Assert.Equal([(ReasonCode)2, 0, notHere, notHere, (ReasonCode)1, (ReasonCode)1, tooMany], ack.Codes);
        client.ExpectNothing();
        Assert.Equal(4, client.Session.SubscriptionCount);
        Assert.Equal(4, bed.Count(SessionCounter.Subscriptions));
        Assert.Equal(3, bed.Count(SessionCounter.SubscriptionsRefused));
        client.Drop();
        bed.AssertAtRest();
    }

    [Theory, Each(ProtocolVersion.Mqtt31)]
    public void In_3_1_a_failure_has_no_code(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.SubscribeReason = ReasonCode.NotAuthorized;
        TestClient client = bed.Open("c").SendSubscribe(1, 0, ("a", Q(2)));
        Assert.Equal([ReasonCode.Success], client.Expect(PacketType.SubAck).Codes);
        Assert.Equal(0, client.Session.SubscriptionCount);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.8.4-5", "MQTT-3.9.3-2")]
    [Clause(Specification.Mqtt50, "MQTT-3.8.4-7", "MQTT-3.9.3-2")]
    public void A_refused_filter_is_not_held(Setup setup)
    {
        foreach (ReasonCode reason in Enum.GetValues<ReasonCode>().Where(ReasonCodes.IsError))
        {
            var bed = new TestBed(setup);
            bed.Router.SubscribeReason = reason;
            TestClient client = bed.Open("c").SendSubscribe(1, 0, ("a", Q(2)));
            ReasonCode code = Assert.Single(client.Expect(PacketType.SubAck).Codes);
            Assert.True(ReasonCodes.IsError(code));
            Assert.True(ReasonCodes.IsAllowed(PacketType.SubAck, PacketSender.Server, code));
            Assert.Equal(0, client.Session.SubscriptionCount);
            Assert.Equal(0, bed.Count(SessionCounter.Subscriptions));
        }
    }

    [Theory, Each]
    public void A_maximum_qos_of_ours_lowers_what_is_granted(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumQoS = QoS.AtLeastOnce });
        TestClient client = bed.Open("c").SendSubscribe(1, 0, ("a", Q(2)));
        Assert.Equal([ReasonCode.GrantedQoS1], client.Expect(PacketType.SubAck).Codes);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.8.1-1", "MQTT-3.8.3-1", "MQTT-3.8.3-3", "MQTT-3.8.3-4", "MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.3-1", "MQTT-4.7.3-2", "MQTT-2.3.1-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.8.1-1", "MQTT-3.8.3-1", "MQTT-3.8.3-2", "MQTT-3.8.3-5", "MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.3-1", "MQTT-4.7.3-2", "MQTT-4.8.2-1", "MQTT-4.8.2-2", "MQTT-2.2.1-3")]
    public void A_malformed_subscribe_closes_and_holds_nothing(Setup setup)
    {
        byte[] head = setup.IsV5 ? [0, 1, 0] : [0, 1];
        byte[] good = [.. Wire.Text("good"), 0];
        byte[][] bad =
        [
            Wire.Frame(0x80, [.. head, .. good]),
            Wire.Frame(0x83, [.. head, .. good]),
            Wire.Frame(0x82, head),
            Wire.Frame(0x82, [0, 0, .. head[2..], .. good]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text("x"), 3]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text("x"), 0xC0]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text(""), 0]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Binary([0xFF]), 0]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text("a\0b"), 0]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text("a/#/b"), 0]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text("a#"), 0]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text("a+/b"), 0]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text("$share//b"), 0]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text("$share/g"), 0]),
            Wire.Frame(0x82, [.. head, .. good, .. Wire.Text("$share/g+/b"), 0]),
        ];
        foreach (byte[] frame in bad)
        {
            var bed = new TestBed(setup);
            TestClient client = bed.Open(bed.Persistent("c")).Send(frame);
            Packet? said = client.Take().SingleOrDefault();
            Assert.Equal(setup.IsV5, said is { Type: PacketType.Disconnect });
            Assert.Equal(CloseCause.ProtocolError, Assert.Single(client.Host.Closes).Cause);
            Assert.Empty(bed.Router.OperationLog);
            Assert.Equal(0, bed.Context.Registry.Find("c")!.SubscriptionCount);
        }
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.8.3-4")]
    public void No_local_on_a_shared_filter_closes_and_holds_nothing(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("c"));
        client.SendSubscribe(1, 0, ("before", Q(1)), ("$share/g/a", SubscriptionOptions.Create(QoS.AtLeastOnce, noLocal: true)));
        client.ExpectDisconnected(ReasonCode.ProtocolError);
        Assert.Equal(0, bed.Context.Registry.Find("c")!.SubscriptionCount);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.8.4-3")]
    [Clause(Specification.Mqtt50, "MQTT-3.8.4-3", "MQTT-3.8.4-4")]
    public void The_same_filter_again_replaces_the_subscription(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient publisher = bed.Open("p");
        publisher.Publish("a", "kept", new PublishSettings { Retain = true });
        TestClient client = bed.Open("c").Subscribe("a", QoS.AtMostOnce);
        client.ExpectPublish("kept");
        client.Subscribe("a", QoS.AtLeastOnce);
        client.ExpectPublish("kept");
        Assert.Equal(1, client.Session.SubscriptionCount);
        publisher.Publish("a", "live", QoS.AtLeastOnce, 1);
        Assert.Equal(QoS.AtLeastOnce, client.ExpectPublish("live").QoS);
        client.ExpectNothing();
    }

    [Theory, Each]
    public void Operations_reach_the_router_one_by_one_and_in_order(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.SubscribeAnswer = Answer.Later;
        TestClient client = bed.Open("c");
        client.SendSubscribe(1, 0, ("a", Q(1))).SendUnsubscribe(2, "a").SendSubscribe(3, 0, ("a", Q(2))).ExpectNothing();
        Assert.Equal(["+a"], bed.Router.OperationLog);
        bed.Router.CompleteOperations(1);
        Assert.Equal(1, client.Expect(PacketType.SubAck).Id);
        Assert.Equal(["+a", "-a"], bed.Router.OperationLog);
        bed.Router.CompleteOperations();
        bed.Router.CompleteOperations();
        Assert.Equal(2, client.Expect(PacketType.UnsubAck).Id);
        Assert.Equal(3, client.Expect(PacketType.SubAck).Id);
        Assert.Equal(["+a", "-a", "+a"], bed.Router.OperationLog);
        client.Publish("a", "x", QoS.ExactlyOnce, 9);
        Assert.Equal([PacketType.Publish, PacketType.PubRec], client.Take().Select(packet => packet.Type));
    }

    [Theory, Each]
    public void Too_many_waiting_operations_stop_the_reading(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumWaitingOperations = 2 });
        bed.Router.SubscribeAnswer = Answer.Later;
        TestClient client = bed.Open("c");
        client.SendSubscribe(1, 0, ("a", Q(1))).SendSubscribe(2, 0, ("b", Q(1))).SendSubscribe(3, 0, ("c", Q(1)));
        Assert.True(client.Host.IsPaused);
        bed.Router.CompleteOperations(1);
        Assert.Equal(1, client.Expect(PacketType.SubAck).Id);
        Assert.True(client.Host.IsPaused);
        while (bed.Router.Operations.Count > 0)
        {
            bed.Router.CompleteOperations(1);
        }

        Assert.Equal([2, 3], client.Take().Select(packet => (int)packet.Id));
        Assert.False(client.Host.IsPaused);
        client.Drop();
        bed.AssertAtRest();
    }

    [Theory, Each]
    public void A_refused_filter_that_is_asked_for_again_meanwhile_is_asked_for_anew(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.SubscribeAnswer = Answer.Later;
        TestClient client = bed.Open("c");
        client.SendSubscribe(1, 0, ("a", Q(1))).SendSubscribe(2, 0, ("a", Q(1)));
        bed.Router.SubscribeReason = ReasonCode.NotAuthorized;
        bed.Router.CompleteOperations(1);
        bed.Router.SubscribeReason = ReasonCode.Success;
        bed.Router.CompleteOperations(1);
        Assert.True(ReasonCodes.IsError(client.Expect(PacketType.SubAck).Codes[0]));
        Assert.Equal([ReasonCode.GrantedQoS1], client.Expect(PacketType.SubAck).Codes);
        Assert.Equal(1, client.Session.SubscriptionCount);
        client.Publish("a", "x").ExpectPublish("x");
    }

    [Theory, Each]
    public void A_subscription_outlives_the_connection_that_asked_for_it(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.SubscribeAnswer = Answer.Later;
        TestClient client = bed.Open(bed.Persistent("c"));
        client.SendSubscribe(1, 0, ("a", Q(1)));
        client.Drop();
        TestClient again = bed.Open(bed.Persistent("c"));
        bed.Router.CompleteOperations();
        again.ExpectNothing();
        again.Publish("a", "x").ExpectPublish("x");
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-29", "MQTT-3.9.2-2", "MQTT-3.11.2-2", "MQTT-3.1.2-24")]
    public void User_properties_of_suback_come_only_where_they_are_wanted_and_fit(Setup setup)
    {
        foreach ((bool wanted, uint size, int expected) in ((bool, uint, int)[])[(true, 0, 1), (false, 0, 0), (true, 20, 0)])
        {
            var bed = new TestBed(setup);
            bed.Router.SubscribeProperties = Wire.UserProperty("position", new string('1', 30));
            TestClient client = bed.Open(bed.Clean("c") with { WantsProblemInformation = wanted, MaximumPacketSize = size });
            client.SendSubscribe(1, 0, ("a", Q(1)));
            Assert.Equal(expected, client.Expect(PacketType.SubAck).UserProperties.Count);
            client.SendUnsubscribe(2, "a");
            Assert.Equal(expected, client.Expect(PacketType.UnsubAck).UserProperties.Count);
        }
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-24", "MQTT-4.13.2-1")]
    public void A_suback_that_cannot_fit_ends_the_connection(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c") with { MaximumPacketSize = 20 });
        client.SendSubscribe(1, 0, [.. Enumerable.Range(0, 30).Select(i => ($"{i}", Q(1)))]);
        Assert.All(client.Take(), packet => Assert.InRange(packet.Length, 2, 20));
        Assert.Equal(CloseCause.LimitExceeded, Assert.Single(client.Host.Closes).Cause);
        bed.AssertAtRest();
    }
}
