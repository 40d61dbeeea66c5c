using System.Buffers;
using System.Text;

namespace Trunkline.Loadtest.Tests.Clients;

public sealed class ProxyHeaderWriterTests
{
    [Fact]
    public void Version_1_is_a_line_with_an_address_of_the_clients_own()
    {
        Assert.Equal("PROXY TCP4 198.18.0.0 127.0.0.1 1024 1883\r\n", Text(0));
        Assert.Equal("PROXY TCP4 198.18.1.2 127.0.0.1 1282 1883\r\n", Text(258));
    }

    [Fact]
    public void Version_2_is_28_bytes()
    {
        var output = new ArrayBufferWriter<byte>();
        ProxyHeaderWriter.Write(output, 2, 1, 1883);
        Assert.Equal("0D0A0D0A000D0A515549540A2111000CC61200017F0000010401075B", Convert.ToHexString(output.WrittenSpan));
    }

    private static string Text(int client)
    {
        var output = new ArrayBufferWriter<byte>();
        ProxyHeaderWriter.Write(output, 1, client, 1883);
        return Encoding.ASCII.GetString(output.WrittenSpan);
    }
}
