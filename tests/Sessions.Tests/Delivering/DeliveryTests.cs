namespace Trunkline.Sessions.Tests.Delivering;

/// <summary>What a subscriber gets: QoS, flags, identifiers, properties.</summary>
public sealed class DeliveryTests
{
    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.8.4-6", "MQTT-3.3.1-3", "MQTT-3.3.2-3", "MQTT-4.3.1-1", "MQTT-4.5.0-1", "MQTT-2.3.1-5")]
    [Clause(Specification.Mqtt50, "MQTT-3.8.4-8", "MQTT-3.3.1-3", "MQTT-3.3.2-3", "MQTT-4.3.1-1", "MQTT-4.5.0-1", "MQTT-2.2.1-2", "MQTT-4.3.2-2", "MQTT-4.3.3-2")]
    public void The_lower_of_published_and_granted_qos_is_delivered(Setup setup)
    {
        for (int granted = 0; granted <= 2; granted++)
        {
            for (int published = 0; published <= 2; published++)
            {
                var bed = new TestBed(setup);
                TestClient subscriber = bed.Open("s").Subscribe("t/+", (QoS)granted);
                bed.Open("p").Publish("t/1", "x", (QoS)published, 1, duplicate: published > 0);
                Packet packet = subscriber.ExpectPublish("x");
                Assert.Equal((QoS)int.Min(granted, published), packet.QoS);
                Assert.Equal(packet.QoS != QoS.AtMostOnce, packet.Id != 0);
                Assert.False(packet.Duplicate);
                Assert.Equal("t/1", packet.Topic);
                subscriber.ExpectNothing();
            }
        }
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.3.5-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.3.4-2", "MQTT-3.3.4-3", "MQTT-3.3.4-4")]
    public void Overlapping_filters_give_one_copy_at_the_highest_qos_with_all_identifiers(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient subscriber = bed.Open("s")
            .Subscribe("a/b", QoS.AtMostOnce, identifier: 7).Subscribe("a/+", QoS.ExactlyOnce, identifier: 300_000)
            .Subscribe("#", QoS.AtLeastOnce).Subscribe("+/b", QoS.AtLeastOnce, identifier: 7);
        TestClient publisher = bed.Open("p").Publish("a/b", "2", QoS.ExactlyOnce, 1).Publish("a/b", "0");
        publisher.Publish("x", "none");
        Packet packet = subscriber.ExpectPublish("2");
        Assert.Equal(QoS.ExactlyOnce, packet.QoS);
        if (setup.IsV5)
        {
            Assert.Equal([7u, 7u, 300_000u], packet.Identifiers.Order());
        }

        Assert.Equal(setup.IsV5 ? 3 : 0, subscriber.ExpectPublish("0").Identifiers.Count);
        Assert.Empty(subscriber.ExpectPublish("none").Identifiers);
        subscriber.ExpectNothing();
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.4-3", "MQTT-3.8.4-3")]
    public void Identifiers_are_kept_with_what_waits_and_replaced_with_the_subscription(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient subscriber = bed.Open(bed.Persistent("s")).Subscribe("a", QoS.AtLeastOnce, identifier: 5).Subscribe("#", QoS.AtLeastOnce, identifier: 6);
        subscriber.Drop();
        bed.Open("p").Publish("a", "x", QoS.AtLeastOnce, 1);
        subscriber = bed.Open(bed.Persistent("s"));
        Assert.Equal([5u, 6u], subscriber.ExpectPublish("x").Identifiers.Order());
        subscriber.Subscribe("a", QoS.AtLeastOnce).Subscribe("#", QoS.AtLeastOnce, identifier: 9);
        bed.Open("p").Publish("a", "y", QoS.AtLeastOnce, 1);
        Assert.Equal([9u], subscriber.ExpectPublish("y").Identifiers);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.8.3-3")]
    public void No_local_keeps_back_only_what_the_client_published_itself(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("c").Subscribe("a", noLocal: true);
        TestClient other = bed.Open("o").Subscribe("a");
        client.Publish("a", "mine").ExpectNothing();
        other.ExpectPublish("mine");
        other.Publish("a", "theirs").ExpectPublish("theirs");
        client.ExpectPublish("theirs");
        client.Subscribe("+").Publish("a", "by the other filter").ExpectPublish("by the other filter");
        other.Publish("a", "plain");
        Assert.Equal(0ul, bed.Router.Last.Origin);
        client.Publish("a", "marked");
        Assert.Equal(SessionRegistry.OriginOf("c"), bed.Router.Last.Origin);
        client.SendUnsubscribe(3, "a").Take();
        client.Publish("a", "unmarked");
        Assert.Equal(0ul, bed.Router.Last.Origin);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.3.1-8", "MQTT-3.3.1-9")]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-12", "MQTT-3.3.1-13")]
    public void Retain_is_shown_as_the_subscription_asks(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient standing = bed.Open("s").Subscribe("a");
        TestClient published = bed.OpenV5("r").Subscribe("a", retainAsPublished: true);
        TestClient publisher = bed.Open("p");
        publisher.Publish("a", "kept", new PublishSettings { Retain = true }).Publish("a", "plain");
        Assert.False(standing.ExpectPublish("kept").Retain);
        Assert.False(standing.ExpectPublish("plain").Retain);
        Assert.True(published.ExpectPublish("kept").Retain);
        Assert.False(published.ExpectPublish("plain").Retain);
        Assert.True(bed.Open("late").Subscribe("a").ExpectPublish("kept").Retain);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.3.1-6", "MQTT-3.8.4-3")]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11", "MQTT-3.8.4-4")]
    public void Retain_handling_says_when_retained_messages_come(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Open("p").Publish("a", "kept", new PublishSettings { Retain = true, QoS = QoS.AtLeastOnce, Id = 1 });
        foreach (RetainHandling handling in Enum.GetValues<RetainHandling>())
        {
            TestClient client = bed.Open("c" + handling);
            client.Subscribe("a", handling: handling, identifier: 4);
            bool always = !setup.IsV5 || handling == RetainHandling.SendAtSubscribe;
            if (always || handling == RetainHandling.SendIfNew)
            {
                Packet packet = client.ExpectPublish("kept");
                Assert.Equal((QoS.AtLeastOnce, true), (packet.QoS, packet.Retain));
                Assert.Equal(setup.IsV5 ? [4u] : [], packet.Identifiers);
                client.PubAck(packet.Id);
            }

            client.ExpectNothing().Subscribe("a", handling: handling);
            Assert.Equal(always ? 1 : 0, client.Take().Count);
            client.SendUnsubscribe(7, "a").Expect(PacketType.UnsubAck);
            client.Subscribe("a", handling: handling);
            Assert.Equal(handling == RetainHandling.DoNotSend && setup.IsV5 ? 0 : 1, client.Take().Count);
        }
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    public void A_shared_subscription_asks_for_no_retained_messages(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Open("p").Publish("a", "kept", new PublishSettings { Retain = true });
        TestClient client = bed.Open("c").Subscribe("$share/g/a");
        client.ExpectNothing();
        Assert.True(client.Session.Subscriptions[0].Filter.IsShared);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20")]
    public void Properties_pass_unchanged_and_in_order(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient subscriber = bed.Open("s").Subscribe("a");
        byte[] properties =
        [
            .. Wire.UserProperty("z", "1"), (byte)PropertyId.PayloadFormatIndicator, 1, .. Wire.TextProperty(PropertyId.ContentType, "text/plain"),
            .. Wire.UserProperty("a", "2"), .. Wire.UserProperty("tl", "spoofed"), .. Wire.TextProperty(PropertyId.ResponseTopic, "answer/to"),
            .. Wire.TextProperty(PropertyId.CorrelationData, "42"), .. Wire.UserProperty("z", "3"),
        ];
        bed.Open("p").Publish("a", "x", new PublishSettings { Properties = properties, Alias = 2 });
        Packet packet = subscriber.ExpectPublish("x");
        Assert.Equal((byte?)1, packet.PayloadFormat);
        Assert.Equal(("text/plain", "answer/to", "42"), (packet.ContentType, packet.ResponseTopic, packet.CorrelationData));
        Assert.Equal([("z", "1"), ("a", "2"), ("z", "3")], packet.UserProperties);
        Assert.Equal(0, packet.Alias);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-1.5.3-3", "MQTT-4.7.3-4", "MQTT-4.7.2-1")]
    [Clause(Specification.Mqtt50, "MQTT-1.5.4-3", "MQTT-4.7.3-4", "MQTT-4.7.2-1")]
    public void Topics_are_kept_and_matched_as_they_are(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient exact = bed.Open("e").Subscribe("\uFEFFa/É");
        TestClient all = bed.Open("a").Subscribe("#");
        TestClient publisher = bed.Open("p").Publish("\uFEFFa/É", "1").Publish("\uFEFFa/E\u0301", "2").Publish("$x/y", "3").Publish("a/É", "4");
        Assert.Equal("\uFEFFa/É", exact.ExpectPublish("1").Topic);
        exact.ExpectNothing();
        Assert.Equal(["1", "2", "4"], all.Take().Select(packet => packet.Payload));
        publisher.ExpectNothing();
    }

    [Theory, Each]
    [Clause(Specification.Mqtt50, "MQTT-4.8.2-3", "MQTT-4.8.2-4")]
    public void A_member_of_a_share_gets_no_more_than_it_was_granted_and_finishes_what_it_began(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient member = bed.Open(bed.Persistent("m")).Subscribe("$share/g/a", QoS.AtLeastOnce).Subscribe("$share/g/b", QoS.ExactlyOnce);
        TestClient publisher = bed.Open("p").Publish("a", "1", QoS.ExactlyOnce, 1).Publish("b", "2", QoS.ExactlyOnce, 2);
        Assert.Equal(QoS.AtLeastOnce, member.ExpectPublish("1").QoS);
        ushort id = member.ExpectPublish("2").Id;
        member.PubRec(id).Expect(PacketType.PubRel);
        member.Drop();
        member = bed.Open(bed.Persistent("m"));
        Assert.Equal("1", member.Expect(PacketType.Publish).Payload);
        Assert.Equal(id, member.Expect(PacketType.PubRel).Id);
        member.PubComp(id).ExpectNothing();
        Assert.Equal(1, member.Session.InFlight);
        publisher.Take();
    }

    [Theory, Each]
    public void Many_subscribers_of_both_versions_get_the_same_message(Setup setup)
    {
        var bed = new TestBed(setup);
        List<TestClient> clients = [];
        foreach (ProtocolVersion version in Enum.GetValues<ProtocolVersion>())
        {
            for (int qos = 0; qos <= 2; qos++)
            {
                TestClient client = bed.Open(new ConnectSettings(version, $"{version}{qos}"));
                client.Subscribe("a", (QoS)qos, retainAsPublished: true, identifier: qos == 2 ? 8u : 0);
                clients.Add(client);
            }
        }

        TestClient publisher = bed.OpenV5("p");
        publisher.Publish("a", "first", new PublishSettings { QoS = QoS.ExactlyOnce, Id = 1, Retain = true, Properties = Wire.UserProperty("k", "v") });
        publisher.Publish("a", "second", QoS.AtLeastOnce, 2);
        foreach (TestClient client in clients)
        {
            Packet first = client.ExpectPublish("first");
            Assert.Equal((client.IsV5, client.IsV5 ? 1 : 0), (first.Retain, first.UserProperties.Count));
            Packet second = client.ExpectPublish("second");
            Assert.False(second.Retain);
            Assert.True(first.QoS == QoS.AtMostOnce || first.Id != second.Id);
        }
    }
}
