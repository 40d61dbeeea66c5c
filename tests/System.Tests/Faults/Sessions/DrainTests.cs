using System.Diagnostics;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 4: a proxy that stops sends its devices away spread over time; they find their sessions elsewhere and miss nothing.</summary>
public sealed class DrainTests
{
    private const int Devices = 150;
    private const int DevicesPerSecond = 50;
    private const ushort WillKeepAliveSeconds = 8;

    [ProgramsFact("redis-server")]
    public async Task A_drain_is_spread_over_time_and_nothing_is_missed()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Proxies = 2,
            Groups = 1,
            ProxySettings = [$"Drain:DevicesPerSecond={DevicesPerSecond}"],
        });
        int stays = tier.Now.Proxies[1].Mqtt;
        FaultDevice[] devices = await Task.WhenAll(Enumerable.Range(0, Devices).Select(n => ConnectAsync(tier.Now.Proxies[0].Mqtt, n)));
        await Task.WhenAll(devices.Select((device, n) => device.SubscribeAsync($"drain/{n}", QoS.AtLeastOnce)));
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(stays, new DeviceOptions { ClientId = "publisher" });

        long start = Stopwatch.GetTimestamp();
        Task stop = tier.StopAsync("proxy-1");
        (FaultDevice Device, double After)[] moved = await Task.WhenAll(devices.Select(async (device, n) =>
        {
            await Eventually.InTimeAsync(device.Ended, "the end of a connection to the proxy that stops");
            double after = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Assert.Equal(ReasonCode.Success, await publisher.PublishAsync($"drain/{n}", "missed"));
            FaultDevice back = await ConnectAsync(stays, n);
            return (back, after);
        }));
        await stop;

        // Three seconds at this rate. Late is what the machine makes of it, but nobody goes before its turn.
        double[] times = [.. moved.Select(device => device.After).Order()];
        for (int i = 0; i < times.Length; i++)
        {
            Assert.True(times[i] >= ((double)i / DevicesPerSecond) - 0.5, $"{i} of {Devices} were sent away after {times[i]:F2} s");
        }

        foreach ((FaultDevice device, _) in moved)
        {
            Assert.True(device.IsSessionPresent);
            Assert.Equal("missed", (await device.AwaitMessagesAsync(1))[0].Payload);
            await device.DisposeAsync();
        }

        foreach (FaultDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    [ProgramsFact("redis-server")]
    public async Task While_proxies_stop_in_turn_idle_devices_connect_elsewhere_at_the_rate_of_the_drain()
    {
        const int idle = 600, rate = 100;
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Proxies = 3,
            Groups = 1,
            ProxySettings = [$"Drain:DevicesPerSecond={rate}"],
        });
        int[] ports = [.. tier.Now.Proxies.Select(proxy => proxy.Mqtt)];
        (FaultDevice Device, int At)[] devices = await Task.WhenAll(Enumerable.Range(0, idle).Select(
            async n => (await ConnectAsync(ports[n % 3], n), n % 3)));
        for (int stopping = 0; stopping < 2; stopping++)
        {
            long start = Stopwatch.GetTimestamp();
            int from = stopping;
            Task stop = tier.StopAsync($"proxy-{from + 1}");
            double[] connects = await Task.WhenAll(Enumerable.Range(0, idle).Where(n => devices[n].At == from).Select(async n =>
            {
                await Eventually.InTimeAsync(devices[n].Device.Ended, "the end of a connection to the proxy that stops");
                int to = (from + 1 + (n / 3 % 2)) % 3;
                FaultDevice back = await ConnectAsync(ports[to], n);
                Assert.True(back.IsSessionPresent);
                await devices[n].Device.DisposeAsync();
                devices[n] = (back, to);
                return Stopwatch.GetElapsedTime(start).TotalSeconds;
            }).ToArray());
            await stop;
            await tier.StartAsync($"proxy-{from + 1}");

            // Never ahead of its schedule; what the machine makes late may come together.
            Array.Sort(connects);
            Assert.True(connects.Length >= idle / 3);
            for (int i = 0; i < connects.Length; i++)
            {
                Assert.True(connects[i] >= ((double)i / rate) - 0.5, $"{i} of {connects.Length} were back after {connects[i]:F2} s");
            }

            // Nobody else was disturbed.
            Assert.All(devices, device => Assert.True(device.Device.IsConnected));
        }

        foreach ((FaultDevice device, _) in devices)
        {
            await device.DisposeAsync();
        }
    }

    [ProgramsFact("redis-server")]
    public async Task A_device_that_vanished_unnoticed_before_a_drain_has_its_will_and_one_that_comes_back_has_not()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Proxies = 2,
            Groups = 1,
            ProxySettings = ["Drain:WillWaitSeconds=1", "Node:DueIntervalMs=500"],
        });
        int stays = tier.Now.Proxies[1].Mqtt;
        await using TestDevice watcher = await TestDevice.ConnectAsync(stays);
        await watcher.SubscribeAsync("wills/#", QoS.ExactlyOnce);
        using var ports = TestPorts.Take();
        await using TcpRelay relay = new(ports.Base, tier.Now.Proxies[0].Mqtt);
        List<TestDevice> devices = [];
        foreach (uint expiry in new[] { 0u, 600u })
        {
            devices.Add(await ConnectWithWillAsync(ports.Base, "vanished", expiry));
            devices.Add(await ConnectWithWillAsync(tier.Now.Proxies[0].Mqtt, "lives", expiry));
        }

        relay.GoHalfOpen();
        long last = Stopwatch.GetTimestamp();
        Task stop = tier.StopAsync("proxy-1");
        foreach (TestDevice device in devices.Where(device => device.Options.ClientId.StartsWith("lives", StringComparison.Ordinal)).ToArray())
        {
            await device.AwaitClosedAsync();
            devices.Add(await TestDevice.ConnectAsync(stays, device.Options with { KeepAliveSeconds = 600, CleanStart = false }));
        }

        // Not before the proxy would have noticed it, and after the time in which those that live were back.
        string[] wills = [(await watcher.ReceiveAsync()).Text, (await watcher.ReceiveAsync()).Text];
        Assert.Equal(["vanished-0", "vanished-600"], wills.Order(StringComparer.Ordinal));
        double after = Stopwatch.GetElapsedTime(last).TotalSeconds;
        Assert.True(after >= (1.5 * WillKeepAliveSeconds) - 0.5, $"The wills came after {after:F1} s.");
        await stop;
        await watcher.PublishAsync("wills/end", "end", QoS.AtLeastOnce);
        Assert.Empty(await watcher.ReceiveUntilAsync("end"));
        foreach (TestDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    private static Task<TestDevice> ConnectWithWillAsync(int port, string name, uint expiry) => TestDevice.ConnectAsync(
        port,
        new TestDeviceOptions
        {
            ClientId = $"{name}-{expiry}",
            KeepAliveSeconds = WillKeepAliveSeconds,
            SessionExpirySeconds = expiry,
            Will = new TestMessage($"wills/{name}", $"{name}-{expiry}", QoS.ExactlyOnce),
        });

    private static Task<FaultDevice> ConnectAsync(int port, int n) => FaultDevice.ConnectAsync(
        port, new DeviceOptions { ClientId = $"d{n}", CleanStart = false, SessionExpirySeconds = 3600 });
}
