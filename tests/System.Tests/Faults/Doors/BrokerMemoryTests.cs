using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>A broker process whose memory is down to its reserve, as a proxy's own: nobody new is let in, and it says so.</summary>
public sealed class BrokerMemoryTests
{
    [ProgramsFact("redis-server")]
    public async Task A_broker_down_to_its_reserve_of_memory_lets_nobody_new_in()
    {
        // A tenth of the least limit: less than .NET takes to start.
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Proxies = 0,
            Groups = 1,
            Redis = "none",
            BrokerSettings = ["Memory:LimitBytes=67108864", "Memory:ReservePercent=90", "Memory:ShedPercent=1"],
        });
        int management = tier.Now.Brokers[0].Management!.Value;
        await Eventually.HoldsAsync(
            async () => await ManagementClient.MetricAsync(management, "trunkline_memory_level") == 1, "memory is low");

        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    await using FaultDevice device = await FaultDevice.ConnectAsync(tier.Now.Brokers[0].Mqtt, new DeviceOptions { ClientId = "new" });
                    return false;
                }
                catch (IOException)
                {
                    return await ManagementClient.MetricAsync(management, "trunkline_listener_refused_total", "reason=\"memory\"") >= 1;
                }
            },
            "a new connection is closed, and counted");
        Assert.True(await ManagementClient.IsReadyAsync(management));
    }
}
