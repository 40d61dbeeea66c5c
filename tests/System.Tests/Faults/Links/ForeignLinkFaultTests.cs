using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>The same with Mosquitto: no device notices more than what docs/BROKERS.md says about its messages.</summary>
public sealed class ForeignLinkFaultTests(RelayedMosquittoTier relayed, ITestOutputHelper output) : IClassFixture<RelayedMosquittoTier>
{
    private const int Seed = 20_262;

    [ProgramsFact("mosquitto")]
    public async Task Links_that_go_disconnect_no_device_and_what_comes_after_arrives()
    {
        output.WriteLine($"seed {Seed}");
        Random random = new(Seed);
        await using (Traffic traffic = await Traffic.StartAsync(relayed.Ports, new TrafficOptions { Name = "foreign" }))
        {
            await traffic.EveryStreamFlowsAsync(3);
            for (int round = 0; round < 6; round++)
            {
                relayed.Relays[random.Next(2)].Reset();
                await traffic.FlowsAsync(random.Next(1, 150));
            }

            relayed.Relays[0].GoHalfOpen();
            await traffic.EveryStreamFlowsAsync(3);
            using (relayed.Tier.Freeze("broker-1"))
            {
                await Eventually.LastsAsync(TimeSpan.FromSeconds(3));
            }

            await traffic.EveryStreamFlowsAsync(3);
            Assert.Empty(traffic.Disconnected);
            Assert.Equal(0, traffic.Refused);
            output.WriteLine(
                $"{traffic.Ledger.Acknowledged} acknowledged; lost while a receive link was away {traffic.Missing().Count}, "
                + $"again at QoS 2 {traffic.Ledger.DuplicatesOfQoS2().Count}, out of order {traffic.Ledger.OrderViolations().Count}");
        }

        foreach (int management in relayed.Tier.Now.Proxies.Select(proxy => proxy.Management))
        {
            await Eventually.HoldsAsync(() => ManagementClient.IsReadyAsync(management), () => "the links are up again");
        }

        await using Traffic quiet = await Traffic.StartAsync(relayed.Ports, new TrafficOptions { Name = "quiet" });
        await quiet.EveryStreamFlowsAsync(10);
        await quiet.FinishAsync();
        quiet.AssertUnharmed();
    }
}
