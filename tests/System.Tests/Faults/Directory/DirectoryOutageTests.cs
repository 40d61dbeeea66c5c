using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>Redis goes and comes: nobody who is connected notices, who wants to connect is told to come later (promise 6).</summary>
[Collection("outages")]
public sealed class DirectoryOutageTests(OutageTier outage)
{
    [Fact]
    public async Task A_killed_redis_disconnects_nobody()
    {
        await using Traffic traffic = await Traffic.StartAsync(outage.Ports, new TrafficOptions { Name = "killed" });
        await traffic.EveryStreamFlowsAsync(2);
        await outage.Tier.KillAsync("redis-1");
        try
        {
            await NewDevicesAreRefusedAsync();
            await traffic.EveryStreamFlowsAsync(5);
        }
        finally
        {
            await outage.Tier.StartAsync("redis-1");
        }

        await NewDevicesAreServedAsync();
        await FinishAsync(traffic);
    }

    [Fact]
    public async Task A_stopped_redis_disconnects_nobody()
    {
        await using Traffic traffic = await Traffic.StartAsync(outage.Ports, new TrafficOptions { Name = "frozen" });
        await traffic.EveryStreamFlowsAsync(2);
        using (outage.Tier.Freeze("redis-1"))
        {
            // Longer than the lease of 3 s: nobody may be declared dead for it.
            await Task.WhenAll(NewDevicesAreRefusedAsync(), Eventually.LastsAsync(TimeSpan.FromSeconds(4)));
            await traffic.EveryStreamFlowsAsync(5);
        }

        await NewDevicesAreServedAsync();
        await FinishAsync(traffic);
    }

    private static async Task FinishAsync(Traffic traffic)
    {
        await traffic.EveryStreamFlowsAsync(5);
        await traffic.FinishAsync();
        traffic.AssertUnharmed();
    }

    private async Task NewDevicesAreRefusedAsync()
    {
        foreach (ProtocolVersion version in (ProtocolVersion[])[ProtocolVersion.Mqtt50, ProtocolVersion.Mqtt311])
        {
            // 3.1.1 says the same by return code 3.
            ConnectRefusedException refused = await Assert.ThrowsAsync<ConnectRefusedException>(
                () => ConnectAsync(0, $"refused-{version}", version));
            Assert.Equal(ReasonCode.ServerUnavailable, refused.Reason);
        }
    }

    private async Task NewDevicesAreServedAsync()
    {
        for (int proxy = 0; proxy < 2; proxy++)
        {
            await Eventually.HoldsAsync(() => IsServedAsync(proxy), () => $"proxy {proxy + 1} takes devices again");
        }
    }

    private async Task<bool> IsServedAsync(int proxy)
    {
        try
        {
            await using FaultDevice device = await ConnectAsync(proxy, $"served-{proxy}", ProtocolVersion.Mqtt50);
            return true;
        }
        catch (ConnectRefusedException refused) when (refused.Reason is ReasonCode.ServerUnavailable or ReasonCode.ServerBusy)
        {
            return false;
        }
    }

    private Task<FaultDevice> ConnectAsync(int proxy, string clientId, ProtocolVersion version) =>
        FaultDevice.ConnectAsync(outage.Ports[proxy], new DeviceOptions { ClientId = clientId, Version = version });
}
