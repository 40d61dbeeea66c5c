using System.Net;
using Trunkline.Protocol;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>Limits at the limit, rows 16 and 18: what is over has a name, a counter and an end, and costs the others nothing.</summary>
[Collection("doors")]
public sealed class LimitTests(DoorTier door, ITestOutputHelper output)
{
    private const int LinesPerWindow = 20;

    [Fact]
    public async Task A_listener_takes_as_many_connections_as_it_was_told()
    {
        double before = await door.MetricAsync("trunkline_listener_refused_total", "listener=\"few\",reason=\"limit\"");
        IPAddress from = IPAddress.Parse("127.0.7.1");
        List<FaultDevice> devices = [];
        for (int n = 0; n < DoorTier.FewConnections; n++)
        {
            devices.Add(await FaultDevice.ConnectAsync(door.Few, new DeviceOptions { ClientId = $"few-{n}" }));
        }

        using (RawConnection over = await RawConnection.OpenAsync(door.Few, from))
        {
            await over.SendAsync(Packets.Connect(new DeviceOptions { ClientId = "few-over" }));
            Assert.Empty(await over.ReadToEndAsync());
        }

        Assert.Equal(before + 1, await door.MetricAsync("trunkline_listener_refused_total", "listener=\"few\",reason=\"limit\""));
        await door.LogsAsync($"few refused {from}", "MaximumConnections");
        foreach (FaultDevice device in devices)
        {
            await device.PingAsync();
        }

        // A place that is free again is given again; other listeners never noticed.
        await devices[0].DisposeAsync();
        await Eventually.HoldsAsync(IsLetInAsync, () => "a device gets the free place");
        await using FaultDevice elsewhere = await FaultDevice.ConnectAsync(door.Proxy.Mqtt, new DeviceOptions { ClientId = "elsewhere" });
        foreach (FaultDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_device_that_stops_reading_loses_its_QoS_0_and_then_its_connection()
    {
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "reading");
        await using FaultDevice slow = await FaultDevice.ConnectAsync(door.Impatient, new DeviceOptions
        {
            ClientId = "slow",
            From = IPAddress.Parse("127.0.7.2"),
            ReceiveBufferBytes = 4096,
        });
        await using FaultDevice fast = await FaultDevice.ConnectAsync(door.Proxy.Mqtt, new DeviceOptions { ClientId = "fast" });
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(door.Proxy.Mqtt, new DeviceOptions { ClientId = "busy" });
        await slow.SubscribeAsync("healthy/busy/#", QoS.AtMostOnce);
        await fast.SubscribeAsync("healthy/busy/#", QoS.AtMostOnce);
        double dropped = await DroppedAsync();
        long before = ManagementClient.ResidentBytes(door.Pid);
        int sent = 0;
        using (slow.HoldReading())
        {
            string payload = new('x', 4000);
            double faults = await door.MetricAsync("trunkline_loop_faults_total");
            await Eventually.HoldsAsync(
                async () =>
                {
                    for (int n = 0; n < 100; n++, sent++)
                    {
                        await publisher.StartPublishAsync("healthy/busy/now", payload, QoS.AtMostOnce);
                    }

                    // The publisher is answered at once, however slow one of its listeners is, and the fast one gets it all.
                    await publisher.PingAsync();
                    await fast.AwaitMessagesAsync(sent);
                    return !slow.IsConnected || await ClosedAsync() > 0;
                },
                () => $"the slow device is closed within its send timeout, {sent} sent");

            Assert.Equal(faults, await door.MetricAsync("trunkline_loop_faults_total"));
        }

        double lost = await DroppedAsync() - dropped;
        long grown = ManagementClient.ResidentBytes(door.Pid) - before;
        output.WriteLine($"{sent} of 4 KB sent, {lost} dropped for the slow device, RSS grown by {grown >> 10} KiB");
        Assert.True(lost > 0, "what a slow device does not take is dropped and counted");
        Assert.True(grown < 48 << 20, $"RSS has grown by {grown >> 10} KiB");
        Assert.Null((await Eventually.InTimeAsync(slow.Ended, "the end of the slow device")).Disconnect);
        await door.LogsAsync("Connection of slow from 127.0.7.2:", "SendTimeout");
        Assert.True(fast.IsConnected && publisher.IsConnected);
        await healthy.AssertServedAsync();

        Task<double> DroppedAsync() => door.MetricAsync("trunkline_messages_dropped_total", "slow_device");
        Task<double> ClosedAsync() => door.MetricAsync("trunkline_listener_closed_total", "listener=\"impatient\",reason=\"send_timeout\"");
    }

    [Fact]
    public async Task A_flood_from_one_address_is_held_back_in_the_log_and_counted()
    {
        const int connects = 50;
        const string address = "127.0.7.3";
        await FailAsync(connects);
        await door.LogsAsync($"from {address}:");

        // After ten seconds the next line says how many are missing: each connection has one that it came and one that it went.
        await Eventually.HoldsAsync(
            async () =>
            {
                await FailAsync(1);
                return door.LogLines("were held back", address).Any();
            },
            () => "a line says how many were held back");

        // What was written before the line that tells; those of the next window are behind it, but for one connection at another loop.
        string[] all = [.. door.LogLines(address)];
        int held = Array.FindIndex(all, line => line.Contains("were held back", StringComparison.Ordinal));
        int lines = all.Take(held).Count(line => line.Contains($"from {address}:", StringComparison.Ordinal));
        output.WriteLine($"{lines} lines, then: {all[held]}");
        Assert.InRange(lines, LinesPerWindow, LinesPerWindow + 2);

        async Task FailAsync(int count)
        {
            for (int n = 0; n < count; n++)
            {
                using RawConnection connection = await RawConnection.OpenAsync(door.Proxy.Mqtt, IPAddress.Parse(address));
                await connection.SendAsync((byte[])[.. Packets.Connect(new DeviceOptions { ClientId = "flood" }), 0x00, 0x00]);
                await connection.ReadToEndAsync();
            }
        }
    }

    private async Task<bool> IsLetInAsync()
    {
        try
        {
            await using FaultDevice device = await FaultDevice.ConnectAsync(door.Few, new DeviceOptions { ClientId = "few-next" });
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
