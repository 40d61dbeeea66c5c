using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// A broker process whose memory is down to its reserve: proxies' links come in, for without them the tier would lose the
/// group; nobody else does, and each learns why.
/// </summary>
public sealed class BrokerMemoryTests
{
    [ProgramsFact("redis-server")]
    public async Task A_broker_down_to_its_reserve_of_memory_lets_links_in_and_nobody_else()
    {
        // A tenth of the least limit: less than .NET takes to start.
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Proxies = 1,
            Groups = 1,
            BrokerSettings = ["Memory:LimitBytes=67108864", "Memory:ReservePercent=90", "Memory:ShedPercent=1"],
        });
        int management = tier.Now.Brokers[0].Management!.Value;
        await Eventually.HoldsAsync(
            async () => await ManagementClient.MetricAsync(management, "trunkline_memory_level") == 1, "memory is low");

        ConnectRefusedException refused = await Assert.ThrowsAsync<ConnectRefusedException>(
            () => FaultDevice.ConnectAsync(tier.Now.Brokers[0].Mqtt, new DeviceOptions { ClientId = "new" }));
        Assert.Equal(ReasonCode.ServerBusy, refused.Reason);
        Assert.Equal(1, await ManagementClient.MetricAsync(management, "trunkline_broker_events_total", "event=\"refused_by_memory\""));

        // Its links are new: it is ready when they are let in.
        await tier.KillAsync("proxy-1");
        await tier.StartAsync("proxy-1");
        await using FaultDevice device = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, new DeviceOptions { ClientId = "device" });
        await device.SubscribeAsync("a", QoS.AtLeastOnce);
        Assert.Equal(ReasonCode.Success, await device.PublishAsync("a", "passes"));
        Assert.Equal("passes", Assert.Single(await device.AwaitMessagesAsync(1)).Payload);
    }
}
