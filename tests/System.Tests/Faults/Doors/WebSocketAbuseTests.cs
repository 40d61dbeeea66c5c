using System.Buffers.Binary;
using System.Net;
using System.Text;
using Trunkline.Clauses;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 31: the rules of frames hold before those of packets, and both hold.</summary>
[Collection("doors")]
public sealed class WebSocketAbuseTests(DoorTier door)
{
    private const string Upgrade =
        "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

    private static readonly byte[] Connect = Packets.Connect(new DeviceOptions { ClientId = "framed" });

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-6.0.0-1")]
    [Clause(Specification.Mqtt311, "MQTT-6.0.0-1")]
    public Task A_text_frame_closes() => ClosesAsync(1, Frame(0x81, Connect), 1003);

    [Fact]
    public Task An_unmasked_frame_closes() => ClosesAsync(2, [0x82, (byte)Connect.Length, .. Connect], 1002);

    [Fact]
    public Task A_frame_above_the_limit_closes() => ClosesAsync(3, Header(0x82, 65_537), 1009);

    [Fact]
    public Task A_length_with_the_highest_bit_closes() => ClosesAsync(4, Header(0x82, -1), 1002, 1009);

    [Fact]
    public Task A_reserved_bit_closes() => ClosesAsync(5, Frame(0xC2, Connect), 1002);

    [Fact]
    public Task A_reserved_opcode_closes() => ClosesAsync(6, Frame(0x83, Connect), 1002);

    [Fact]
    public Task A_long_ping_closes() => ClosesAsync(7, Frame(0x89, new byte[126]), 1002);

    [Fact]
    public Task A_continuation_of_nothing_closes() => ClosesAsync(8, Frame(0x80, Connect), 1002);

    [Fact]
    public async Task A_bad_packet_in_a_good_frame_gets_its_answer()
    {
        using RawConnection connection = await OpenAsync(9);
        byte[] bad = [0x36, 0x05, 0, 1, (byte)'t', 0, 1];
        await connection.SendAsync((byte[])[.. Frame(0x82, Connect), .. Frame(0x82, bad)]);
        byte[] answer = await connection.ReadToEndAsync();

        // CONNACK and DISCONNECT 0x81 in binary frames, then the goodbye of WebSocket.
        Assert.Equal(0x82, answer[0]);
        Assert.Equal(0x20, answer[2]);
        Assert.Contains((byte)0xE0, answer);
        Assert.Contains((byte)ReasonCode.MalformedPacket, answer);
        Assert.Equal(0x88, answer[^4]);
    }

    [Fact]
    public async Task Headers_without_end_are_refused()
    {
        double before = await door.MetricAsync("trunkline_listener_refused_total", "web_socket");
        using RawConnection connection = await RawConnection.OpenAsync(door.SmallFrames, IPAddress.Parse("127.0.6.10"));
        string start = Upgrade[..^2];
        await connection.SendAsync(Encoding.ASCII.GetBytes(start + "X-Long: " + new string('x', 8192)));
        string answer = Encoding.ASCII.GetString(await connection.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 431", answer, StringComparison.Ordinal);
        Assert.Equal(before + 1, await door.MetricAsync("trunkline_listener_refused_total", "web_socket"));
    }

    [Fact]
    public async Task Claims_of_large_frames_cost_no_memory()
    {
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "frames");
        long before = ManagementClient.ResidentBytes(door.Pid);
        List<RawConnection> open = [];
        for (int n = 0; n < 100; n++)
        {
            // 200 MiB are within the limit of this listener: the frame goes on for as long as it is fed, packet by packet.
            RawConnection connection = await OpenAsync(11, door.Proxy.Ws);
            await connection.SendAsync((byte[])[.. Header(0x82, 200 << 20), .. Mask(Connect), .. new byte[50]]);
            open.Add(connection);
        }

        await healthy.AssertServedAsync();
        long grown = ManagementClient.ResidentBytes(door.Pid) - before;
        open.ForEach(connection => connection.Dispose());
        Assert.True(grown < 16 << 20, $"RSS has grown by {grown >> 10} KiB");
        await healthy.AssertUndisturbedAsync();
    }

    private async Task ClosesAsync(int number, byte[] bytes, params int[] codes)
    {
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, $"ws-{number}");
        double before = await door.MetricAsync("trunkline_listener_closed_total", "protocol_error");
        using RawConnection connection = await OpenAsync(number);
        await connection.SendAsync(bytes);
        byte[] answer = await connection.ReadToEndAsync();

        // A close frame, its code first, and nothing else.
        Assert.Equal(0x88, answer[0]);
        Assert.Equal(answer.Length, 2 + answer[1]);
        Assert.Contains(BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(2)), codes);
        await Eventually.HoldsAsync(
            async () => await door.MetricAsync("trunkline_listener_closed_total", "protocol_error") == before + 1,
            () => "the close is counted");
        await door.LogsAsync($"from 127.0.6.{number}:");
        await healthy.AssertUndisturbedAsync();
    }

    private async Task<RawConnection> OpenAsync(int number, int? port = null)
    {
        RawConnection connection = await RawConnection.OpenAsync(port ?? door.SmallFrames, IPAddress.Parse($"127.0.6.{number}"));
        await connection.SendAsync(Encoding.ASCII.GetBytes(Upgrade));
        string answer = "";
        while (!answer.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            byte[] more = await connection.ReadAsync(1);
            Assert.NotEmpty(more);
            answer += (char)more[0];
        }

        Assert.StartsWith("HTTP/1.1 101", answer, StringComparison.Ordinal);
        return connection;
    }

    /// <summary>A masked frame; the mask is 1, 2, 3, 4.</summary>
    private static byte[] Frame(byte first, byte[] payload) => payload.Length < 126
        ? [first, (byte)(0x80 | payload.Length), 1, 2, 3, 4, .. Mask(payload)]
        : [first, 0x80 | 126, (byte)(payload.Length >> 8), (byte)payload.Length, 1, 2, 3, 4, .. Mask(payload)];

    private static byte[] Header(byte first, long length)
    {
        byte[] header = [first, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4];
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(2), length);
        return header;
    }

    private static byte[] Mask(byte[] payload) => [.. payload.Select((value, n) => (byte)(value ^ ((n & 3) + 1)))];
}
