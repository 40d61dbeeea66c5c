using Trunkline.Transports;

namespace Trunkline.Sessions.Tests.Delivering;

/// <summary>Sizes, lifetimes, aliases, backlogs and slow devices.</summary>
public sealed class LimitTests
{
    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-24", "MQTT-3.1.2-25")]
    public void A_message_too_large_for_the_client_counts_as_delivered(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("s") with { MaximumPacketSize = 100 }).Subscribe("t");
        TestClient publisher = bed.Open("p");
        ushort id = 0;
        for (int length = 80; length <= 110; length++)
        {
            foreach (QoS qos in Enum.GetValues<QoS>())
            {
                publisher.Publish("t", new string('x', length), qos, ++id);
            }
        }

        List<Packet> packets = client.Take();
        Assert.All(packets, packet => Assert.InRange(packet.Length, 1, 100));
        Assert.Equal(100, packets.Max(packet => packet.Length));
        Assert.Equal(93 - packets.Count, bed.Count(SessionCounter.DroppedTooLarge));
        Assert.Equal(packets.Count(packet => packet.QoS != QoS.AtMostOnce), client.Session.InFlight);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-24", "MQTT-3.1.2-25")]
    public void A_resend_too_large_for_the_new_connection_counts_as_delivered(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("s")).Subscribe("t");
        TestClient publisher = bed.Open("p");
        foreach ((int length, ushort id) in ((int, ushort)[])[(200, 1), (10, 2), (300, 3), (400, 4), (11, 5), (500, 6)])
        {
            publisher.Publish("t", new string('x', length), id % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce, id);
        }

