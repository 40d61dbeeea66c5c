using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Rows 2, 3, 15 and 34 of the faults: brokers are killed under QoS 1 and 2 load and come back on their files; devices stay
/// connected, what was acknowledged arrives, QoS 2 once, in order.
/// </summary>
public sealed class BrokerKillTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_broker_killed_again_and_again_loses_nothing_that_was_acknowledged()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 2, Groups = 2 });
        await using Traffic traffic = await Traffic.StartAsync(Ports(tier), new TrafficOptions { Name = "kill" });
        for (int round = 0; round < 4; round++)
        {
            await traffic.EveryStreamFlowsAsync(3);
            await tier.KillAsync("broker-0");
            await Eventually.LastsAsync(TimeSpan.FromMilliseconds(round * 700));
            await tier.StartAsync("broker-0");
        }

        await FinishAsync(traffic);
    }

    [Fact]
    public async Task All_brokers_killed_at_once_lose_nothing_that_was_acknowledged()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 2, Groups = 2, BrokerSettings = ["Broker:Commit=always"] });
        await using Traffic traffic = await Traffic.StartAsync(Ports(tier), new TrafficOptions { Name = "cut" });
        for (int round = 0; round < 3; round++)
        {
            await traffic.EveryStreamFlowsAsync(3);
            await Task.WhenAll(tier.KillAsync("broker-0"), tier.KillAsync("broker-1"));
            await Task.WhenAll(tier.StartAsync("broker-0"), tier.StartAsync("broker-1"));
        }

        await FinishAsync(traffic);
    }

    private static int[] Ports(Tier tier) => [.. tier.Now.Proxies.Select(proxy => proxy.Mqtt)];

    private async Task FinishAsync(Traffic traffic)
    {
        await traffic.EveryStreamFlowsAsync(3);
        await traffic.FinishAsync();
        traffic.AssertUnharmed();
        output.WriteLine($"{traffic.Ledger.Acknowledged} acknowledged, 0 lost; {traffic.Ledger.RepeatsOfQoS1} repeats at QoS 1");
    }
}
