namespace Trunkline.Sessions.Tests.Subscribing;

/// <summary>UNSUBSCRIBE and UNSUBACK.</summary>
public sealed class UnsubscribeTests
{
    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-2.3.1-7", "MQTT-3.10.4-1", "MQTT-3.10.4-2", "MQTT-3.10.4-4", "MQTT-3.10.4-5", "MQTT-3.10.4-6")]
    [Clause(Specification.Mqtt50, "MQTT-2.2.1-6", "MQTT-3.10.4-1", "MQTT-3.10.4-2", "MQTT-3.10.4-4", "MQTT-3.10.4-5", "MQTT-3.10.4-6", "MQTT-3.11.3-1", "MQTT-3.11.3-2")]
    public void Exactly_the_named_filters_end_and_one_unsuback_answers_in_order(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumTopicLevels = 4 });
        TestClient client = bed.Open("c").Subscribe("a/b").Subscribe("A/B").Subscribe("a/+").Subscribe("$share/g/a/b");
        client.SendUnsubscribe(5, "a/b", "a/#", "1/2/3/4/5", "$share/h/a/b", "A/B");
        Packet ack = client.Expect(PacketType.UnsubAck);
        Assert.Equal(5, ack.Id);
        if (setup.IsV5)
        {
            Assert.Equal(
                [ReasonCode.Success, ReasonCode.NoSubscriptionExisted, ReasonCode.TopicFilterInvalid, ReasonCode.NoSubscriptionExisted, ReasonCode.Success],
                ack.Codes);
        }

        Assert.Equal(["$share/g/a/b", "a/+"], client.Session.Subscriptions.Select(s => s.Filter.ToString()).Order(StringComparer.Ordinal));
        client.SendUnsubscribe(6, "a/+", "$share/g/a/b").Expect(PacketType.UnsubAck);
        client.Publish("a/b", "nobody").Publish("A/B", "nobody").ExpectNothing();
        Assert.Equal(0, bed.Count(SessionCounter.Subscriptions));
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.10.4-2", "MQTT-3.10.4-3")]
    [Clause(Specification.Mqtt50, "MQTT-3.10.4-2", "MQTT-3.10.4-3")]
    public void Nothing_new_comes_and_what_has_begun_is_finished(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("c")).Subscribe("a");
        TestClient publisher = bed.Open("p");
        publisher.Publish("a", "1", QoS.AtLeastOnce, 1).Publish("a", "2", QoS.ExactlyOnce, 2);
        ushort first = client.ExpectPublish("1").Id;
        ushort second = client.ExpectPublish("2").Id;
        bed.Router.SubscribeAnswer = Answer.Later;
        client.SendUnsubscribe(3, "a").ExpectNothing();
        publisher.Publish("a", "3", QoS.AtLeastOnce, 3);
        client.ExpectNothing();
        bed.Router.CompleteOperations();
        client.Expect(PacketType.UnsubAck);
        client.Drop();

        client = bed.Open(bed.Persistent("c"));
        Assert.Equal((first, true), (client.Expect(PacketType.Publish) is var p ? p.Id : (ushort)0, p.Duplicate));
        Assert.Equal(second, client.ExpectPublish("2").Id);
        client.PubAck(first).PubRec(second).Expect(PacketType.PubRel);
        client.PubComp(second).ExpectNothing();
        Assert.Equal(0, client.Session.InFlight);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.10.1-1", "MQTT-3.10.3-1", "MQTT-3.10.3-2")]
    [Clause(Specification.Mqtt50, "MQTT-3.10.1-1", "MQTT-3.10.3-1", "MQTT-3.10.3-2")]
    public void A_malformed_unsubscribe_closes_and_ends_nothing(Setup setup)
    {
        byte[] head = setup.IsV5 ? [0, 1, 0] : [0, 1];
        byte[] good = Wire.Text("a");
        byte[][] bad =
        [
            Wire.Frame(0xA0, [.. head, .. good]),
            Wire.Frame(0xA2, head),
            Wire.Frame(0xA2, [0, 0, .. head[2..], .. good]),
            Wire.Frame(0xA2, [.. head, .. good, .. Wire.Binary([0xFF])]),
            Wire.Frame(0xA2, [.. head, .. good, .. Wire.Text("")]),
            Wire.Frame(0xA2, [.. head, .. good, .. Wire.Text("a/#/b")]),
            Wire.Frame(0xA2, [.. head, .. good, 0]),
        ];
        foreach (byte[] frame in bad)
        {
            var bed = new TestBed(setup);
            TestClient client = bed.Open(bed.Persistent("c")).Subscribe("a").Send(frame);
            Assert.Equal(setup.IsV5 ? 1 : 0, client.Take().Count);
            Assert.Equal(CloseCause.ProtocolError, Assert.Single(client.Host.Closes).Cause);
            Assert.Equal(1, bed.Context.Registry.Find("c")!.SubscriptionCount);
        }
    }

    [Theory, Each]
    public void Unsubscribe_during_a_pending_subscribe_is_answered_after_it(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.SubscribeAnswer = Answer.Later;
        TestClient client = bed.Open("c");
        client.SendSubscribe(1, 0, ("a", default)).SendUnsubscribe(2, "a");
        Assert.Equal(0, client.Session.SubscriptionCount);
        bed.Router.CompleteOperations(1);
        client.Expect(PacketType.SubAck);
        client.Publish("a", "x").ExpectNothing();
        bed.Router.CompleteOperations();
        client.Expect(PacketType.UnsubAck);
        client.Publish("a", "x").ExpectNothing();
        client.Drop();
        bed.AssertAtRest();
    }
}
