namespace Trunkline.Sessions.Tests.Publishing;

/// <summary>Acknowledgements that are not well formed, and what PUBREL and PUBCOMP of ours may say.</summary>
public sealed class ReleaseTests
{
    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.6.1-1", "MQTT-2.2.2-2")]
    [Clause(Specification.Mqtt50, "MQTT-3.6.1-1", "MQTT-2.1.3-1")]
    public void Wrong_flags_on_an_acknowledgement_close_and_release_nothing(Setup setup)
    {
        foreach (byte first in (byte[])[0x60, 0x61, 0x63, 0x6A, 0x6F, 0x41, 0x52, 0x78])
        {
            var bed = new TestBed(setup);
            TestClient client = bed.Open(bed.Persistent("c")).Publish("t", "x", QoS.ExactlyOnce, 1);
            client.Expect(PacketType.PubRec);
            client.Send(first, 2, 0, 1).ExpectDisconnected(ReasonCode.MalformedPacket);
            Assert.Equal(1, bed.Context.Registry.Find("c")!.InboundExchanges);
        }
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.6.2-1", "MQTT-3.7.2-1")]
    public void Pubrel_and_pubcomp_carry_only_codes_of_their_own(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("c")).Subscribe("t");
        client.Publish("t", "x", QoS.ExactlyOnce, 1);
        ushort id = client.ExpectPublish("x").Id;
        client.PubRec(id).PubRec(500).PubRel(1).PubRel(1).Expect(PacketType.PubRec);
        foreach (Packet packet in client.Take())
        {
            Assert.True(ReasonCodes.IsAllowed(packet.Type, PacketSender.Server, packet.Reason), packet.ToString());
        }

        foreach (byte[] bad in (byte[][])[[0x62, 3, 0, 1, 0x80], [0x70, 3, 0, 1, 0x10], [0x40, 3, 0, 1, 0x92], [0x50, 3, 0, 1, 0x81]])
        {
            bed.Open(bed.Persistent("c")).Send(bad);
            Assert.Null(bed.Context.Registry.Find("c")!.Channel);
        }
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-4.8.0-1")]
    [Clause(Specification.Mqtt50, "MQTT-4.13.1-1")]
    public void A_truncated_or_overlong_packet_closes(Setup setup)
    {
        foreach (byte[] bad in (byte[][])[[0x40, 1, 0], [0x62, 0], [0x40, 2, 0, 0], [0x30, 0x80, 0x80, 0x80, 0x80, 1], [0x82, 1, 0]])
        {
            TestClient client = new TestBed(setup).Open("c").Send(bad);
            client.Take();
            Assert.Equal(CloseCause.ProtocolError, Assert.Single(client.Host.Closes).Cause);
        }
    }
}
