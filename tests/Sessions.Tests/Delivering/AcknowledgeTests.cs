namespace Trunkline.Sessions.Tests.Delivering;

/// <summary>QoS 1 and 2 towards a device: packet identifiers, acknowledgement, resend, windows.</summary>
public sealed class AcknowledgeTests
{
    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-2.3.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1", "MQTT-2.3.1-6")]
    [Clause(Specification.Mqtt50, "MQTT-2.2.1-4", "MQTT-2.2.1-5", "MQTT-4.3.2-1", "MQTT-4.3.2-2", "MQTT-4.3.2-3", "MQTT-4.3.3-1", "MQTT-4.3.3-2", "MQTT-4.3.3-3", "MQTT-4.3.3-4", "MQTT-4.3.3-5")]
    public void A_message_stays_open_until_it_is_acknowledged(Setup setup)
    {
        TestClient client = Subscriber(setup, out TestBed bed, out TestClient publisher);
        publisher.Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2);
        Packet one = client.ExpectPublish("1");
        Packet two = client.ExpectPublish("2");
        Assert.NotEqual(0, one.Id);
        Assert.NotEqual(one.Id, two.Id);
        Assert.False(one.Duplicate || two.Duplicate);
        bed.Advance(1000);
        client.ExpectNothing();
        Assert.Equal(2, client.Session.InFlight);
        client.PubRec(two.Id);
        Assert.Equal((two.Id, ReasonCode.Success), Answer(client, PacketType.PubRel));
        client.PubRec(two.Id);
        Assert.Equal(two.Id, client.Expect(PacketType.PubRel).Id);
        client.PubAck(one.Id).PubComp(two.Id).ExpectNothing();
        Assert.Equal(0, client.Session.InFlight);
        Assert.Equal(0, bed.Context.Messages.Rented);
        Assert.Equal(0, bed.Count(SessionCounter.UnknownPacketIds));
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.3.1-1", "MQTT-4.4.0-1", "MQTT-4.6.0-1", "MQTT-2.3.1-4", "MQTT-3.1.2-5", "MQTT-4.1.0-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-1", "MQTT-4.4.0-1", "MQTT-4.3.3-6", "MQTT-3.1.2-5", "MQTT-4.1.0-1")]
    public void What_is_open_goes_out_again_under_its_identifier_before_anything_new(Setup setup)
    {
        TestClient client = Subscriber(setup, out TestBed bed, out TestClient publisher);
        publisher.Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2).Publish("t", "3", QoS.ExactlyOnce, 3);
        publisher.Publish("t", "4", QoS.AtLeastOnce, 4);
        List<Packet> sent = client.Take();
        client.PubRec(sent[1].Id).Expect(PacketType.PubRel);
        client.PubAck(sent[3].Id);
        client.Drop();
        publisher.Publish("t", "while away", QoS.AtLeastOnce, 5).Publish("t", "nobody");

        client = bed.Open(bed.Persistent("s"), out Packet connAck);
        Assert.True(connAck.SessionPresent);
        Packet again = client.ExpectPublish("1");
        Assert.Equal((sent[0].Id, true), (again.Id, again.Duplicate));
        Assert.Equal(sent[1].Id, client.Expect(PacketType.PubRel).Id);
        again = client.ExpectPublish("3");
        Assert.Equal((sent[2].Id, true), (again.Id, again.Duplicate));
        Packet fresh = client.ExpectPublish("while away");
        Assert.False(fresh.Duplicate);
        Assert.DoesNotContain(fresh.Id, sent.Select(packet => packet.Id));
        client.ExpectNothing();
        Assert.Equal(2, bed.Count(SessionCounter.Resent));
        client.PubAck(sent[0].Id).PubComp(sent[1].Id).PubRec(sent[2].Id).Expect(PacketType.PubRel);
        client.PubComp(sent[2].Id).PubAck(fresh.Id);
        Assert.Equal(0, client.Session.InFlight);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-4.6.0-4")]
    [Clause(Specification.Mqtt50, "MQTT-4.3.3-4")]
    public void Pubrel_follows_the_order_of_pubrec(Setup setup)
    {
        TestClient client = Subscriber(setup, out _, out TestClient publisher);
        for (ushort id = 1; id <= 5; id++)
        {
            publisher.Publish("t", $"{id}", QoS.ExactlyOnce, id);
        }

        List<ushort> ids = [.. client.Take().Select(packet => packet.Id)];
        ids.Reverse();
        ids.ForEach(id => client.PubRec(id));
        Assert.Equal(ids, client.Take().Select(packet => packet.Id));
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-4.4.0-2", "MQTT-4.3.3-4")]
    public void A_refusal_of_the_device_ends_the_exchange(Setup setup)
    {
        TestClient client = Subscriber(setup, out TestBed bed, out TestClient publisher);
        publisher.Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2);
        client.PubAck(client.ExpectPublish("1").Id, ReasonCode.QuotaExceeded);
        client.PubRec(client.ExpectPublish("2").Id, ReasonCode.UnspecifiedError).ExpectNothing();
        client.Drop();
        bed.Open(bed.Persistent("s")).ExpectNothing();
        Assert.Equal(0, bed.Context.Messages.Rented);
    }

