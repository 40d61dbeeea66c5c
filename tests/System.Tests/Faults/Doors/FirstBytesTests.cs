using System.Diagnostics;
using System.Net;
using System.Text;
using Trunkline.Clauses;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>Rows 18, 19 and 26 at the very first bytes: nobody gets a buffer, a session or a second for them.</summary>
[Collection("doors")]
public sealed class FirstBytesTests(DoorTier door)
{
    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.1.0-1")]
    [Clause(Specification.Mqtt311, "MQTT-3.1.0-1")]
    public async Task A_first_packet_that_is_not_CONNECT_closes_without_a_word()
    {
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "first");
        byte[][] others =
        [
            .. Enumerable.Range(0, 16).Where(type => type != 1).Select(type => (byte[])[(byte)(type << 4), 2, 0, 1]),
            Packets.Publish(ProtocolVersion.Mqtt50, "leaked", "x"u8, QoS.AtMostOnce, 0),
            Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"),
            [0x16, 0x03, 0x01, 0x02, 0x00, 0x01],
        ];
        double before = await door.MetricAsync("trunkline_disconnects_total", "protocol_error");
        for (int n = 0; n < others.Length; n++)
        {
            IPAddress from = IPAddress.Parse($"127.0.5.{n + 1}");
            Assert.Empty(await ExchangeAsync(door.Proxy.Mqtt, others[n], from));
            await door.LogsAsync($"from {from}:", "ProtocolError");
        }

        Assert.Equal(before + others.Length, await door.MetricAsync("trunkline_disconnects_total", "protocol_error"));
        await healthy.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task A_version_we_do_not_speak_is_told_so()
    {
        byte[] six = [0x10, 0x0C, 0, 4, .. "MQTT"u8, 6, 2, 0, 60, 0, 0];
        byte[] answer = await ExchangeAsync(door.Proxy.Mqtt, six, IPAddress.Parse("127.0.5.101"));
        Assert.Equal(0x20, answer[0]);
        Assert.Contains((byte)ReasonCode.UnsupportedProtocolVersion, answer);
    }

    [Fact]
    public async Task A_refused_CONNECT_is_logged_with_the_client_identifier_it_named()
    {
        IPAddress from = IPAddress.Parse("127.0.5.105");
        byte[] connect = [0x10, 0x18, 0, 4, .. "MQTT"u8, 5, 2, 0, 60, 6, 0x15, 0, 3, .. "GSS"u8, 0, 5, .. "named"u8];
        byte[] answer = await ExchangeAsync(door.Proxy.Mqtt, connect, from);
        Assert.Equal([0x20, (byte)ReasonCode.BadAuthenticationMethod], (byte[])[answer[0], answer[3]]);
        await door.LogsAsync($"Connection of named from {from}:", "ConnectRefused", "BadAuthenticationMethod");
    }

    [Fact]
    public async Task Claims_of_256_megabytes_cost_no_memory()
    {
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "claims");
        long before = ManagementClient.ResidentBytes(door.Pid);
        byte[] claim = [0x10, 0xFF, 0xFF, 0xFF, 0x7F, 0, 4, .. "MQTT"u8, 5, 2, 0, 60, 0, .. new byte[100]];
        for (int n = 0; n < 200; n++)
        {
            using RawConnection connection = await RawConnection.OpenAsync(door.Proxy.Mqtt, IPAddress.Parse("127.0.5.102"));
            await connection.SendAsync(claim);
            await connection.ReadToEndAsync();
        }

        long grown = ManagementClient.ResidentBytes(door.Pid) - before;
        Assert.True(grown < 16 << 20, $"RSS has grown by {grown >> 10} KiB");
        await door.LogsAsync("from 127.0.5.102:", "PacketTooLarge");
        await healthy.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task A_CONNECT_byte_by_byte_ends_at_its_deadline()
    {
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "loris");
        double before = await door.MetricAsync("trunkline_disconnects_total", "connect_deadline");
        IPAddress from = IPAddress.Parse("127.0.5.103");
        byte[] connect = Packets.Connect(new DeviceOptions { ClientId = new string('x', 100) });
        using RawConnection connection = await RawConnection.OpenAsync(door.Hasty, from);
        Stopwatch watch = Stopwatch.StartNew();
        Task<byte[]> answer = connection.ReadToEndAsync();
        for (int n = 0; n < connect.Length && !answer.IsCompleted; n++)
        {
            await connection.SendAsync(connect.AsMemory(n, 1));
            await Task.WhenAny(answer, Eventually.LastsAsync(TimeSpan.FromMilliseconds(100)));
        }

        Assert.Empty(await answer);
        Assert.True(watch.ElapsedMilliseconds >= 900, $"closed after {watch.ElapsedMilliseconds} ms");
        Assert.Equal(before + 1, await door.MetricAsync("trunkline_disconnects_total", "connect_deadline"));
        await door.LogsAsync($"from {from}:", "ConnectDeadline");

        // A silent one never gets as far as MQTT, but has no more time.
        double silentBefore = await door.MetricAsync("trunkline_listener_refused_total", "listener=\"hasty\",reason=\"header_timeout\"");
        watch.Restart();
        using RawConnection silent = await RawConnection.OpenAsync(door.Hasty, from);
        Assert.Empty(await silent.ReadToEndAsync(TimeSpan.FromSeconds(8)));
        Assert.True(watch.ElapsedMilliseconds >= 900, $"closed after {watch.ElapsedMilliseconds} ms");
        Assert.Equal(silentBefore + 1, await door.MetricAsync("trunkline_listener_refused_total", "listener=\"hasty\",reason=\"header_timeout\""));
        await healthy.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task A_PROXY_header_from_somebody_we_do_not_trust_is_refused()
    {
        double before = await door.MetricAsync("trunkline_listener_refused_total", "proxy_header");
        IPAddress from = IPAddress.Parse("127.0.5.104");
        byte[] header = Encoding.ASCII.GetBytes("PROXY TCP4 203.0.113.9 203.0.113.1 4000 1883\r\n");
        byte[] connect = Packets.Connect(new DeviceOptions { ClientId = "spoofed" });
        Assert.Empty(await ExchangeAsync(door.Untrusting, [.. header, .. connect], from));
        Assert.Equal(before + 1, await door.MetricAsync("trunkline_listener_refused_total", "proxy_header"));
        await door.LogsAsync($"refused {from}:", "proxy_protocol on", "TrustedAddresses");

        // A device of its own is served by the same listener.
        await using FaultDevice device = await FaultDevice.ConnectAsync(door.Untrusting, new DeviceOptions { ClientId = "direct", From = from });
        await device.PingAsync();
    }

    private static async Task<byte[]> ExchangeAsync(int port, byte[] bytes, IPAddress from)
    {
        using RawConnection connection = await RawConnection.OpenAsync(port, from);
        await connection.SendAsync(bytes);
        return await connection.ReadToEndAsync();
    }
}
