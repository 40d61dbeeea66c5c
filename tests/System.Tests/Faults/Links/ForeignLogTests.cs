using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Mosquitto with its group's log in Redis: sessions that outlive their connection lose nothing that was acknowledged,
/// whatever dies; the others get what the broker keeps.
/// </summary>
public sealed class ForeignLogTests(ForeignLogTier tier, ITestOutputHelper output) : IClassFixture<ForeignLogTier>
{
    private static readonly TrafficOptions Kept = new() { Name = "kept", SubscriberExpirySeconds = 3_600 };

    [ProgramsFact("mosquitto")]
    public async Task A_broker_killed_under_load_loses_sessions_that_outlive_their_connection_nothing()
    {
        await using Traffic kept = await Traffic.StartAsync(tier.Ports, Kept with { Name = "kept-broker" });
        await using Traffic live = await Traffic.StartAsync(tier.Ports, new TrafficOptions { Name = "live-broker" });
        for (int round = 0; round < 4; round++)
        {
            await kept.EveryStreamFlowsAsync(10);
            await tier.Tier.KillAsync($"broker-{round % 2}");
            await tier.Tier.StartAsync($"broker-{round % 2}");
        }

        await kept.EveryStreamFlowsAsync(10);
        await live.EveryStreamFlowsAsync(10);
        await kept.FinishAsync();
        kept.AssertUnharmed();
        Assert.Empty(live.Disconnected);
        Assert.Equal(0, live.Refused);
        output.WriteLine(
            $"outliving: {kept.Ledger.Acknowledged} acknowledged, none missing, {kept.Ledger.RepeatsOfQoS1} repeats at QoS 1; "
            + $"others: {live.Ledger.Acknowledged} acknowledged, {live.Missing().Count} missing, {live.Ledger.DuplicatesOfQoS2().Count} again at QoS 2");
    }

    [ProgramsFact("mosquitto")]
    public async Task A_redis_killed_under_load_loses_sessions_that_outlive_their_connection_nothing()
    {
        await using Traffic kept = await Traffic.StartAsync(tier.Ports, Kept with { Name = "kept-redis" });
        await kept.EveryStreamFlowsAsync(10);
        for (int round = 0; round < 2; round++)
        {
            await tier.Tier.KillAsync("redis-1");
            await tier.Tier.StartAsync("redis-1");
            await kept.EveryStreamFlowsAsync(10);
        }

        using (tier.Tier.Freeze("redis-1"))
        {
            await Eventually.LastsAsync(TimeSpan.FromSeconds(4));
        }

        await kept.EveryStreamFlowsAsync(10);
        await kept.FinishAsync();
        kept.AssertUnharmed();
        output.WriteLine($"{kept.Ledger.Acknowledged} acknowledged, none missing, {kept.Ledger.RepeatsOfQoS1} repeats at QoS 1");
    }

    [ProgramsFact("mosquitto")]
    public async Task A_session_that_was_away_reads_what_it_missed_from_the_log()
    {
        DeviceOptions options = new() { ClientId = "away", SessionExpirySeconds = 3_600 };
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Ports[0], new DeviceOptions { ClientId = "away-publisher" });
        await using (FaultDevice first = await FaultDevice.ConnectAsync(tier.Ports[0], options))
        {
            await first.SubscribeAsync("away/#", QoS.ExactlyOnce);
            await publisher.PublishAsync("away/a", "before");
            await first.AwaitMessagesAsync(1);

            // The answer to this is read behind the message: its acknowledgement was sent by then.
            await first.PingAsync();
        }

        string[] expected = [.. Enumerable.Range(0, 3_000).Select(n => $"{n}")];
        foreach (string[] some in expected.Chunk(100))
        {
            await Task.WhenAll(some.Select(text => publisher.PublishAsync("away/a", text)));
        }

