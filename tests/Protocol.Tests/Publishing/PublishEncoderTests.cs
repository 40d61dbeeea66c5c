using System.Buffers;
using Trunkline.Clauses;
using Trunkline.Protocol.Tests.Support;

namespace Trunkline.Protocol.Tests.Publishing;

public sealed class PublishEncoderTests
{
    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-2", "MQTT-2.2.1-2")]
    [Clause(Specification.Mqtt311, "MQTT-3.3.1-2", "MQTT-2.3.1-5")]
    public void QoS_0_has_no_packet_id_and_no_DUP()
    {
        var encoder = new PublishEncoder { Version = ProtocolVersion.Mqtt311, Topic = "a"u8, Payload = "x"u8, PacketId = 7, Duplicate = true };
        Assert.Equal("PUBLISH topic=a payload=x", Read(Written(ref encoder), ProtocolVersion.Mqtt311));
        Assert.Equal(-1, encoder.PacketIdOffset);
    }

    [Fact]
    public void All_that_is_a_receivers_own_is_written_around_the_message()
    {
        var encoder = new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = "a/b"u8,
            Payload = "x"u8,
            ForwardableProperties = Assembler.Assemble("01 01 26 [k] [v]"),
            QoS = QoS.ExactlyOnce,
            Retain = true,
            Duplicate = true,
            PacketId = 300,
            TopicAlias = 4,
            RemainingExpirySeconds = 0,
            SubscriptionIdentifiers = [1, 268_435_455],
            ExtraKey = "tl"u8,
            ExtraValue = "n"u8,
        };
        Assert.Equal(
            "PUBLISH dup qos=2 retain topic=a/b id=300 format=1 expiry=0 alias=4 identifier=1 identifier=268435455 u=tl:n u=k:v payload=x",
            Read(Written(ref encoder), ProtocolVersion.Mqtt50));
    }

    [Fact]
    public void A_copy_with_another_field_measures_anew()
    {
        var encoder = new PublishEncoder { Version = ProtocolVersion.Mqtt50, Topic = "a/b"u8, Payload = "x"u8 };
        int plain = encoder.Measure();
        PublishEncoder copy = encoder with { TopicAlias = 4 };
        Assert.Equal(plain + 3, copy.Measure());
        Assert.Equal("PUBLISH topic=a/b alias=4 payload=x", Read(Written(ref copy), ProtocolVersion.Mqtt50));
        PublishEncoder shorter = copy with { OmitTopic = true };
        Assert.Equal("PUBLISH topic= alias=4 payload=x", Read(Written(ref shorter), ProtocolVersion.Mqtt50));
        Assert.Equal(plain, encoder.Measure());
    }

    [Fact]
    public void Before_5_properties_are_left_out_and_with_an_alias_the_topic_may_be()
    {
        var old = new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt31,
            Topic = "a"u8,
            QoS = QoS.AtLeastOnce,
            PacketId = 1,
            TopicAlias = 1,
            RemainingExpirySeconds = 5,
            ExtraKey = "k"u8,
        };
        Assert.Equal("PUBLISH qos=1 topic=a id=1 payload=", Read(Written(ref old), ProtocolVersion.Mqtt31));
        var alias = new PublishEncoder { Version = ProtocolVersion.Mqtt50, Topic = "a"u8, OmitTopic = true, TopicAlias = 1 };
        Assert.Equal("PUBLISH topic= alias=1 payload=", Read(Written(ref alias), ProtocolVersion.Mqtt50));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(120)]
    [InlineData(121)]
    [InlineData(124)]
    [InlineData(16_377)]
    [InlineData(16_380)]
    [InlineData(2_097_145)]
    [InlineData(2_097_150)]
    public void An_encoded_frame_is_copied_with_another_packet_id_and_DUP_only(int payload)
    {
        foreach (var version in Enum.GetValues<ProtocolVersion>())
        {
            var encoder = new PublishEncoder { Version = version, Topic = "a/b"u8, Payload = new byte[payload], QoS = QoS.AtLeastOnce, PacketId = 1 };
            var encoded = encoder.Encode();
            Assert.Equal(encoder.Measure(), encoded.Length);
            var output = new ArrayBufferWriter<byte>();
            Assert.Equal(encoded.Length, encoded.Write(output, 0xABCD, duplicate: true));
            FrameReader.TryRead(output.WrittenSpan, 0, version, out var frame, out _);
            Assert.True(PublishPacket.TryParse(frame, version, PacketSender.Server, out var packet, out _));
            Assert.Equal((0xABCD, true, payload), (packet.PacketId, packet.Duplicate, packet.Payload.Length));
            var again = output.WrittenSpan.ToArray();
            EncodedPublish.Patch(again, encoded.PacketIdOffset, 1);
            Assert.True(again.AsSpan().SequenceEqual(encoded.Bytes));
        }
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-24")]
    public void Nothing_is_written_where_it_is_too_large()
    {
        var output = new ArrayBufferWriter<byte>();
        var encoder = new PublishEncoder { Version = ProtocolVersion.Mqtt50, Topic = "a"u8, Payload = new byte[10] };
        var size = encoder.Measure();
        Assert.Equal(0, encoder.Write(output, (uint)size - 1));
        Assert.Equal(0, output.WrittenCount);
        Assert.Equal(size, encoder.Write(output, (uint)size));
        var long1 = new PublishEncoder { Version = ProtocolVersion.Mqtt50, Topic = new byte[65_536] };
        Assert.Equal(0, long1.Measure());
        var long2 = new PublishEncoder { Version = ProtocolVersion.Mqtt50, Topic = "a"u8, Payload = new byte[VariableByteInteger.MaxValue] };
        Assert.Equal(0, long2.Write(output));
        Assert.Equal(default, long2.Encode());
    }

    private static byte[] Written(ref PublishEncoder encoder)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(encoder.Measure(), encoder.Write(output));
        Assert.Equal(encoder.Measure(), output.WrittenCount);
        return output.WrittenSpan.ToArray();
    }

    private static string Read(byte[] bytes, ProtocolVersion version)
    {
        Assert.True(Codec.TryRead(bytes, version, PacketSender.Server, null, out var text, out var error), error.Message);
        return text;
    }
}
