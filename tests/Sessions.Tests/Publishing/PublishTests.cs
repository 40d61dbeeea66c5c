namespace Trunkline.Sessions.Tests.Publishing;

/// <summary>What a device publishes: the three QoS, refusals, and what is not a valid PUBLISH.</summary>
public sealed class PublishTests
{
    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-2.3.1-5", "MQTT-3.3.4-1", "MQTT-4.3.1-1")]
    [Clause(Specification.Mqtt50, "MQTT-2.2.1-2", "MQTT-3.3.4-1", "MQTT-4.3.1-1")]
    public void QoS_0_is_forwarded_without_an_answer(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient subscriber = bed.Open("s").Subscribe("a/#");
        bed.Open("c").Publish("a/b", "hello").ExpectNothing();
        Packet packet = subscriber.ExpectPublish("hello");
        Assert.Equal(("a/b", QoS.AtMostOnce, (ushort)0, false), (packet.Topic, packet.QoS, packet.Id, packet.Duplicate));
        Assert.Equal(1, bed.Count(SessionCounter.ReceivedQoS0));
        Assert.Equal(1, bed.Count(SessionCounter.SentQoS0));
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-2.3.1-6", "MQTT-3.3.4-1", "MQTT-4.3.2-2")]
    [Clause(Specification.Mqtt50, "MQTT-2.2.1-5", "MQTT-3.3.4-1", "MQTT-4.3.2-4", "MQTT-4.3.2-5")]
    public void QoS_1_is_acknowledged_once_the_router_owns_it(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.PublishAnswer = Answer.Later;
        TestClient client = bed.Open("c");
        client.Publish("t", "1", QoS.AtLeastOnce, 7).ExpectNothing();
        Assert.Equal(1, client.Channel.InboundUnfinished);
        bed.Router.CompletePublishes();
        Packet ack = client.Expect(PacketType.PubAck);
        Assert.Equal((7, ReasonCode.Success), (ack.Id, ack.Reason));
        client.Publish("t", "2", QoS.AtLeastOnce, 7, duplicate: true);
        bed.Router.CompletePublishes();
        Assert.Equal(7, client.Expect(PacketType.PubAck).Id);
        Assert.Equal(["1", "2"], bed.Router.Log.Select(published => published.Payload));
        Assert.Equal(0, client.Channel.InboundUnfinished);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-2.3.1-6", "MQTT-3.3.4-1", "MQTT-4.3.3-2")]
    [Clause(Specification.Mqtt50, "MQTT-2.2.1-5", "MQTT-3.3.4-1", "MQTT-4.3.3-8", "MQTT-4.3.3-10", "MQTT-4.3.3-11", "MQTT-4.3.3-12")]
    public void QoS_2_is_forwarded_once_whatever_is_repeated(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.PublishAnswer = Answer.Later;
        TestClient client = bed.Open("c");
        client.Publish("t", "1", QoS.ExactlyOnce, 7).Publish("t", "1", QoS.ExactlyOnce, 7, duplicate: true).ExpectNothing();
        bed.Router.CompletePublishes();
        Assert.Equal(7, client.Expect(PacketType.PubRec).Id);
        client.Publish("t", "1", QoS.ExactlyOnce, 7, duplicate: true);
        Assert.Equal((7, ReasonCode.Success), Answered(client, PacketType.PubRec));
        client.PubRel(7);
        Assert.Equal((7, ReasonCode.Success), Answered(client, PacketType.PubComp));
        Assert.Single(bed.Router.Log);
        Assert.Equal(0, client.Channel.InboundUnfinished);
        Assert.Equal(0, client.Session.InboundExchanges);

        client.PubRel(7);
        Assert.Equal((7, setup.IsV5 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success), Answered(client, PacketType.PubComp));
        client.Publish("t", "2", QoS.ExactlyOnce, 7);
        bed.Router.CompletePublishes();
        client.Expect(PacketType.PubRec);
        Assert.Equal(2, bed.Router.Log.Count);
        Assert.Equal(1, bed.Count(SessionCounter.UnknownPacketIds));
        Assert.Equal(2, bed.Count(SessionCounter.ReceivedQoS2));
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-4.3.3-2", "MQTT-4.4.0-1", "MQTT-4.1.0-1")]
    [Clause(Specification.Mqtt50, "MQTT-4.3.3-10", "MQTT-4.3.3-11", "MQTT-4.1.0-1")]
    public void QoS_2_survives_the_connection(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.PublishAnswer = Answer.Later;
        TestClient client = bed.Open(bed.Persistent("c"));
        client.Publish("t", "1", QoS.ExactlyOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2);
        bed.Router.CompletePublishes(count: 1);
        client.Expect(PacketType.PubRec);
        client.Drop();

        TestClient again = bed.Open(bed.Persistent("c"));
        again.PubRel(1);
        Assert.Equal((1, ReasonCode.Success), Answered(again, PacketType.PubComp));
        again.Publish("t", "2", QoS.ExactlyOnce, 2, duplicate: true).ExpectNothing();
        Assert.Equal(1, again.Channel.InboundUnfinished);
        bed.Router.CompletePublishes();
        Assert.Equal((2, ReasonCode.Success), Answered(again, PacketType.PubRec));
        again.PubRel(2);
        again.Expect(PacketType.PubComp);
        Assert.Equal(2, bed.Router.Log.Count);
        Assert.Equal(0, again.Channel.InboundUnfinished);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    public void A_packet_beyond_the_window_leaves_no_trace_in_the_session(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { ReceiveMaximum = 1 });
        bed.Router.PublishAnswer = Answer.Later;
        TestClient client = bed.Open(bed.Persistent("c"));
        client.Publish("t", "1", QoS.ExactlyOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2);
        client.ExpectDisconnected(ReasonCode.ReceiveMaximumExceeded);
        bed.Router.CompletePublishes();
        TestClient again = bed.Open(bed.Persistent("c"));
        again.PubRel(1).Expect(PacketType.PubComp);
        again.Publish("t", "2", QoS.ExactlyOnce, 2, duplicate: true);
        bed.Router.CompletePublishes();
        again.Expect(PacketType.PubRec);
        Assert.Equal(["1", "2"], bed.Router.Log.Select(published => published.Payload));
    }

    [Theory, Each]
    public void A_puback_belongs_to_the_connection_that_asked(Setup setup)
    {
        var bed = new TestBed(setup);
        bed.Router.PublishAnswer = Answer.Later;
        TestClient client = bed.Open(bed.Persistent("c"));
        client.Publish("t", "1", QoS.AtLeastOnce, 1);
        client.Drop();
        TestClient again = bed.Open(bed.Persistent("c"));
        bed.Router.CompletePublishes();
        again.ExpectNothing();
        Assert.Equal(0, again.Channel.InboundUnfinished);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt50, "MQTT-3.4.2-1", "MQTT-3.5.2-1", "MQTT-4.3.3-9", "MQTT-4.4.0-2")]
    [Clause(Specification.Mqtt311, "MQTT-3.3.5-2")]
    public void What_a_device_may_not_publish_is_said_or_dropped(Setup setup)
    {
        foreach (Answer answer in Enum.GetValues<Answer>())
        {
            var bed = new TestBed(setup);
            bed.Router.PublishAnswer = answer;
            bed.Router.PublishReason = ReasonCode.NotAuthorized;
            TestClient client = bed.Open("c");
            client.Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2).Publish("t", "0");
            bed.Router.CompletePublishes(ReasonCode.NotAuthorized);
            ReasonCode expected = setup.IsV5 ? ReasonCode.NotAuthorized : ReasonCode.Success;
            Assert.Equal((1, expected), Answered(client, PacketType.PubAck));
            Assert.Equal((2, expected), Answered(client, PacketType.PubRec));
            client.ExpectNothing();
            if (!setup.IsV5)
            {
                client.PubRel(2).Expect(PacketType.PubComp);
            }

            Assert.Equal(0, client.Channel.InboundUnfinished);
            Assert.Equal(0, client.Session.InboundExchanges);
            client.Publish("t", "again", QoS.ExactlyOnce, 2);
            Assert.Equal("again", bed.Router.Last.Payload);
        }
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-4.8.0-2")]
    public void What_cannot_be_kept_is_never_acknowledged(Setup setup)
    {
        foreach (QoS qos in (QoS[])[QoS.AtLeastOnce, QoS.ExactlyOnce])
        {
            foreach (Answer answer in Enum.GetValues<Answer>())
            {
                var bed = new TestBed(setup);
                bed.Router.PublishAnswer = answer;
                bed.Router.PublishReason = ReasonCode.QuotaExceeded;
                TestClient client = bed.Open(bed.Persistent("c"));
                client.Publish("t", "1", qos, 1);
                bed.Router.CompletePublishes(ReasonCode.QuotaExceeded);
                if (setup.IsV5)
                {
                    Assert.Equal(ReasonCode.QuotaExceeded, client.Take().Single().Reason);
                }
                else
                {
                    Assert.Equal(CloseCause.GroupAway, client.ExpectClosed(ReasonCode.QuotaExceeded).Cause);
                    client = bed.Open(bed.Persistent("c"));
                }

                bed.Router.PublishReason = ReasonCode.Success;
                client.Publish("t", "1", qos, 1, duplicate: true);
                bed.Router.CompletePublishes();
                Assert.Equal(1, client.Take().Single().Id);
                Assert.Equal(2, bed.Router.Log.Count);
            }
        }
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.4.2-1", "MQTT-3.5.2-1")]
    public void Acknowledgements_carry_only_codes_of_their_own(Setup setup)
    {
        foreach (ReasonCode reason in Enum.GetValues<ReasonCode>())
        {
            var bed = new TestBed(setup);
            bed.Router.PublishAnswer = Answer.Later;
            TestClient client = bed.Open("c");
            client.Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2);
            bed.Router.CompletePublishes(reason);
            foreach (Packet packet in client.Take())
            {
                Assert.True(ReasonCodes.IsAllowed(packet.Type, PacketSender.Server, packet.Reason), packet.ToString());
                Assert.Equal(ReasonCodes.IsError(reason), ReasonCodes.IsError(packet.Reason));
            }
        }
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.3.1-4", "MQTT-3.3.1-2", "MQTT-3.3.2-1", "MQTT-3.3.2-2", "MQTT-2.3.1-1", "MQTT-4.7.1-1", "MQTT-4.7.3-1", "MQTT-4.8.0-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-4", "MQTT-3.3.1-2", "MQTT-3.3.2-1", "MQTT-3.3.2-2", "MQTT-2.2.1-3", "MQTT-4.7.0-1", "MQTT-4.7.3-1", "MQTT-4.13.1-1")]
    public void A_malformed_publish_closes_and_reaches_nobody(Setup setup)
    {
        byte[] empty = setup.IsV5 ? [0] : [];
        byte[][] bad =
        [
            Wire.Frame(0x36, [.. Wire.Text("t"), 0, 1, .. empty]),
            Wire.Frame(0x38, [.. Wire.Text("t"), .. empty]),
            Wire.Frame(0x32, [.. Wire.Text("t"), 0, 0, .. empty]),
            Wire.Frame(0x30, [.. Wire.Text(""), .. empty]),
            Wire.Frame(0x30, [.. Wire.Text("a/+"), .. empty]),
            Wire.Frame(0x30, [.. Wire.Text("#"), .. empty]),
            Wire.Frame(0x30, [.. Wire.Binary([0xFF]), .. empty]),
            Wire.Frame(0x30, [.. Wire.Text("a\0"), .. empty]),
            Wire.Frame(0x30, [0, 9, (byte)'t']),
        ];
        foreach (byte[] frame in bad)
        {
            var bed = new TestBed(setup);
            TestClient client = bed.Open("c").Send(frame);
            Packet? said = client.Take().SingleOrDefault();
            Assert.Equal(setup.IsV5, said is { Type: PacketType.Disconnect });
            Assert.Equal(CloseCause.ProtocolError, Assert.Single(client.Host.Closes).Cause);
            Assert.Empty(bed.Router.Log);
        }
    }

    [Theory, Each]
    public void A_topic_of_too_many_levels_is_refused(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumTopicLevels = 3 });
        TestClient client = bed.Open("c");
        client.Publish("a/b/c", "fits", QoS.AtLeastOnce, 1).Expect(PacketType.PubAck);
        client.Publish("a/b/c/d", "1", QoS.AtLeastOnce, 2);
        if (setup.IsV5)
        {
            Assert.Equal((2, ReasonCode.TopicNameInvalid), Answered(client, PacketType.PubAck));
            client.Publish("a/b/c/d", "2", QoS.ExactlyOnce, 3);
            Assert.Equal((3, ReasonCode.TopicNameInvalid), Answered(client, PacketType.PubRec));
            client.Publish("a/b/c/d", "0");
        }

        client.ExpectDisconnected(ReasonCode.TopicNameInvalid);
        Assert.Single(bed.Router.Log);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt50, "MQTT-3.2.2-15")]
    public void A_packet_above_our_maximum_size_closes_by_its_header(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumPacketSize = 1024 });
        TestClient client = bed.Open("c").Send([0x30, 0xFF, 0xFF, 0x7F]);
        Assert.Equal(CloseCause.LimitExceeded, client.ExpectDisconnected(ReasonCode.PacketTooLarge).Cause);
    }

    [Theory, Each]
    public void A_qos_or_retain_that_is_not_served_closes(Setup setup)
    {
        var options = new MqttOptions { MaximumQoS = QoS.AtLeastOnce, RetainAvailable = false };
        new TestBed(setup, options).Open("c").Publish("t", "2", QoS.ExactlyOnce, 1).ExpectDisconnected(ReasonCode.QoSNotSupported);
        new TestBed(setup, options).Open("c").Publish("t", "r", new PublishSettings { Retain = true })
            .ExpectDisconnected(ReasonCode.RetainNotSupported);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.4-6", "MQTT-3.3.2-13", "MQTT-3.3.2-14", "MQTT-3.3.2-19")]
    public void Properties_a_client_must_not_send_close(Setup setup)
    {
        byte[][] bad =
        [
            [(byte)PropertyId.SubscriptionIdentifier, 1],
            Wire.TextProperty(PropertyId.ResponseTopic, "a/#"),
            [(byte)PropertyId.ResponseTopic, .. Wire.Binary([0xFF])],
            [(byte)PropertyId.ContentType, .. Wire.Binary([0xFF])],
            Wire.IntProperty(PropertyId.SessionExpiryInterval, 1),
        ];
        foreach (byte[] properties in bad)
        {
            var bed = new TestBed(setup);
            TestClient client = bed.Open("c").Publish("t", "x", new PublishSettings { Properties = properties });
            Assert.Equal(PacketType.Disconnect, Assert.Single(client.Take()).Type);
            Assert.Empty(bed.Router.Log);
        }
    }

    private static (int Id, ReasonCode Reason) Answered(TestClient client, PacketType type)
    {
        Packet packet = client.Expect(type);
        return (packet.Id, packet.Reason);
    }
}
