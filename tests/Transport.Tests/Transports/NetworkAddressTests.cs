namespace Trunkline.Transports.Tests.Transports;

public sealed class NetworkAddressTests
{
    [Theory]
    [InlineData("192.0.2.7:1883", "192.0.2.7:1883")]
    [InlineData("[2001:db8::7]:1883", "[2001:db8::7]:1883")]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8::7", "2001:db8::7")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    public void An_address_is_shown_with_its_port_where_one_is_known(string text, string shown)
    {
        Assert.True(NetworkAddress.TryParse(text, out NetworkAddress address));
        Assert.Equal(shown, address.ToString());
        Span<char> buffer = stackalloc char[NetworkAddress.MaximumTextLength];
        Assert.True(address.TryFormat(buffer, out int written));
        Assert.Equal(shown, new string(buffer[..written]));
    }
}
