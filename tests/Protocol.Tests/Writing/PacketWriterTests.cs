using System.Buffers;
using Trunkline.Clauses;
using Trunkline.Protocol.Tests.Support;
using Trunkline.Protocol.Tests.Vectors;

namespace Trunkline.Protocol.Tests.Writing;

public sealed class PacketWriterTests
{
    [Theory]
    [InlineData("20 {00 87 {1C [s] 1F [why] 26 [k] [v]}}", "20 {00 87 {1C [s] 1F [why]}}", "20 {00 87 {1C [s]}}", "")]
    [InlineData("40 {0001 87 {1F [why] 26 [k] [v]}}", "40 {0001 87 {1F [why]}}", "40 {0001 87}", "")]
    [InlineData("50 {0001 00 {1F [why] 26 [k] [v]}}", "50 {0001 00 {1F [why]}}", "50 {0001}", "")]
    [InlineData("62 {0001 92 {1F [why] 26 [k] [v]}}", "62 {0001 92 {1F [why]}}", "62 {0001 92}", "")]
    [InlineData("70 {0001 92 {1F [why] 26 [k] [v]}}", "70 {0001 92 {1F [why]}}", "70 {0001 92}", "")]
    [InlineData("90 {0001 {1F [why] 26 [k] [v]} 00 87}", "90 {0001 {1F [why]} 00 87}", "90 {0001 {} 00 87}", "")]
    [InlineData("B0 {0001 {1F [why] 26 [k] [v]} 00 87}", "B0 {0001 {1F [why]} 00 87}", "B0 {0001 {} 00 87}", "")]
    [InlineData("E0 {8B {1F [why] 26 [k] [v]}}", "E0 {8B {1F [why]}}", "E0 {8B}", "")]
    [InlineData("E0 {9C {1C [s] 1F [why] 26 [k] [v]}}", "E0 {9C {1C [s] 1F [why]}}", "E0 {9C {1C [s]}}", "")]
    [InlineData("F0 {18 {15 [m] 1F [why] 26 [k] [v]}}", "F0 {18 {15 [m] 1F [why]}}", "F0 {18 {15 [m]}}", "")]
    [Clause(
        Specification.Mqtt50,
        "MQTT-3.1.2-24", "MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.4.2-2", "MQTT-3.4.2-3", "MQTT-3.5.2-2", "MQTT-3.5.2-3", "MQTT-3.6.2-2", "MQTT-3.6.2-3",
        "MQTT-3.7.2-2", "MQTT-3.7.2-3", "MQTT-3.9.2-1", "MQTT-3.9.2-2", "MQTT-3.11.2-1", "MQTT-3.11.2-2", "MQTT-3.14.2-3",
        "MQTT-3.14.2-4", "MQTT-3.15.2-2", "MQTT-3.15.2-3")]
    public void User_properties_and_then_the_reason_are_left_out_to_fit(params string[] steps)
    {
        var full = Assembler.Assemble(steps[0]);
        for (var limit = full.Length; limit > 0; limit--)
        {
            // The longest step that fits is what must be written.
            var expected = steps.Select(Assembler.Assemble).First(step => step.Length <= limit);
            Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(Rewrite(full, (uint)limit)));
        }
    }

    [Theory]
    [InlineData("10 {[MQTT] 05 02 003C {26 [k] [v]} [dev]}")]
    [InlineData("10 {[MQTT] 04 02 003C [dev]}")]
    [InlineData("82 {0001 {26 [k] [v]} [a] 00}")]
    [InlineData("A2 {0001 {26 [k] [v]} [a]}")]
    [InlineData("32 {[a] 0001 {26 [k] [v]} 'x'}")]
    [Clause(Specification.Mqtt50, "MQTT-3.2.2-15")]
    public void Nothing_may_be_left_out_of_these(string source)
    {
        var bytes = Assembler.Assemble(source);
        Assert.Equal(bytes, Rewrite(bytes, (uint)bytes.Length));
        Assert.Empty(Rewrite(bytes, (uint)bytes.Length - 1));
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.2.2-6")]
    [Clause(Specification.Mqtt311, "MQTT-3.2.2-4", "MQTT-3.2.2-6")]
    public void CONNACK_says_session_present_with_success_only_and_what_the_version_can_say()
    {
        Assert.Equal("20020005", ConnAck(ProtocolVersion.Mqtt311, true, ReasonCode.NotAuthorized));
        Assert.Equal("20020100", ConnAck(ProtocolVersion.Mqtt311, true, ReasonCode.Success));
        Assert.Equal("20020000", ConnAck(ProtocolVersion.Mqtt31, true, ReasonCode.Success));
        Assert.Equal("2003008700", ConnAck(ProtocolVersion.Mqtt50, true, ReasonCode.NotAuthorized));
        Assert.Equal("20020003", ConnAck(ProtocolVersion.Mqtt311, false, ReasonCode.ServerBusy));
        Assert.Equal("", ConnAck(ProtocolVersion.Mqtt311, false, ReasonCode.MalformedPacket));
    }

    [Fact]
    [Clause(Specification.Mqtt311, "MQTT-3.9.3-2")]
    public void SUBACK_failures_are_said_as_the_version_can()
    {
        ReasonCode[] codes = [ReasonCode.GrantedQoS2, ReasonCode.NotAuthorized];
        Assert.Equal("900400010280", Written(output => PacketWriter.WriteSubAck(output, ProtocolVersion.Mqtt311, 1, codes)));
        Assert.Equal("900400010200", Written(output => PacketWriter.WriteSubAck(output, ProtocolVersion.Mqtt31, 1, codes)));
        Assert.Equal("90050001000287", Written(output => PacketWriter.WriteSubAck(output, ProtocolVersion.Mqtt50, 1, codes)));
        Assert.Equal("B0020001", Written(output => PacketWriter.WriteUnsubAck(output, ProtocolVersion.Mqtt311, 1, codes)));
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.8.3-2", "MQTT-3.10.3-2")]
    [Clause(Specification.Mqtt311, "MQTT-3.8.3-3", "MQTT-3.10.3-2", "MQTT-2.3.1-1")]
    public void What_no_version_can_say_is_not_written()
    {
        var tooLong = new byte[65_536];
        Assert.Equal("", Written(output => PacketWriter.WriteSubscribe(output, ProtocolVersion.Mqtt50, 0, "a"u8, default)));
        Assert.Equal("", Written(output => PacketWriter.WriteSubscribe(output, ProtocolVersion.Mqtt50, 1, ""u8, default)));
        Assert.Equal("", Written(output => PacketWriter.WriteSubscribe(output, ProtocolVersion.Mqtt50, 1, tooLong, default)));
        Assert.Equal("", Written(output => PacketWriter.WriteSubscribe(output, ProtocolVersion.Mqtt50, 1, "a"u8, default, 268_435_456)));
        Assert.Equal("", Written(output => PacketWriter.WriteUnsubscribe(output, ProtocolVersion.Mqtt50, 1, default)));
        Assert.Equal("", Written(output => PacketWriter.WriteSubscribe(output, ProtocolVersion.Mqtt50, new SubscribePacket { PacketId = 1 })));
        Assert.Equal("", Written(output => PacketWriter.WriteUnsubscribe(output, ProtocolVersion.Mqtt50, new UnsubscribePacket { PacketId = 1 })));
        Assert.Equal("", Written(output => PacketWriter.WriteSubAck(output, ProtocolVersion.Mqtt50, 1, [])));
        Assert.Equal("", Written(output => PacketWriter.WriteAuth(output, ProtocolVersion.Mqtt311, new AuthPacket())));
        Assert.Equal("", Written(output => PacketWriter.WritePublish(output, ProtocolVersion.Mqtt50, new PublishPacket { QoS = QoS.AtLeastOnce, Topic = "a"u8 })));
        Assert.Equal("", Written(output => PacketWriter.WriteConnAck(output, ProtocolVersion.Mqtt50, new ConnAckPacket { ServerReference = tooLong })));
        Assert.Equal("", Written(output => PacketWriter.WriteConnect(output, new ConnectPacket { Version = ProtocolVersion.Mqtt50, ClientId = tooLong })));
        Assert.Equal("", Written(output => PacketWriter.WriteConnect(output, new ConnectPacket { Version = ProtocolVersion.Mqtt311, Password = "p"u8 })));
    }

    [Fact]
    public void Lists_are_built_in_a_callers_buffer()
    {
        var output = new ArrayBufferWriter<byte>();
        var filters = new SubscriptionListBuilder(new byte[16]);
        Assert.True(filters.TryAdd("a/#"u8, SubscriptionOptions.Create(QoS.AtLeastOnce, noLocal: true, retainAsPublished: true, RetainHandling.DoNotSend)));
        Assert.True(filters.TryAdd("b"u8, SubscriptionOptions.Create(QoS.ExactlyOnce)));
        Assert.False(filters.TryAdd("too long for it"u8, default));
        Assert.False(filters.TryAdd(""u8, default));
        var user = new UserPropertyBuilder(new byte[16]);
        Assert.True(user.TryAdd("k"u8, "v"u8));
        Assert.False(user.TryAdd("too long"u8, "for it"u8));
        PacketWriter.WriteSubscribe(output, ProtocolVersion.Mqtt50, new SubscribePacket { PacketId = 1, Subscriptions = filters.List, UserProperties = user.List });
        Assert.Equal(Assembler.Assemble("82 {0001 {26 [k] [v]} [a/#] 2D [b] 02}"), output.WrittenSpan.ToArray());
        output.Clear();
        PacketWriter.WriteSubscribe(output, ProtocolVersion.Mqtt311, new SubscribePacket { PacketId = 1, Subscriptions = filters.List, UserProperties = user.List });
        Assert.Equal(Assembler.Assemble("82 {0001 [a/#] 01 [b] 02}"), output.WrittenSpan.ToArray());
        var topics = new TopicFilterListBuilder(new byte[8]);
        Assert.True(topics.TryAdd("a/#"u8) && topics.TryAdd("b"u8) && !topics.TryAdd("c"u8));
        output.Clear();
        PacketWriter.WriteUnsubscribe(output, ProtocolVersion.Mqtt50, new UnsubscribePacket { PacketId = 1, Filters = topics.List });
        Assert.Equal(Assembler.Assemble("A2 {0001 {} [a/#] [b]}"), output.WrittenSpan.ToArray());
    }

    private static string ConnAck(ProtocolVersion version, bool present, ReasonCode code) =>
        Written(output => PacketWriter.WriteConnAck(output, version, new ConnAckPacket { SessionPresent = present, ReasonCode = code }));

    private static string Written(Func<IBufferWriter<byte>, int> write)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(write(output), output.WrittenCount);
        return Convert.ToHexString(output.WrittenSpan);
    }

    private static byte[] Rewrite(byte[] bytes, uint limit)
    {
        const ProtocolVersion Version = ProtocolVersion.Mqtt50;
        var output = new ArrayBufferWriter<byte>();
        FrameReader.TryRead(bytes, 0, out var f, out _);
        ProtocolError error = default;
        var written = f.Type switch
        {
            PacketType.Connect when ConnectPacket.TryParse(f, out var p, out error) => PacketWriter.WriteConnect(output, p, limit),
            PacketType.ConnAck when ConnAckPacket.TryParse(f, Version, out var p, out error) => PacketWriter.WriteConnAck(output, Version, p, limit),
            PacketType.Publish when PublishPacket.TryParse(f, Version, PacketSender.Server, out var p, out error) => PacketWriter.WritePublish(output, Version, p, limit),
            PacketType.PubAck when PubAckPacket.TryParse(f, Version, out var p, out error) => PacketWriter.WritePubAck(output, Version, p, limit),
            PacketType.PubRec when PubRecPacket.TryParse(f, Version, out var p, out error) => PacketWriter.WritePubRec(output, Version, p, limit),
            PacketType.PubRel when PubRelPacket.TryParse(f, Version, out var p, out error) => PacketWriter.WritePubRel(output, Version, p, limit),
            PacketType.PubComp when PubCompPacket.TryParse(f, Version, out var p, out error) => PacketWriter.WritePubComp(output, Version, p, limit),
            PacketType.Subscribe when SubscribePacket.TryParse(f, Version, out var p, out error) => PacketWriter.WriteSubscribe(output, Version, p, limit),
            PacketType.SubAck when SubAckPacket.TryParse(f, Version, out var p, out error) => PacketWriter.WriteSubAck(output, Version, p, limit),
            PacketType.Unsubscribe when UnsubscribePacket.TryParse(f, Version, out var p, out error) => PacketWriter.WriteUnsubscribe(output, Version, p, limit),
            PacketType.UnsubAck when UnsubAckPacket.TryParse(f, Version, out var p, out error) => PacketWriter.WriteUnsubAck(output, Version, p, limit),
            PacketType.Disconnect when DisconnectPacket.TryParse(f, Version, PacketSender.Server, out var p, out error) => PacketWriter.WriteDisconnect(output, Version, p, limit),
            PacketType.Auth when AuthPacket.TryParse(f, Version, PacketSender.Server, out var p, out error) => PacketWriter.WriteAuth(output, Version, p, limit),
            _ => throw new InvalidOperationException(VectorTests.NameOf(error)),
        };
        Assert.Equal(written, output.WrittenCount);
        return output.WrittenSpan.ToArray();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(121)]
    [InlineData(122)]
    [InlineData(20_000)]
    [InlineData(3_000_000)]
    public void A_plain_publish_is_what_the_encoder_writes(int payloadBytes)
    {
        byte[] payload = [.. Enumerable.Range(0, payloadBytes).Select(i => (byte)i)];
        var encoder = new PublishEncoder { Version = ProtocolVersion.Mqtt50, Topic = "a/b"u8, Payload = payload };
        var expected = new ArrayBufferWriter<byte>();
        encoder.Write(expected);
        var written = new ArrayBufferWriter<byte>();
        var size = PacketWriter.MeasurePlainPublish([0, 3, .. "a/b"u8], payload);
        PacketWriter.WritePlainPublish(written, [0, 3, .. "a/b"u8], payload, size);
        Assert.Equal(encoder.Measure(), size);
        Assert.True(expected.WrittenSpan.SequenceEqual(written.WrittenSpan));
    }
}
