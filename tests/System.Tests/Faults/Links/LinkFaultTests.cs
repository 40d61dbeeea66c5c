using Trunkline.Protocol;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>Rows 2, 6, 7, 9 and 10 of the faults, as devices see them: links and brokers go, connections and messages stay.</summary>
public sealed class LinkFaultTests(RelayedTier relayed, ITestOutputHelper output) : IClassFixture<RelayedTier>
{
    private const int Seed = 20_261;

    [Fact]
    public async Task Links_reset_again_and_again_lose_nothing()
    {
        output.WriteLine($"seed {Seed}");
        Random random = new(Seed);
        await using Traffic traffic = await Traffic.StartAsync(relayed.Ports, new TrafficOptions { Name = "reset" });
        await traffic.EveryStreamFlowsAsync(3);
        for (int round = 0; round < 15; round++)
        {
            relayed.Relays[random.Next(2)].Reset();
            await traffic.FlowsAsync(random.Next(1, 150));
        }

        await FinishAsync(traffic);
    }

    [Fact]
    public async Task Half_open_links_lose_nothing()
    {
        await using Traffic traffic = await Traffic.StartAsync(relayed.Ports, new TrafficOptions { Name = "half" });
        for (int round = 0; round < 2; round++)
        {
            await traffic.EveryStreamFlowsAsync(3);
            foreach (TcpRelay relay in relayed.Relays)
            {
                relay.GoHalfOpen();
            }
        }

        await FinishAsync(traffic);
    }

    [Fact]
    public async Task Slow_links_that_are_reset_lose_nothing()
    {
        await using Traffic traffic = await Traffic.StartAsync(relayed.Ports, new TrafficOptions { Name = "slow" });
        try
        {
            foreach (TcpRelay relay in relayed.Relays)
            {
                relay.Delay = TimeSpan.FromMilliseconds(30);
            }

            for (int round = 0; round < 3; round++)
            {
                await traffic.EveryStreamFlowsAsync(3);
                relayed.Relays[round % 2].Reset();
            }
        }
        finally
        {
            foreach (TcpRelay relay in relayed.Relays)
            {
                relay.Delay = TimeSpan.Zero;
            }
        }

        await FinishAsync(traffic);
    }

    [Fact]
    public async Task A_broker_that_stops_for_three_seconds_loses_nothing()
    {
        await using Traffic traffic = await Traffic.StartAsync(relayed.Ports, new TrafficOptions { Name = "stopped" });
        await traffic.EveryStreamFlowsAsync(3);
        using (relayed.Tier.Freeze("broker-0"))
        {
            await Eventually.LastsAsync(TimeSpan.FromSeconds(3));
        }

        await FinishAsync(traffic);
    }

    [Fact]
    public async Task Five_hundred_devices_outlive_the_kill_of_a_broker()
    {
        const int count = 500;
        FaultDevice[] devices = await Task.WhenAll(Enumerable.Range(0, count).Select(async n =>
        {
            FaultDevice device = await FaultDevice.ConnectAsync(relayed.Ports[n % 2], new DeviceOptions { ClientId = $"fleet-{n}" });
            await device.SubscribeAsync($"fleet/{n}", QoS.AtLeastOnce);
            return device;
        }));
        string[] dead = [.. TopicsOf.Group(0, "fleet").TakeWhile(topic => Number(topic) < count)];
        string[] alive = [.. TopicsOf.Group(1, "fleet").TakeWhile(topic => Number(topic) < count)];
        await PublishAsync(dead.Concat(alive), "before");

        await relayed.Tier.KillAsync("broker-0");
        Task waiting = PublishAsync(dead, "meanwhile");
        await PublishAsync(alive, "meanwhile");
        Assert.False(waiting.IsCompleted);
        await relayed.Tier.StartAsync("broker-0");
        await waiting;
        await PublishAsync(dead.Concat(alive), "after");

        foreach (FaultDevice device in devices)
        {
            await Eventually.HoldsAsync(
                () => device.Received.Select(message => message.Payload).Distinct().Count() == 3,
                () => $"{device.ClientId} has {string.Join(", ", device.Received.Select(message => message.Payload))}");
            Assert.True(device.IsConnected);
        }

        foreach (FaultDevice device in devices)
        {
            await device.DisposeAsync();
        }

        // Each device publishes to the next one: every topic crosses to the other proxy.
        Task PublishAsync(IEnumerable<string> topics, string payload) => Task.WhenAll(topics.Select(async topic =>
        {
            FaultDevice publisher = devices[(Number(topic) + count - 1) % count];
            Assert.Equal(ReasonCode.Success, await publisher.PublishAsync(topic, payload));
        }));

        static int Number(string topic) => int.Parse(topic.AsSpan(topic.IndexOf('/', StringComparison.Ordinal) + 1), null);
    }

    private async Task FinishAsync(Traffic traffic)
    {
        await traffic.EveryStreamFlowsAsync(3);
        await traffic.FinishAsync();
        traffic.AssertUnharmed();
        output.WriteLine(
            $"{traffic.Ledger.Acknowledged} acknowledged, 0 lost; {traffic.Ledger.RepeatsOfQoS1} repeats at QoS 1; "
            + $"{relayed.Relays.Sum(relay => relay.Faults)} connections cut so far");
    }
}
