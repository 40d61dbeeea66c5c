using System.Text;

namespace Trunkline.Sessions.Tests.Connecting;

/// <summary>What a connection may begin with.</summary>
public sealed class FirstPacketTests
{
    private const byte Clean = 0x02;

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.0-1", "MQTT-3.2.0-1", "MQTT-4.8.0-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.0-1", "MQTT-3.2.0-1", "MQTT-3.14.0-1", "MQTT-4.13.1-1")]
    public void Anything_but_connect_closes_without_a_word(Setup setup)
    {
        byte[][] firsts =
        [
            [0xC0, 0], [0xE0, 0], [0x40, 2, 0, 1], [0x20, 2, 0, 0], [0xF0, 0], [0x00, 0], [0x16, 3, 1],
            Wire.Publish(setup.Version, "t", "p", new PublishSettings()),
            Wire.Frame(0x82, 0, 1, 0, 1, (byte)'a', 0),
        ];
        foreach (byte[] first in firsts)
        {
            var bed = new TestBed(setup);
            TestClient client = bed.Accept().Send(first);
            Assert.Equal(CloseCause.ProtocolError, client.ExpectClosed().Cause);
            Assert.Empty(bed.Router.Log);
        }
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.0-2")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.0-2", "MQTT-3.2.0-2")]
    public void A_second_connect_closes(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("c");
        client.Connect(bed.Clean("c")).ExpectDisconnected(ReasonCode.ProtocolError);
        bed.AssertAtRest();
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-1")]
    public void An_unknown_protocol_name_closes_without_an_answer(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept().Send(RawConnect("MQTX", (byte)setup.Version, Clean, Wire.Text("c")));
        Assert.Equal(0, client.Host.Written.WrittenCount);
        Assert.Single(client.Host.Closes);
        Assert.Equal(1, bed.Count(SessionCounter.ConnectsRefused));
    }

    [Theory]
    [InlineData("MQTT", 2, "20020001")]
    [InlineData("MQTT", 3, "20020001")]
    [InlineData("MQIsdp", 4, "20020001")]
    [InlineData("MQTT", 6, "20")]
    [InlineData("MQTT", 0x85, "20")]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-2", "MQTT-3.2.2-5")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-2", "MQTT-3.2.2-7")]
    public void An_unknown_level_is_told_so_and_closed(string name, byte level, string answer)
    {
        var bed = new TestBed(Setup.V5);
        TestClient client = bed.Accept().Send(RawConnect(name, level, Clean, Wire.Text("c")));
        string written = Convert.ToHexString(client.Host.Written.WrittenSpan);
        Assert.StartsWith(answer, written, StringComparison.Ordinal);
        if (answer == "20")
        {
            Assert.Equal(ReasonCode.UnsupportedProtocolVersion, client.Expect(PacketType.ConnAck).Reason);
        }

        Assert.Equal(CloseCause.ConnectRefused, Assert.Single(client.Host.Closes).Cause);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-3", "MQTT-3.1.2-11", "MQTT-3.1.2-13", "MQTT-3.1.2-14", "MQTT-3.1.2-15", "MQTT-3.1.4-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-3", "MQTT-3.1.2-11", "MQTT-3.1.2-12", "MQTT-3.1.2-13", "MQTT-3.1.4-1")]
    public void Connect_flags_that_contradict_close(Setup setup)
    {
        byte[] will = [.. Empty(setup), .. Wire.Text("w"), .. Wire.Text("x")];
        Refuses(setup, Clean | 0x01, Wire.Text("c"));
        Refuses(setup, Clean | 0x08, Wire.Text("c"));
        Refuses(setup, Clean | 0x10, Wire.Text("c"));
        Refuses(setup, Clean | 0x20, Wire.Text("c"));
        Refuses(setup, Clean | 0x04 | 0x18, [.. Wire.Text("c"), .. will]);
    }

    [Theory, Each(ProtocolVersion.Mqtt311)]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-22")]
    public void A_password_without_a_user_name_closes(Setup setup) =>
        Refuses(setup, Clean | 0x40, [.. Wire.Text("c"), .. Wire.Text("secret")]);

    [Theory, Each(ProtocolVersion.Mqtt50)]
    public void In_5_0_a_password_may_come_alone(Setup setup)
    {
        TestClient client = new TestBed(setup).Accept().Send(Connect(setup, Clean | 0x40, [.. Wire.Text("c"), .. Wire.Text("secret")]));
        Assert.Equal(ReasonCode.Success, client.Expect(PacketType.ConnAck).Reason);
        Assert.Equal("secret"u8.ToArray(), client.Host.Request!.Password);
        Assert.Null(client.Host.Request.UserName);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-9", "MQTT-3.1.2-18", "MQTT-3.1.2-19", "MQTT-3.1.2-20", "MQTT-3.1.2-21", "MQTT-3.1.3-3")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-9", "MQTT-3.1.2-16", "MQTT-3.1.2-17", "MQTT-3.1.2-18", "MQTT-3.1.2-19", "MQTT-3.1.3-3")]
    public void A_payload_that_is_not_what_the_flags_say_closes(Setup setup)
    {
        byte[] id = Wire.Text("c");
        Refuses(setup, Clean, []);
        Refuses(setup, Clean, [.. id, .. Wire.Text("too much")]);
        Refuses(setup, Clean | 0x04, id);
        Refuses(setup, Clean | 0x04, [.. id, .. Empty(setup), .. Wire.Text("topic alone")]);
        Refuses(setup, Clean | 0x80, id);
        Refuses(setup, Clean | 0x80, [.. id, .. Wire.Text("user"), .. Wire.Text("password without flag")]);
        Refuses(setup, Clean | 0xC0, [.. id, .. Wire.Text("user")]);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.3-1")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.3-1")]
    public void Payload_fields_are_read_in_their_order(Setup setup)
    {
        byte[] payload =
        [
            .. Wire.Text("the-client"), .. Empty(setup), .. Wire.Text("will/topic"), .. Wire.Text("will message"),
            .. Wire.Text("the user"), .. Wire.Text("the password"),
        ];
        TestClient client = new TestBed(setup).Accept().Send(Connect(setup, Clean | 0xC0 | 0x04 | 0x08 | 0x20, payload));
        ConnectRequest request = client.Host.Request!;
        Assert.Equal("the-client", request.ClientId);
        Assert.Equal("will/topic", Encoding.UTF8.GetString(request.Will!.Topic));
        Assert.Equal("will message", Encoding.UTF8.GetString(request.Will.Payload));
        Assert.Equal(QoS.AtLeastOnce, request.Will.QoS);
        Assert.True(request.Will.Retain);
        Assert.Equal("the user", request.UserName);
        Assert.Equal("the password"u8.ToArray(), request.Password);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-1.5.3-1", "MQTT-1.5.3-2", "MQTT-3.1.3-4", "MQTT-3.1.3-10", "MQTT-3.1.3-11")]
    [Clause(Specification.Mqtt50, "MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-3.1.3-4", "MQTT-3.1.3-11", "MQTT-3.1.3-12")]
    public void Text_that_is_not_utf8_closes(Setup setup)
    {
        byte[][] bad = [[0xC3, 0x28], [0xED, 0xA0, 0x80], [(byte)'a', 0], [0xF8]];
        foreach (byte[] bytes in bad)
        {
            byte[] text = Wire.Binary(bytes);
            Refuses(setup, Clean, text);
            Refuses(setup, Clean | 0x04, [.. Wire.Text("c"), .. Empty(setup), .. text, .. Wire.Text("x")]);
            Refuses(setup, Clean | 0x80, [.. Wire.Text("c"), .. text]);
        }
    }

    [Theory, Each]
    public void A_wildcard_in_the_will_topic_is_refused(Setup setup) =>
        Refuses(setup, Clean | 0x04, [.. Wire.Text("c"), .. Empty(setup), .. Wire.Text("a/+"), .. Wire.Text("x")]);

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-2.2.2-1", "MQTT-2.2.2-2")]
    [Clause(Specification.Mqtt50, "MQTT-2.1.3-1")]
    public void Header_flags_on_connect_close(Setup setup)
    {
        byte[] frame = Connect(setup, Clean, Wire.Text("c"));
        frame[0] |= 1;
        new TestBed(setup).Accept().Send(frame).ExpectClosed();
    }

    [Theory, Each]
    public void A_connect_larger_than_the_limit_closes_by_its_header(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumPacketSize = 2000 });
        bed.Accept().Send([0x10, 0xFF, 0xFF, 0x7F]).ExpectClosed(ReasonCode.PacketTooLarge);
    }

    private static void Refuses(Setup setup, int flags, byte[] payload)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept().Send(Connect(setup, flags, payload));
        if (setup.IsV5)
        {
            Packet answer = client.Expect(PacketType.ConnAck);
            Assert.True(ReasonCodes.IsError(answer.Reason));
            Assert.False(answer.SessionPresent);
        }

        client.ExpectClosed();
        Assert.Null(client.Host.Request);
        Assert.Equal(1, bed.Count(SessionCounter.ConnectsRefused));
        bed.AssertAtRest();
    }

    private static byte[] Empty(Setup setup) => setup.IsV5 ? [0] : [];

    private static byte[] Connect(Setup setup, int flags, byte[] payload) =>
        RawConnect("MQTT", (byte)setup.Version, (byte)flags, [.. Empty(setup), .. payload]);

    private static byte[] RawConnect(string name, byte level, byte flags, byte[] rest) =>
        Wire.Frame(0x10, [.. Wire.Text(name), level, flags, 0, 0, .. rest]);
}