        // The broker dies meanwhile: it had nothing to keep for anybody.
        await tier.Tier.KillAsync("broker-0");
        await tier.Tier.StartAsync("broker-0");
        await using FaultDevice back = await FaultDevice.ConnectAsync(tier.Ports[0], options with { CleanStart = false });
        IReadOnlyList<ReceivedMessage> got = await back.AwaitMessagesAsync(expected.Length);
        Assert.Equal(expected, got.Select(message => message.Payload));
        await publisher.PublishAsync("away/a", "after");
        Assert.Equal("after", (await back.AwaitMessagesAsync(expected.Length + 1))[^1].Payload);
    }

    [ProgramsFact("mosquitto")]
    public async Task A_session_moves_to_another_proxy_when_its_own_is_killed_and_loses_nothing()
    {
        DeviceOptions options = new() { ClientId = "moves", SessionExpirySeconds = 3_600 };
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Ports[1], new DeviceOptions { ClientId = "moves-publisher" });
        await using (FaultDevice first = await FaultDevice.ConnectAsync(tier.Ports[0], options))
        {
            await first.SubscribeAsync("moves/#", QoS.ExactlyOnce);
            await publisher.PublishAsync("moves/a", "before", QoS.ExactlyOnce);
            await first.AwaitMessagesAsync(1);
            await tier.Tier.KillAsync("proxy-1");
        }

        string[] expected = [.. Enumerable.Range(0, 500).Select(n => $"{n}")];
        foreach (string[] some in expected.Chunk(100))
        {
            ReasonCode[] answers = await Task.WhenAll(some.Select(text => publisher.PublishAsync("moves/a", text, QoS.ExactlyOnce)));
            Assert.All(answers, answer => Assert.Equal(ReasonCode.Success, answer));
        }

        await using (FaultDevice second = await FaultDevice.ConnectAsync(tier.Ports[1], options with { CleanStart = false }))
        {
            IReadOnlyList<ReceivedMessage> got = await second.AwaitMessagesAsync(expected.Length);
            Assert.Equal(expected, got.Select(message => message.Payload).Where(text => text != "before"));
        }

        await tier.Tier.StartAsync("proxy-1");
        await using FaultDevice back = await FaultDevice.ConnectAsync(tier.Ports[0], options with { CleanStart = false });
        await publisher.PublishAsync("moves/a", "after", QoS.ExactlyOnce);
        Assert.Equal("after", (await back.AwaitMessagesAsync(1))[^1].Payload);
    }

    [ProgramsFact("mosquitto")]
    public async Task While_redis_is_away_qos_1_waits_and_is_refused_in_time_and_qos_0_goes_on()
    {
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Ports[0], new DeviceOptions { ClientId = "full-publisher" });
        await using FaultDevice listener = await FaultDevice.ConnectAsync(tier.Ports[1], new DeviceOptions { ClientId = "full-listener" });
        await listener.SubscribeAsync("full/a", QoS.ExactlyOnce);
        await tier.Tier.KillAsync("redis-1");
        try
        {
            await Eventually.HoldsAsync(
                async () => await ManagementClient.MetricAsync(tier.Tier.Now.Proxies[0].Management, "trunkline_group_up", "group=\"group-0\"") == 0,
                () => "the loss of the log is known");
            Assert.Equal(ReasonCode.QuotaExceeded, await Eventually.InTimeAsync(publisher.PublishAsync("full/a", "one", QoS.AtLeastOnce), "PUBACK 0x97"));
            await publisher.StartPublishAsync("full/a", "zero", QoS.AtMostOnce);
            Assert.Equal("zero", (await listener.AwaitMessagesAsync(1))[0].Payload);
        }
        finally
        {
            await tier.Tier.StartAsync("redis-1");
        }

        foreach (ProxyDescription proxy in tier.Tier.Now.Proxies)
        {
            await Eventually.HoldsAsync(() => ManagementClient.IsReadyAsync(proxy.Management), () => $"the directory is back at {proxy.Name}");
        }

        await Eventually.HoldsAsync(
            async () => await publisher.PublishAsync("full/a", "again", QoS.ExactlyOnce) == ReasonCode.Success, () => "the log takes messages again");
        await Eventually.HoldsAsync(() => listener.Received.Any(message => message.Payload == "again"), () => "it came");

        // The log's connection may be back before the directory's, and the next test's devices claim at once.
        foreach (int port in tier.Ports)
        {
            await Eventually.HoldsAsync(() => IsLetInAsync(port), () => $"devices are let in at port {port}");
        }
    }

    private static async Task<bool> IsLetInAsync(int port)
    {
        try
        {
            await using FaultDevice device = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = "full-asks" });
            return true;
        }
        catch (ConnectRefusedException)
        {
            return false;
        }
    }

    [ProgramsFact("mosquitto")]
    public async Task What_somebody_publishes_straight_to_the_broker_comes_live()
    {
        await using FaultDevice kept = await FaultDevice.ConnectAsync(tier.Ports[0], new DeviceOptions { ClientId = "straight", SessionExpirySeconds = 60 });
        await kept.SubscribeAsync("straight/+", QoS.ExactlyOnce);
        string topic = TopicsOf.Group(0, "straight").First();
        await MosquittoPublisher.PublishAsync(tier.Tier.Now.Brokers[0].Mqtt, "-V", "5", "-q", "2", "-t", topic, "-m", "straight");
        Assert.Equal("straight", (await kept.AwaitMessagesAsync(1))[0].Payload);
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Ports[1], new DeviceOptions { ClientId = "straight-publisher" });
        await publisher.PublishAsync(topic, "through", QoS.ExactlyOnce);
        IReadOnlyList<ReceivedMessage> got = await kept.AwaitMessagesAsync(2);
        // Links subscribe at QoS 1 and only the tier tells more.
        Assert.Equal([("straight", QoS.AtLeastOnce), ("through", QoS.ExactlyOnce)], got.Select(message => (message.Payload, message.QoS)));
    }
}

/// <summary>Two proxies, two Mosquittos, their logs in Redis.</summary>
public sealed class ForeignLogTier : IAsyncLifetime
{
    public Tier Tier { get; private set; } = null!;

    /// <summary>The proxies' MQTT ports.</summary>
    public IReadOnlyList<int> Ports => [.. Tier.Now.Proxies.Select(proxy => proxy.Mqtt)];

    public async Task InitializeAsync() => Tier = await Tier.UpAsync(new TierOptions
    {
        Broker = "mosquitto",

        // A killed Redis has what it answered: with everysec it answers up to two seconds before it writes while the disk lags.
        RedisDurability = "aof-always",
        ProxySettings = ["Links:BackoffMaximumMs=500", "Directory:OperationDeadlineMs=500", "Directory:ReconnectMaxMs=500"],
    });

    public async Task DisposeAsync() => await Tier.DisposeAsync();
}
