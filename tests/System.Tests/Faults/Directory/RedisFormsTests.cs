using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>The directory behind Sentinel and in a Cluster: the death of a master disconnects nobody, and new devices come in again.</summary>
public sealed class RedisFormsTests
{
    [Theory]
    [InlineData("sentinel", "aof-everysec")]
    [InlineData("cluster", "aof-everysec")]
    public async Task A_masters_death_disconnects_nobody_and_heals_by_fail_over(string redis, string durability)
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Groups = 1,
            Redis = redis,
            RedisDurability = durability,
            ProxySettings = ["Directory:OperationDeadlineMs=1000", "Directory:ReconnectMaxMs=1000", "Directory:RecoveringGraceMs=500"],
        });
        int[] ports = [.. tier.Now.Proxies.Select(proxy => proxy.Mqtt)];
        await using Traffic traffic = await Traffic.StartAsync(ports, new TrafficOptions { Name = redis });
        await traffic.EveryStreamFlowsAsync(2);
        await tier.KillAsync("redis-1");
        await traffic.EveryStreamFlowsAsync(5);
        foreach (int port in ports)
        {
            await Eventually.HoldsAsync(() => IsServedAsync(port), () => $"the proxy at {port} takes devices after the fail-over");
        }

        await tier.StartAsync("redis-1");
        await traffic.EveryStreamFlowsAsync(5);
        await traffic.FinishAsync();
        traffic.AssertUnharmed();
    }

    private static async Task<bool> IsServedAsync(int port)
    {
        try
        {
            await using FaultDevice device = await FaultDevice.ConnectAsync(
                port, new DeviceOptions { ClientId = "after-the-fail-over", Version = ProtocolVersion.Mqtt50 });
            return true;
        }
        catch (ConnectRefusedException refused) when (refused.Reason is ReasonCode.ServerUnavailable or ReasonCode.ServerBusy)
        {
            return false;
        }
    }
}
