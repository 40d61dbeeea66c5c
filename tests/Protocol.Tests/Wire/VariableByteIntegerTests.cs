using Trunkline.Clauses;

namespace Trunkline.Protocol.Tests.Wire;

public sealed class VariableByteIntegerTests
{
    [Theory]
    [InlineData(0u, "00")]
    [InlineData(127u, "7F")]
    [InlineData(128u, "8001")]
    [InlineData(16_383u, "FF7F")]
    [InlineData(16_384u, "808001")]
    [InlineData(2_097_151u, "FFFF7F")]
    [InlineData(2_097_152u, "80808001")]
    [InlineData(VariableByteInteger.MaxValue, "FFFFFF7F")]
    [Clause(Specification.Mqtt50, "MQTT-1.5.5-1")]
    public void Values_are_written_and_read_in_their_shortest_form(uint value, string hex)
    {
        var buffer = new byte[4];
        var length = VariableByteInteger.Write(buffer, value);
        Assert.Equal(hex, Convert.ToHexString(buffer, 0, length));
        Assert.Equal(length, VariableByteInteger.SizeOf(value));
        Assert.True(VariableByteInteger.TryRead(buffer.AsSpan(0, length), out var read, out var size));
        Assert.Equal((value, length), (read, size));
        for (var cut = 0; cut < length; cut++)
        {
            Assert.False(VariableByteInteger.TryRead(buffer.AsSpan(0, cut), out _, out _));
        }
    }

    [Theory]
    [InlineData("8000")]
    [InlineData("FF00")]
    [InlineData("808000")]
    [InlineData("80808000")]
    [InlineData("8080808001")]
    [InlineData("FFFFFFFF7F")]
    [Clause(Specification.Mqtt50, "MQTT-1.5.5-1")]
    public void Longer_forms_are_refused(string hex) =>
        Assert.False(VariableByteInteger.TryRead(Convert.FromHexString(hex), out _, out _));
}
