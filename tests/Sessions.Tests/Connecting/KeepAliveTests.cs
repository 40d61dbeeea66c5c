namespace Trunkline.Sessions.Tests.Connecting;

/// <summary>Keep alive by the loop's timer.</summary>
public sealed class KeepAliveTests
{
    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-24")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-22", "MQTT-3.2.2-22")]
    public void Silence_of_one_and_a_half_times_the_keep_alive_ends_the_connection(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c") with { KeepAlive = 10, Will = new WillSettings("w", "gone") }, out Packet connAck);
        Assert.Null(connAck.ServerKeepAlive);
        bed.Advance(14.9);
        Assert.True(client.Channel.IsOpen);
        bed.Advance(0.2);
        Assert.Equal(CloseCause.KeepAliveTimeout, client.ExpectDisconnected(ReasonCode.KeepAliveTimeout).Cause);
        Assert.Equal("gone", bed.Router.Last.Payload);
        bed.AssertAtRest();
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.12.4-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.12.4-1")]
    public void Pings_are_answered_and_keep_the_connection(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c") with { KeepAlive = 10 });
        for (int i = 0; i < 20; i++)
        {
            bed.Advance(14);
            client.Ping().Expect(PacketType.PingResp);
        }

        client.ExpectNothing();
    }

    [Theory, Each]
    public void A_keep_alive_of_zero_is_none_where_the_client_cannot_be_told(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { KeepAliveCapSeconds = 100 });
        TestClient client = bed.Open(bed.Clean("c"), out Packet connAck);
        bed.Advance(151);
        if (setup.IsV5)
        {
            Assert.Equal((ushort?)100, connAck.ServerKeepAlive);
            client.ExpectDisconnected(ReasonCode.KeepAliveTimeout);
        }
        else
        {
            Assert.True(client.Channel.IsOpen);
        }
    }

    [Theory, Each]
    public void While_we_do_not_read_silence_proves_nothing(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Clean("c") with { KeepAlive = 10 });
        bed.Router.SlowDown = true;
        client.Publish("t", "1");
        Assert.True(client.Host.IsPaused);
        bed.Advance(100);
        Assert.True(client.Channel.IsOpen);
        client.Channel.ResumeReading();
        bed.Advance(14.9);
        Assert.True(client.Channel.IsOpen);
        bed.Advance(0.2);
        client.ExpectDisconnected(ReasonCode.KeepAliveTimeout);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-2.2.2-2")]
    [Clause(Specification.Mqtt50, "MQTT-2.1.3-1")]
    public void A_malformed_ping_gets_no_answer(Setup setup)
    {
        foreach (byte[] bad in (byte[][])[[0xC0, 1, 0], [0xC1, 0]])
        {
            TestClient client = new TestBed(setup).Open("c");
            client.Send(bad).ExpectDisconnected(ReasonCode.MalformedPacket);
        }
    }
}
