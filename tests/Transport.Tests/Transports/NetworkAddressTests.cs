using System.Net;

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

    [Theory]
    [InlineData("1.2.3.4")]
    [InlineData("255.255.255.255:65535")]
    [InlineData("0.0.0.0:0")]
    [InlineData("1.2.3.4:70000")]
    [InlineData("1.2.3.4:")]
    [InlineData("1.2.3.4:1x")]
    [InlineData("1.2.3.4:007")]
    [InlineData("1.2.3.4:123456")]
    [InlineData("01.2.3.4")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1..3.4")]
    [InlineData("0x1.2.3.4")]
    [InlineData("1.2.3.4 ")]
    [InlineData("")]
    [InlineData("none")]
    public void An_address_is_read_as_the_runtime_reads_it(string text)
    {
        bool isAddress = IPEndPoint.TryParse(text, out IPEndPoint? expected);

        Assert.Equal(isAddress, NetworkAddress.TryParse(text, out NetworkAddress address));
        Assert.Equal(NetworkAddress.From(expected), address);
    }

    [Fact]
    public void A_text_is_written_only_where_it_fits()
    {
        Assert.True(NetworkAddress.TryParse("192.0.2.17:1883", out NetworkAddress address));
        char[] room = new char[20];
        for (int length = 0; length <= room.Length; length++)
        {
            Assert.Equal(length >= 15, address.TryFormat(room.AsSpan(0, length), out _));
            Assert.Equal(length >= 10, address.TryFormatHost(room.AsSpan(0, length), out _));
        }

        Assert.True(address.TryFormatHost(room, out int written));
        Assert.Equal("192.0.2.17", new string(room, 0, written));
    }

    [Fact]
    public void An_IPv4_address_is_read_and_written_without_garbage()
    {
        char[] room = new char[NetworkAddress.MaximumTextLength];
        RoundTrip(room);
        long before = GC.GetAllocatedBytesForCurrentThread();
        RoundTrip(room);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void RoundTrip(char[] room)
    {
        Assert.True(NetworkAddress.TryParse("192.0.2.17:1883", out NetworkAddress address));
        Assert.True(address.TryFormat(room, out _));
        Assert.True(address.TryFormatHost(room, out _));
    }
}