        client.Drop();
        client = bed.Open(bed.Persistent("s") with { MaximumPacketSize = 100 });
        Assert.Equal([10, 11], client.Take().Select(packet => packet.Payload.Length));
        Assert.Equal(4, bed.Count(SessionCounter.DroppedTooLarge));
        Assert.Equal(2, client.Session.InFlight);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.2-5", "MQTT-3.3.2-6", "MQTT-4.3.3-7")]
    public void Lifetimes_are_kept_to_the_second(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient live = bed.Open("live").Subscribe("t");
        TestClient client = bed.Open(bed.Persistent("s")).Subscribe("t");
        TestClient publisher = bed.Open("p");
        publisher.Publish("t", "sent", new PublishSettings { QoS = QoS.ExactlyOnce, Id = 1, Expiry = 5 });
        Assert.Equal(5u, live.ExpectPublish("sent").Expiry);
        Assert.Equal(5u, client.ExpectPublish("sent").Expiry);
        client.Drop();
        publisher.Publish("t", "waits", new PublishSettings { QoS = QoS.AtLeastOnce, Id = 2, Expiry = 10 });
        publisher.Publish("t", "dies", new PublishSettings { QoS = QoS.AtLeastOnce, Id = 3, Expiry = 7 });
        publisher.Publish("t", "for ever", new PublishSettings { QoS = QoS.AtLeastOnce, Id = 4 });
        bed.Advance(7);
        client = bed.Open(bed.Persistent("s"));
        Packet again = client.ExpectPublish("sent");
        Assert.Equal((true, 1u), (again.Duplicate, again.Expiry));
        Assert.Equal(3u, client.ExpectPublish("waits").Expiry);
        Assert.Null(client.ExpectPublish("for ever").Expiry);
        client.ExpectNothing();
        Assert.Equal(1, bed.Count(SessionCounter.DroppedExpired));
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.2-5")]
    public void A_slow_device_gets_no_message_whose_time_is_over(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("s").Subscribe("t").Congest();
        bed.Open("p").Publish("t", "0", new PublishSettings { Expiry = 2 }).Publish("t", "1", new PublishSettings { Expiry = 2, QoS = QoS.AtLeastOnce, Id = 1 })
            .Publish("t", "2", new PublishSettings { Expiry = 20 });
        bed.Advance(3);
        client.Relieve();
        Assert.Equal(17u, client.ExpectPublish("2").Expiry);
        client.ExpectNothing();
        Assert.Equal(0, bed.Context.Messages.Rented);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-4.3.3-13")]
    public void An_exchange_is_finished_after_its_message_expired(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("s").Subscribe("t");
        TestClient publisher = bed.Open("p").Publish("t", "x", new PublishSettings { QoS = QoS.ExactlyOnce, Id = 1, Expiry = 1 });
        publisher.Expect(PacketType.PubRec);
        bed.Advance(60);
        publisher.PubRel(1);
        Assert.Equal(ReasonCode.Success, publisher.Expect(PacketType.PubComp).Reason);
        ushort id = client.ExpectPublish("x").Id;
        client.PubRec(id).Expect(PacketType.PubRel);
        client.PubComp(id);
        Assert.Equal(0, client.Session.InFlight);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-26", "MQTT-3.1.2-27", "MQTT-3.3.2-7", "MQTT-3.3.2-11")]
    public void Our_aliases_stay_within_the_clients_maximum_and_die_with_the_connection(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { OutboundTopicAliasMaximum = 3 });
        foreach ((ushort maximum, int expected) in ((ushort, int)[])[(0, 0), (2, 2), (9, 3)])
        {
            TestClient client = bed.Open(bed.Clean("s") with { AliasMaximum = maximum }).Subscribe("t/#", QoS.AtLeastOnce);
            for (int round = 0; round < 2; round++)
            {
                TestClient publisher = bed.Open("p");
                for (int i = 1; i <= 5; i++)
                {
                    publisher.Publish($"t/{i}", $"{i}");
                    Packet packet = client.ExpectPublish($"{i}");
                    Assert.Equal(i <= expected ? i : 0, packet.Alias);
                    Assert.Equal(round == 1 && i <= expected ? "" : $"t/{i}", packet.Topic);
                }
            }
        }
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-24", "MQTT-3.1.2-26")]
    public void An_alias_never_makes_a_packet_too_large(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("s") with { AliasMaximum = 40, MaximumPacketSize = 150 }).Subscribe("t/#", QoS.AtLeastOnce);
        TestClient publisher = bed.Open("p");
        for (int length = 120; length <= 150; length++)
        {
            publisher.Publish($"t/{length}", new string('x', length), QoS.AtLeastOnce, 1).Publish($"t/{length}", new string('y', length));
        }

        List<Packet> packets = client.Take();
        Assert.All(packets, packet => Assert.InRange(packet.Length, 1, 150));
        Assert.Contains(packets, packet => packet.Alias != 0 && packet.Topic.Length == 0);
        Assert.Contains(packets, packet => packet.Alias == 0);
        Assert.Equal(150, packets.Max(packet => packet.Length));
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-5", "MQTT-4.5.0-1")]
    [Clause(Specification.Mqtt50, "MQTT-4.5.0-1")]
    public void A_full_backlog_drops_the_oldest_and_counts_it(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { BacklogMessages = 3 });
        bed.Open(bed.Persistent("s")).Subscribe("t").Drop();
        TestClient publisher = bed.Open("p");
        for (ushort id = 1; id <= 8; id++)
        {
            publisher.Publish("t", $"{id}", QoS.AtLeastOnce, id);
        }

        Assert.Equal(5, bed.Count(SessionCounter.DroppedBacklog));
        Assert.Equal(["6", "7", "8"], bed.Open(bed.Persistent("s")).Take().Select(packet => packet.Payload));
    }

    [Theory, Each]
    public void A_backlog_is_limited_in_bytes_too(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { BacklogBytes = 1024 });
        bed.Open(bed.Persistent("s")).Subscribe("t").Drop();
        TestClient publisher = bed.Open("p");
        for (ushort id = 1; id <= 8; id++)
        {
            publisher.Publish("t", new string((char)('0' + id), 300), QoS.AtLeastOnce, id);
        }

        TestClient client = bed.Open(bed.Persistent("s"));
        Assert.Equal(["6", "7", "8"], client.Take().Select(packet => packet.Payload[..1]));
        Assert.Equal(5, bed.Count(SessionCounter.DroppedBacklog));
    }

    [Theory, Each]
    public void When_memory_is_short_nothing_of_QoS_0_waits_for_a_slow_device(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("s").Subscribe("t").Congest();
        TestClient publisher = bed.Open("p");
        publisher.Publish("t", "before");
        bed.Loop.Memory.Level = MemoryLevel.Short;
        publisher.Publish("t", "dropped").Publish("t", "kept", QoS.AtLeastOnce, 1).Expect(PacketType.PubAck);
        Assert.Equal(1, bed.Count(SessionCounter.DroppedSlowDevice));
        bed.Loop.Memory.Level = MemoryLevel.Ample;
        client.Relieve();
        Assert.Equal(["kept", "before"], client.Take().Select(packet => packet.Payload));
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-4.6.0-6", "MQTT-4.6.0-5")]
    [Clause(Specification.Mqtt50, "MQTT-4.6.0-5", "MQTT-4.6.0-6")]
    public void A_slow_device_keeps_order_and_loses_only_the_oldest_of_qos_0(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { LiveQueueMessages = 4 });
        TestClient client = bed.Open(bed.Persistent("s")).Subscribe("t").Congest();
        TestClient publisher = bed.Open("p");
        for (ushort id = 1; id <= 10; id++)
        {
            publisher.Publish("t", $"{id}", QoS.AtLeastOnce, id).Publish("t", $"{id}");
        }

        client.ExpectNothing();
        client.Host.IsCongested = true;
        Assert.Equal(6, bed.Count(SessionCounter.DroppedSlowDevice));
        client.Relieve();
        List<Packet> packets = client.Take();
        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], packets.Where(p => p.QoS == QoS.AtLeastOnce).Select(p => p.Payload));
        Assert.Equal(["7", "8", "9", "10"], packets.Where(p => p.QoS == QoS.AtMostOnce).Select(p => p.Payload));
        publisher.Publish("t", "live");
        client.ExpectPublish("live");
    }

    [Theory, Each]
    public void What_waits_at_qos_0_dies_with_the_connection(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("s")).Subscribe("t").Congest();
        bed.Open("p").Publish("t", "0").Publish("t", "1", QoS.AtLeastOnce, 1);
        client.Drop();
        bed.Open(bed.Persistent("s")).ExpectPublish("1");
        Assert.Equal(1, bed.Context.Messages.Rented);
        bed.EndAll();
        bed.AssertAtRest();
    }

    [Theory, Each]
    public void A_resend_to_a_slow_device_goes_on_when_it_reads(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("s")).Subscribe("t");
        bed.Open("p").Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2);
        client.Take();
        client.Drop();
        client = bed.Accept().Congest().Connect(bed.Persistent("s"));
        client.Expect(PacketType.ConnAck);
        client.ExpectNothing().Relieve().ExpectPublish("1");
        Assert.True(client.ExpectPublish("2").Duplicate);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-4.6.0-1", "MQTT-4.6.0-6")]
    [Clause(Specification.Mqtt50, "MQTT-4.6.0-5")]
    public void Nothing_new_overtakes_a_resend_between_the_water_marks(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("s")).Subscribe("t");
        TestClient publisher = bed.Open("p").Publish("t", "1", QoS.AtLeastOnce, 1);
        client.Take();
        client.Drop();
        client = bed.Accept().Congest().Connect(bed.Persistent("s"));
        client.Expect(PacketType.ConnAck);
        client.Host.IsCongested = false;
        publisher.Publish("t", "2", QoS.AtLeastOnce, 2);
        client.ExpectNothing().Relieve().ExpectPublish("1");
        client.ExpectPublish("2");
    }
}