    [Theory, Each]
    public void Acknowledgements_for_nothing_are_counted(Setup setup)
    {
        TestClient client = Subscriber(setup, out TestBed bed, out TestClient publisher);
        client.PubAck(9).PubComp(9).PubRec(9);
        Assert.Equal((9, setup.IsV5 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success), Answer(client, PacketType.PubRel));
        publisher.Publish("t", "1", QoS.AtLeastOnce, 1).Publish("t", "2", QoS.ExactlyOnce, 2);
        ushort one = client.ExpectPublish("1").Id;
        ushort two = client.ExpectPublish("2").Id;
        client.PubAck(two).PubComp(two).PubComp(one).ExpectNothing();
        Assert.Equal(2, client.Session.InFlight);
        Assert.Equal(6, bed.Count(SessionCounter.UnknownPacketIds));
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.4-9", "MQTT-3.3.4-10", "MQTT-4.9.0-1", "MQTT-4.9.0-2", "MQTT-4.9.0-3")]
    public void No_more_than_the_clients_receive_maximum_is_open(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("s") with { ReceiveMaximum = 2 }).Subscribe("t");
        TestClient publisher = bed.Open("p");
        for (ushort id = 1; id <= 4; id++)
        {
            publisher.Publish("t", $"{id}", id % 2 == 0 ? QoS.ExactlyOnce : QoS.AtLeastOnce, id);
        }

        publisher.Publish("t", "0");
        ushort one = client.ExpectPublish("1").Id;
        ushort two = client.ExpectPublish("2").Id;
        client.ExpectPublish("0");
        client.ExpectNothing().Ping().Expect(PacketType.PingResp);
        Assert.Equal((2, 2), (client.Session.InFlight, client.Session.Waiting));
        client.PubRec(two).Expect(PacketType.PubRel);
        client.ExpectNothing();
        client.PubComp(two);
        ushort three = client.ExpectPublish("3").Id;
        client.ExpectNothing().PubAck(one);
        Assert.NotEqual(three, client.ExpectPublish("4").Id);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.4-9", "MQTT-4.4.0-1", "MQTT-3.3.4-10")]
    public void A_smaller_window_after_a_reconnect_holds_back_publish_and_not_pubrel(Setup setup)
    {
        TestClient client = Subscriber(setup, out TestBed bed, out TestClient publisher);
        for (ushort id = 1; id <= 6; id++)
        {
            publisher.Publish("t", $"{id}", id <= 3 ? QoS.AtLeastOnce : QoS.ExactlyOnce, id);
        }

        List<Packet> sent = client.Take();
        client.PubRec(sent[4].Id).PubRec(sent[5].Id).Take();
        client.Drop();
        client = bed.Open(bed.Persistent("s") with { ReceiveMaximum = 1 });
        Assert.Equal("1", client.ExpectPublish("1").Payload);
        Assert.Equal(sent[4].Id, client.Expect(PacketType.PubRel).Id);
        Assert.Equal(sent[5].Id, client.Expect(PacketType.PubRel).Id);
        client.ExpectNothing().PubComp(sent[4].Id).PubComp(sent[5].Id).ExpectNothing().PubAck(sent[0].Id);
        client.ExpectPublish("2");
        client.PubAck(sent[1].Id).ExpectPublish("3");
        client.PubAck(sent[2].Id).ExpectPublish("4");
        client.PubRec(sent[3].Id).Expect(PacketType.PubRel);
        client.PubComp(sent[3].Id).ExpectNothing();
        Assert.Equal(0, client.Session.InFlight);
    }

    [Theory, Each]
    public void Our_own_limit_bounds_what_is_open(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumInFlight = 3 });
        TestClient client = bed.Open("s").Subscribe("t");
        TestClient publisher = bed.Open("p");
        for (ushort id = 1; id <= 9; id++)
        {
            publisher.Publish("t", $"{id}", QoS.AtLeastOnce, id);
        }

        Assert.Equal(3, client.Session.InFlight);
        List<string> got = [];
        while (client.Take() is { Count: > 0 } packets)
        {
            got.AddRange(packets.Select(packet => packet.Payload));
            packets.ForEach(packet => client.PubAck(packet.Id));
        }

        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8", "9"], got);
    }

    [Fact]
    [Clause(Specification.Mqtt311, "MQTT-2.3.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1")]
    [Clause(Specification.Mqtt50, "MQTT-2.2.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1")]
    public void Identifiers_go_round_and_pass_over_one_that_is_open()
    {
        TestClient client = Subscriber(Setup.V5, out _, out TestClient publisher);
        publisher.Publish("t", "held", QoS.AtLeastOnce, 1);
        ushort held = client.Expect(PacketType.Publish).Id;
        var seen = new HashSet<ushort>();
        for (int i = 0; i < 140_000; i++)
        {
            publisher.Publish("t", "x", QoS.AtLeastOnce, 1).Expect(PacketType.PubAck);
            List<Packet> packets = client.Take();
            if (packets.Count == 0)
            {
                break;
            }

            ushort id = packets[0].Id;
            Assert.NotEqual(held, id);
            Assert.NotEqual(0, id);
            seen.Add(id);
            client.PubAck(id);
        }

        // One message that is never acknowledged fills the window after 16,384 slots; acknowledged, it goes on.
        Assert.Equal(16_383, seen.Count);
        client.PubAck(held).Expect(PacketType.Publish);
    }

    private static TestClient Subscriber(Setup setup, out TestBed bed, out TestClient publisher)
    {
        bed = new TestBed(setup);
        publisher = bed.Open("p");
        return bed.Open(bed.Persistent("s")).Subscribe("t");
    }

    private static (int Id, ReasonCode Reason) Answer(TestClient client, PacketType type)
    {
        Packet packet = client.Expect(type);
        return (packet.Id, packet.Reason);
    }
}
