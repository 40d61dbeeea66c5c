using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 6 on the log in files, with each message on the disk before it is acknowledged: brokers stand still under load.</summary>
public sealed class BrokerFreezeTests
{
    [ProgramsFact("redis-server")]
    public async Task Brokers_that_stand_still_in_turn_lose_nothing_and_acknowledge_nothing_meanwhile()
    {
        await using Tier tier = await UpAsync("Broker:Commit=always");
        string topic = TopicsOf.Group(0, "still").First();
        await using Traffic traffic = await Traffic.StartAsync(Ports(tier), new TrafficOptions { Name = "still" });
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(Ports(tier)[0], new DeviceOptions { ClientId = "one" });
        await traffic.EveryStreamFlowsAsync(3);
        using (tier.Freeze("broker-0"))
        {
            Task<ReasonCode> answer = await publisher.StartPublishAsync(topic, "meanwhile", QoS.AtLeastOnce);
            await Eventually.LastsAsync(TimeSpan.FromSeconds(3));
            Assert.False(answer.IsCompleted);
        }

        await traffic.EveryStreamFlowsAsync(3);
        using (tier.Freeze("broker-1"))
        {
            await Eventually.LastsAsync(TimeSpan.FromSeconds(3));
        }

        await traffic.EveryStreamFlowsAsync(3);
        await traffic.FinishAsync();
        traffic.AssertUnharmed();
    }

    private static Task<Tier> UpAsync(params string[] settings) => Tier.UpAsync(new TierOptions
    {
        Proxies = 2,
        Groups = 2,
        BrokerSettings = settings,
        ProxySettings =
        [
            .. ShortLeases.Settings,
            "Links:KeepAliveSeconds=1", "Links:BackoffMaximumMs=500", "Links:GroupAwayTimeoutMs=120000", "Links:SubscribeTimeoutMs=120000",
        ],
    });

    private static int[] Ports(Tier tier) => [.. tier.Now.Proxies.Select(proxy => proxy.Mqtt)];
}
