using System.Diagnostics;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 4: a proxy that stops sends its devices away spread over time; they find their sessions elsewhere and miss nothing.</summary>
public sealed class DrainTests
{
    private const int Devices = 150;
    private const int DevicesPerSecond = 50;

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

    private static Task<FaultDevice> ConnectAsync(int port, int n) => FaultDevice.ConnectAsync(
        port, new DeviceOptions { ClientId = $"d{n}", CleanStart = false, SessionExpirySeconds = 3600 });
}
