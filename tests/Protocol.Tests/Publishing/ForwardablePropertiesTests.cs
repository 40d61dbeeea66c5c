using Trunkline.Clauses;
using Trunkline.Protocol.Tests.Support;

namespace Trunkline.Protocol.Tests.Publishing;

public sealed class ForwardablePropertiesTests
{
    [Theory]
    [InlineData("", false, "")]
    [InlineData("01 01", true, "01 01")]
    [InlineData("26 [b] [2] 26 [a] [1] 01 00 26 [b] [1]", true, "26 [b] [2] 26 [a] [1] 01 00 26 [b] [1]")]
    [InlineData("02 00000009 26 [k] [v] 23 0001 03 [t] 08 [r] 09 0001 00 0B 05", false, "26 [k] [v] 03 [t] 08 [r] 09 0001 00")]
    [InlineData("26 [tl] [x] 26 [k] [v] 26 [tl] [y]", true, "26 [k] [v]")]
    [InlineData("26 [tl] [x] 26 [k] [v]", false, "26 [tl] [x] 26 [k] [v]")]
    [InlineData("26 [t] [l] 26 [tl2] [] 26 [] [tl] 26 [TL] []", true, "26 [t] [l] 26 [tl2] [] 26 [] [tl] 26 [TL] []")]
    [Clause(
        Specification.Mqtt50,
        "MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20")]
    public void What_travels_with_a_message_is_copied_unaltered_and_in_order(string block, bool strip, string expected)
    {
        Assert.True(PublishProperties.TryParse(Assembler.Assemble(block), PacketSender.Server, out var properties, out _));
        var copy = new byte[ForwardableProperties.Measure(properties, strip)];
        Assert.Equal(copy.Length, ForwardableProperties.Copy(properties, copy, strip));
        Assert.Equal(Convert.ToHexString(Assembler.Assemble(expected)), Convert.ToHexString(copy));
    }

    [Fact]
    public void A_wills_delay_and_expiry_stay_behind()
    {
        var connect = Assembler.Assemble("10 {[MQTT] 05 04 0000 {} [c] {18 00000005 26 [tl] [x] 01 01 02 00000009 26 [k] [v]} [w] [p]}");
        FrameReader.TryRead(connect, 0, out var frame, out _);
        Assert.True(ConnectPacket.TryParse(frame, out var packet, out _));
        var will = packet.WillProperties;
        var copy = new byte[ForwardableProperties.Measure(will, strip: true)];
        Assert.Equal(copy.Length, ForwardableProperties.Copy(will, copy, strip: true));
        Assert.Equal(Assembler.Assemble("01 01 26 [k] [v]"), copy);
    }

    [Fact]
    public void The_first_user_property_of_a_name_is_found()
    {
        PublishProperties.TryParse(Assembler.Assemble("01 01 26 [a] [1] 03 [t] 26 [b] [2] 26 [b] [3]"), PacketSender.Client, out var properties, out _);
        Assert.True(ForwardableProperties.TryFindUserProperty(properties, "b"u8, out var value));
        Assert.Equal("2"u8.ToArray(), value.ToArray());
        Assert.False(ForwardableProperties.TryFindUserProperty(properties, "t"u8, out _));
        Assert.Equal(3, properties.UserProperties.Count());
        Assert.False(ForwardableProperties.TryFindUserProperty(default, "b"u8, out _));
    }

    [Fact]
    public void Walking_bytes_that_were_never_validated_stops_quietly()
    {
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var block = new byte[random.Next(24)];
            random.NextBytes(block);
            var list = new UserPropertyList(block);
            Assert.True(list.Count() <= block.Length);
            Assert.False(list.TryFind("never there"u8, out _));
        }
    }
}
