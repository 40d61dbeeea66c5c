using Trunkline.Clauses;

namespace Trunkline.Protocol.Tests;

public sealed class ReasonCodesTests
{
    [Theory]
    [InlineData(PacketType.ConnAck, PacketSender.Server, "00 80 81 82 83 84 85 86 87 88 89 8A 8C 90 95 97 99 9A 9B 9C 9D 9F")]
    [InlineData(PacketType.PubAck, PacketSender.Client, "00 10 80 83 87 90 91 97 99")]
    [InlineData(PacketType.PubRec, PacketSender.Server, "00 10 80 83 87 90 91 97 99")]
    [InlineData(PacketType.PubRel, PacketSender.Client, "00 92")]
    [InlineData(PacketType.PubComp, PacketSender.Server, "00 92")]
    [InlineData(PacketType.SubAck, PacketSender.Server, "00 01 02 80 83 87 8F 91 97 9E A1 A2")]
    [InlineData(PacketType.UnsubAck, PacketSender.Server, "00 11 80 83 87 8F 91")]
    [InlineData(PacketType.Disconnect, PacketSender.Client, "00 04 80 81 82 83 90 93 94 95 96 97 98 99")]
    [InlineData(PacketType.Disconnect, PacketSender.Server, "00 80 81 82 83 87 89 8B 8C 8D 8E 8F 90 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F A0 A1 A2")]
    [InlineData(PacketType.Auth, PacketSender.Client, "18 19")]
    [InlineData(PacketType.Auth, PacketSender.Server, "00 18")]
    [InlineData(PacketType.Publish, PacketSender.Server, "")]
    [Clause(
        Specification.Mqtt50,
        "MQTT-3.2.2-8", "MQTT-3.4.2-1", "MQTT-3.5.2-1", "MQTT-3.6.2-1", "MQTT-3.7.2-1", "MQTT-3.9.3-2", "MQTT-3.11.3-2", "MQTT-3.14.2-1", "MQTT-3.15.2-1")]
    public void Each_packet_has_exactly_its_own_codes(PacketType type, PacketSender sender, string codes)
    {
        var allowed = Enumerable.Range(0, 256).Where(code => ReasonCodes.IsAllowed(type, sender, (ReasonCode)code)).Select(code => $"{code:X2}");
        Assert.Equal(codes, string.Join(' ', allowed));
    }

    [Fact]
    [Clause(Specification.Mqtt311, "MQTT-3.2.2-6")]
    public void Each_return_code_of_3_survives_the_way_to_5_and_back_and_some_codes_have_none()
    {
        foreach (var returnCode in Enum.GetValues<ConnectReturnCode>())
        {
            Assert.True(ReasonCodes.TryToConnectReturnCode(ReasonCodes.FromConnectReturnCode(returnCode), out var back));
            Assert.Equal(returnCode, back);
        }

        Assert.False(ReasonCodes.TryToConnectReturnCode(ReasonCode.MalformedPacket, out _));
        Assert.False(ReasonCodes.TryToConnectReturnCode(ReasonCode.TopicNameInvalid, out _));
    }

    [Fact]
    public void Failures_begin_at_0x80() =>
        Assert.All(Enumerable.Range(0, 256), code => Assert.Equal(code >= 0x80, ReasonCodes.IsError((ReasonCode)code)));
}
