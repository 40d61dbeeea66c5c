using System.Net.Sockets;
using Trunkline.Clauses;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.WebSockets;

public sealed class WebSocketTests
{
    private const string Offer = "Sec-WebSocket-Protocol: mqtt\r\n";

    public static TheoryData<string, string, string> Refused => new()
    {
        { "/mqtt", "", "400" },
        { "/mqtt", "Sec-WebSocket-Protocol: chat, soap\r\n", "400" },
        { "/other", Offer, "404" },
        { "/mqtt", Offer + "Broken Header\r\n", "400" },
        { "/mqtt", Offer + "X-Forwarded-For: nonsense\r\n", "400" },
        { "/mqtt", Offer + "X: " + new string('x', 20_000) + "\r\n", "431" },
    };

    [Theory, MemberData(nameof(Refused))]
    [Clause(Specification.Mqtt50, "MQTT-6.0.0-3")]
    [Clause(Specification.Mqtt311, "MQTT-6.0.0-3")]
    public async Task Requests_that_are_not_for_MQTT_are_refused(string path, string headers, string status)
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws);
        await using var stream = new NetworkStream(await server.ConnectSocketAsync(), ownsSocket: true);
        Assert.StartsWith($"HTTP/1.1 {status} ", await WebSocketStream.HandshakeAsync(stream, headers, path), StringComparison.Ordinal);
        byte[] rest = new byte[4096];
        while (await stream.ReadAsync(rest).AsTask().WaitAsync(Deadline.Long) > 0)
        {
        }

        await server.Log.AwaitLineAsync(line => line.StartsWith("2040", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("mqtt")]
    [InlineData("mqttv3.1")]
    [Clause(Specification.Mqtt50, "MQTT-6.0.0-4")]
    [Clause(Specification.Mqtt311, "MQTT-6.0.0-4")]
    public async Task The_chosen_subprotocol_is_named(string protocol)
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws);
        await using var stream = new NetworkStream(await server.ConnectSocketAsync(), ownsSocket: true);
        string response = await WebSocketStream.HandshakeAsync(stream, $"Sec-WebSocket-Protocol: chat, {protocol}\r\n", "/mqtt?token=1");
        Assert.StartsWith("HTTP/1.1 101 ", response, StringComparison.Ordinal);
        Assert.Contains($"Sec-WebSocket-Protocol: {protocol}\r\n", response, StringComparison.Ordinal);

        // The example of RFC 6455, section 1.3.
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", response, StringComparison.Ordinal);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-6.0.0-2")]
    [Clause(Specification.Mqtt311, "MQTT-6.0.0-2")]
    public async Task Bytes_may_span_and_share_frames_split_anywhere()
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws);
        byte[] frames =
        [
            .. Frame(0x82, "ab"u8.ToArray()), .. Frame(0x02, "c"u8.ToArray()), .. Frame(0x89, "ping"u8.ToArray()), .. Frame(0x00, []),
            .. Frame(0x80, "def"u8.ToArray()), .. Frame(0x82, []), .. Frame(0x82, new byte[300]), .. Frame(0x8A, []),
        ];
        for (int split = 1; split < frames.Length; split += 7)
        {
            await using var stream = await UpgradeAsync(server);
            await stream.WriteAsync(frames.AsMemory(0, split));
            await stream.FlushAsync();
            await stream.WriteAsync(frames.AsMemory(split));
            Peer peer = await server.NextPeerAsync();
            await peer.WaitForBytesAsync(306);
            byte[] all = [.. peer.Received.SelectMany(part => part)];
            Assert.Equal("abcdef"u8.ToArray(), all[..6]);
            Assert.Equal(new byte[300], all[6..]);
        }
    }

    [Fact]
    public async Task A_ping_is_answered_with_its_bytes()
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws);
        await using NetworkStream stream = await UpgradeAsync(server);
        await stream.WriteAsync(Frame(0x89, "hello"u8.ToArray()));
        Assert.Equal([0x8A, 5, .. "hello"u8], await ReadAsync(stream, 7));
    }

    [Theory]
    [InlineData(0x81, 0x80, 1003)] // text
    [InlineData(0x83, 0x80, 1002)] // unknown opcode
    [InlineData(0xC2, 0x80, 1002)] // reserved bit
    [InlineData(0x80, 0x80, 1002)] // continuation of nothing
    [InlineData(0x82, 0x00, 1002)] // not masked
    [InlineData(0x09, 0x80, 1002)] // ping in pieces
    [InlineData(0x89, 0xFE, 1002)] // long ping
    [Clause(Specification.Mqtt50, "MQTT-6.0.0-1")]
    [Clause(Specification.Mqtt311, "MQTT-6.0.0-1")]
    public async Task Frames_that_may_not_be_close_with_their_code(byte first, byte second, int code)
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws);
        await using NetworkStream stream = await UpgradeAsync(server);
        await stream.WriteAsync(new byte[] { first, second, 1, 2, 3, 4 });
        Assert.Equal([0x88, 2, (byte)(code >> 8), (byte)code], await ReadAsync(stream, 4));
        Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Deadline.Long));
        Peer peer = await server.NextPeerAsync();
        Assert.Equal(TransportCloseReason.ProtocolError, await peer.Closed.Task.WaitAsync(Deadline.Long));
    }

    [Fact]
    public async Task A_frame_that_claims_too_much_closes_at_once()
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws);
        await using NetworkStream stream = await UpgradeAsync(server);
        await stream.WriteAsync(new byte[] { 0x82, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4 });
        Assert.Equal([0x88, 2, 1009 >> 8, 1009 & 0xFF], await ReadAsync(stream, 4));
    }

    [Fact]
    public async Task A_close_is_answered_with_its_code()
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws);
        await using NetworkStream stream = await UpgradeAsync(server);
        await stream.WriteAsync(Frame(0x88, [1001 >> 8, 1001 & 0xFF]));
        Assert.Equal([0x88, 2, 1001 >> 8, 1001 & 0xFF], await ReadAsync(stream, 4));
        Peer peer = await server.NextPeerAsync();
        Assert.Equal(TransportCloseReason.PeerClosed, await peer.Closed.Task.WaitAsync(Deadline.Long));
    }

    [Theory]
    [InlineData("203.0.113.9", "203.0.113.9")]
    [InlineData("198.51.100.1, 203.0.113.9, 127.0.0.5", "203.0.113.9")]
    [InlineData("127.0.0.8, 127.0.0.5", "127.0.0.8")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    public async Task The_right_most_stranger_is_the_device(string forwarded, string expected)
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws);
        await using NetworkStream stream = await UpgradeAsync(server, $"{Offer}X-Forwarded-For: {forwarded}\r\n");
        Peer peer = await server.NextPeerAsync();
        Assert.Equal(expected, peer.Transport.Origin.Remote.HostToString());
        Assert.Equal("mqtt", peer.Transport.Origin.Details!.WebSocketProtocol);
    }

    [Theory]
    [InlineData("192.0.2.9", false)] // denied
    [InlineData("192.0.4.1", false)] // not allowed
    [InlineData("192.0.3.1", true)]
    [InlineData("192.0.2.9, 127.0.0.5", false)]
    [InlineData(null, false)] // the proxy itself
    public async Task Allow_and_deny_judge_the_device_that_a_trusted_proxy_names(string? forwarded, bool mayConnect)
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws, null, options => options with
        {
            Deny = ["192.0.2.0/24"],
            Allow = ["192.0.2.0/23"],
        });
        await using var stream = new NetworkStream(await server.ConnectSocketAsync(), ownsSocket: true);
        string headers = forwarded is null ? Offer : $"{Offer}X-Forwarded-For: {forwarded}\r\n";
        string answer = await WebSocketStream.HandshakeAsync(stream, headers);
        Assert.StartsWith(mayConnect ? "HTTP/1.1 101 " : "HTTP/1.1 403 ", answer, StringComparison.Ordinal);
        if (!mayConnect)
        {
            await server.Log.AwaitLineAsync(line => line.StartsWith("2011", StringComparison.Ordinal)
                && line.Contains(forwarded?.Split(',')[0] ?? "127.0.0.1", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_stranger_is_not_believed()
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Ws, null, options => options with
        {
            WebSocket = options.WebSocket with { ForwardedForTrustedAddresses = ["10.0.0.0/8"] },
        });
        await using NetworkStream stream = await UpgradeAsync(server, $"{Offer}X-Forwarded-For: 203.0.113.9\r\n");
        Peer peer = await server.NextPeerAsync();
        Assert.Equal("127.0.0.1", peer.Transport.Origin.Remote.HostToString());
        await server.Log.AwaitLineAsync(line => line.Contains("ForwardedForTrustedAddresses", StringComparison.Ordinal));
    }

    [Fact]
    public void Unmasking_is_right_at_every_offset_and_length()
    {
        var random = new Random(7);
        byte[] mask = [0x11, 0x22, 0x44, 0x88];
        for (int length = 0; length < 200; length++)
        {
            for (int offset = 0; offset < 4; offset++)
            {
                byte[] source = new byte[length];
                random.NextBytes(source);
                byte[] expected = [.. source.Select((value, i) => (byte)(value ^ mask[(i + offset) & 3]))];
                byte[] actual = new byte[length];
                WebSocketMask.Apply(source, actual, BitConverter.ToUInt32(mask), offset);
                Assert.Equal(expected, actual);
            }
        }
    }

    private static byte[] Frame(byte first, byte[] payload)
    {
        byte[] mask = [9, 8, 7, 6];
        byte[] length = payload.Length < 126 ? [(byte)(0x80 | payload.Length)] : [0xFE, (byte)(payload.Length >> 8), (byte)payload.Length];
        return [first, .. length, .. mask, .. payload.Select((value, i) => (byte)(value ^ mask[i & 3]))];
    }

    private static async Task<NetworkStream> UpgradeAsync(TestServer server, string headers = Offer)
    {
        var stream = new NetworkStream(await server.ConnectSocketAsync(), ownsSocket: true);
        Assert.StartsWith("HTTP/1.1 101 ", await WebSocketStream.HandshakeAsync(stream, headers), StringComparison.Ordinal);
        return stream;
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int count)
    {
        byte[] bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes).AsTask().WaitAsync(Deadline.Long);
        return bytes;
    }
}
