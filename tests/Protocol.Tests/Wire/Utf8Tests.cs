using Trunkline.Clauses;

namespace Trunkline.Protocol.Tests.Wire;

public sealed class Utf8Tests
{
    [Theory]
    [InlineData("", true)]
    [InlineData("24", true)]
    [InlineData("00", false)]
    [InlineData("7F", true)]
    [InlineData("80", false)]
    [InlineData("C2 80", true)]
    [InlineData("C0 80", false)]
    [InlineData("E2 82 AC", true)]
    [InlineData("E0 80 80", false)]
    [InlineData("ED 9F BF", true)]
    [InlineData("ED A0 80", false)]
    [InlineData("ED BF BF", false)]
    [InlineData("EE 80 80", true)]
    [InlineData("EF BB BF", true)]
    [InlineData("F0 90 80 80", true)]
    [InlineData("F4 8F BF BF", true)]
    [InlineData("F4 90 80 80", false)]
    [InlineData("E2 82", false)]
    [InlineData("C3 A9 00", false)]
    [Clause(Specification.Mqtt50, "MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-1.5.4-3")]
    [Clause(Specification.Mqtt311, "MQTT-1.5.3-1", "MQTT-1.5.3-2", "MQTT-1.5.3-3")]
    public void Text_is_well_formed_without_surrogates_and_without_null(string hex, bool expected)
    {
        var text = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        for (var before = 0; before < 40; before++)
        {
            byte[] padded = [.. Enumerable.Repeat((byte)'a', before), .. text];
            Assert.Equal(expected, Utf8.IsValidMqttString(padded));
            byte[] followed = [.. padded, .. Enumerable.Repeat((byte)'/', 37)];
            Assert.Equal(expected, Utf8.IsValidMqttString(followed));
        }
    }

    [Fact]
    public void Every_byte_counts_at_every_place_and_none_beside_the_text()
    {
        for (var length = 1; length <= 70; length++)
        {
            foreach (var around in new byte[] { 0x00, 0xFF, (byte)'a' })
            {
                var buffer = Enumerable.Repeat(around, length + 40).ToArray();
                var text = buffer.AsSpan(20, length);
                text.Fill((byte)'a');
                Assert.True(Utf8.IsValidMqttString(text));
                for (var i = 0; i < length; i++)
                {
                    foreach (var bad in new byte[] { 0x00, 0x80, 0xFF })
                    {
                        text[i] = bad;
                        Assert.False(Utf8.IsValidMqttString(text));
                    }

                    text[i] = (byte)'a';
                }
            }
        }
    }
}
