using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 20 at the door: more come back at once than are let in. The bench row reconnects says how fast many are.</summary>
public sealed class StormTests(ITestOutputHelper output)
{
    private const int Devices = 60;
    private const int ConnectsPerSecond = 10;

    private int _refused;

    [ProgramsFact("redis-server")]
    public async Task Devices_that_were_all_dropped_at_once_come_back_by_the_rate_and_find_their_sessions()
    {
        using var ports = TestPorts.Take();
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Proxies = 1,
            Groups = 1,
            ProxySettings = [$"Admission:ConnectsPerSecond={ConnectsPerSecond}"],
        });
        int proxy = tier.Now.Proxies[0].Mqtt;
        await using TcpRelay relay = new(ports.Base, proxy);
        await using FaultDevice bystander = await ConnectAsync(proxy, new DeviceOptions { ClientId = "bystander" });
        FaultDevice[] devices = await ConnectAllAsync(ports.Base);
        await Task.WhenAll(devices.Select(device => device.SubscribeAsync($"storm/{device.ClientId}", QoS.AtLeastOnce)));
        relay.Reset();
        foreach (FaultDevice device in devices)
        {
            await Eventually.InTimeAsync(device.Ended, "the end of a device that was dropped");
            Assert.Equal(ReasonCode.Success, await bystander.PublishAsync($"storm/{device.ClientId}", "missed"));
            await device.DisposeAsync();
        }

        _refused = 0;
        FaultDevice[] back = await ConnectAllAsync(ports.Base);
        output.WriteLine($"{_refused} refusals until {Devices} were back.");
        Assert.True(_refused > 0, "nobody was refused");
        foreach (FaultDevice device in back)
        {
            Assert.True(device.IsSessionPresent);
            Assert.Equal("missed", (await device.AwaitMessagesAsync(1))[0].Payload);
            await device.DisposeAsync();
        }

        Assert.True(bystander.IsConnected);
        await bystander.PingAsync();
    }

    private Task<FaultDevice[]> ConnectAllAsync(int port) => Task.WhenAll(Enumerable.Range(0, Devices).Select(n => ConnectAsync(
        port, new DeviceOptions { ClientId = $"s{n}", CleanStart = false, SessionExpirySeconds = 3600 })));

    /// <summary>As a device does that was told to come later. Any other refusal, or a connection that just ends, is a fault.</summary>
    private async Task<FaultDevice> ConnectAsync(int port, DeviceOptions options)
    {
        FaultDevice? device = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    device = await FaultDevice.ConnectAsync(port, options);
                    return true;
                }
                catch (ConnectRefusedException refused) when (refused.Reason == ReasonCode.ConnectionRateExceeded)
                {
                    Interlocked.Increment(ref _refused);
                    return false;
                }
            },
            "a device is let in");
        return device!;
    }
}
