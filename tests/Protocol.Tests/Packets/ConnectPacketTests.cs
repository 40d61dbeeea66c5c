using Trunkline.Clauses;
using Trunkline.Protocol.Tests.Support;

namespace Trunkline.Protocol.Tests.Packets;

public sealed class ConnectPacketTests
{
    [Theory]
    [InlineData("10 {[MQTT] 06 02 003C {} [c]}", ProtocolVersion.Mqtt50, 0x06)]
    [InlineData("10 {[MQTT] 85 02 003C {} [c]}", ProtocolVersion.Mqtt50, 0x85)]
    [InlineData("10 {[MQTT] 03 02 003C [c]}", ProtocolVersion.Mqtt311, 0x03)]
    [InlineData("10 {[MQIsdp] 04 02 003C [c]}", ProtocolVersion.Mqtt311, 0x04)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-2")]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-2")]
    public void An_unknown_level_says_in_which_version_to_answer(string source, ProtocolVersion answer, byte level)
    {
        Assert.False(TryParse(source, out var packet, out var error));
        Assert.Equal(ProtocolErrors.ProtocolLevelUnsupported, error);
        Assert.Equal((answer, level), (packet.AnswerVersion, packet.ProtocolLevel));
        Assert.True(ReasonCodes.TryToConnectReturnCode(error.Code, out var returnCode));
        Assert.Equal(ConnectReturnCode.UnacceptableProtocolVersion, returnCode);
    }

    [Fact]
    public void A_refused_packet_of_a_known_version_is_answered_in_it()
    {
        Assert.False(TryParse("10 {[MQTT] 05 03 003C {} [c]}", out var packet, out _));
        Assert.Equal(ProtocolVersion.Mqtt50, packet.AnswerVersion);
        Assert.False(TryParse("10 {[HTTP] 05 03 003C {} [c]}", out packet, out _));
        Assert.Equal(default, packet.AnswerVersion);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("a", true)]
    [InlineData("12345678901234567890123", true)]
    [InlineData("123456789012345678901234", false)]
    [InlineData("éééééééééééééééééééé", true)]
    public void The_rule_of_3_1_counts_characters(string clientId, bool expected)
    {
        Assert.True(TryParse($"10 {{[MQIsdp] 03 02 003C [{clientId}]}}", out var packet, out _));
        Assert.Equal(expected, packet.HasClientIdOf31);
    }

    [Fact]
    public void A_default_packet_has_the_specifications_defaults()
    {
        ConnectPacket packet = default;
        Assert.Equal(ushort.MaxValue, packet.ReceiveMaximum);
        Assert.True(packet.RequestProblemInformation);
        Assert.False(packet.HasUserName || packet.HasPassword || packet.HasAuthenticationMethod);
        ConnAckPacket answer = default;
        Assert.Equal(ushort.MaxValue, answer.ReceiveMaximum);
        Assert.Equal(QoS.ExactlyOnce, answer.MaximumQoS);
        Assert.True(answer.RetainAvailable && answer.WildcardSubscriptionAvailable);
        Assert.True(answer.SubscriptionIdentifiersAvailable && answer.SharedSubscriptionAvailable);
    }

    private static bool TryParse(string source, out ConnectPacket packet, out ProtocolError error)
    {
        Assert.Equal(FrameStatus.Complete, FrameReader.TryRead(Assembler.Assemble(source), 0, out var frame, out _));
        return ConnectPacket.TryParse(frame, out packet, out error);
    }
}
