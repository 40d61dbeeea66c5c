using System.Globalization;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 1, as far as sessions live with their node: a proxy dies, the other goes on, the claims of the dead are let go.</summary>
[Collection("outages")]
public sealed class ProxyKillTests(OutageTier outage)
{
    private const int Devices = 20;

    [ProgramsFact("redis-cli")]
    public async Task A_killed_proxy_takes_only_its_own_devices_along()
    {
        await using Traffic survivors = await Traffic.StartAsync([outage.Ports[1]], new TrafficOptions { Name = "survivors" });
        FaultDevice[] lost = await ConnectAllAsync(0);
        Assert.Equal(Devices, await ClaimsAsync());
        await outage.Tier.KillAsync("proxy-1");
        try
        {
            foreach (FaultDevice device in lost)
            {
                await Eventually.InTimeAsync(device.Ended, "the end of a device of the dead proxy");
                await device.DisposeAsync();
            }

            // Half of them do not wait for the lease; the claims of the others go with it.
            FaultDevice[] back = await ConnectAllAsync(1, Devices / 2);
            await Eventually.HoldsAsync(
                () => outage.Tier.ReadLog("proxy-2").Contains("its lease stood still", StringComparison.Ordinal),
                () => "proxy 2 declares proxy 1 dead");
            await Eventually.HoldsAsync(
                async () => await ClaimsAsync() == Devices / 2, () => "the claims of the dead proxy are detached");
            foreach (FaultDevice device in back)
            {
                await device.PingAsync();
                Assert.Equal(ReasonCode.Success, await device.PublishAsync("back/" + device.ClientId, "here"));
                await device.DisposeAsync();
            }

            await survivors.EveryStreamFlowsAsync(3);
        }
        finally
        {
            await outage.Tier.StartAsync("proxy-1");
        }

        await survivors.FinishAsync();
        survivors.AssertUnharmed();
        await using Traffic both = await Traffic.StartAsync(outage.Ports, new TrafficOptions { Name = "both" });
        await both.EveryStreamFlowsAsync(3);
        await both.FinishAsync();
        both.AssertUnharmed();
    }

    private Task<FaultDevice[]> ConnectAllAsync(int proxy, int count = Devices) => Task.WhenAll(Enumerable.Range(0, count).Select(
        n => FaultDevice.ConnectAsync(outage.Ports[proxy], new DeviceOptions { ClientId = $"claimed-{n}" })));

    /// <summary>Sessions with a holder, as Redis has them.</summary>
    private async Task<int> ClaimsAsync()
    {
        string port = outage.Tier.Now.Redis[0].Port.ToString(CultureInfo.InvariantCulture);
        CommandResult keys = await CommandRunner.RunAsync("redis-cli", "-p", port, "--scan", "--pattern", "*claimed-*");

        // SCAN may tell a key twice.
        return keys.EnsureSuccess().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count();
    }
}
