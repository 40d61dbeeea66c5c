using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Rows 16 and 17: a device that stops reading, or is away, costs the proxy no memory for what it misses and holds up
/// nobody; afterwards it gets everything from the log.
/// </summary>
public sealed class SlowDeviceTests(ITestOutputHelper output)
{
    private const int Messages = 12_000;
    private const int PayloadBytes = 8_000;

    [TierFact]
    public async Task A_device_that_stops_reading_under_load_catches_up_and_memory_stays_flat()
    {
        await using Tier tier = await UpAsync("Mqtt:BacklogMessages=100000", "Mqtt:BacklogBytes=1073741824");
        await using FaultDevice slow = await ConnectAsync(tier, "slow", bufferBytes: 65_536);
        await using FaultDevice fast = await ConnectAsync(tier, "fast");
        await using FaultDevice publisher = await ConnectAsync(tier, "publisher");
        await slow.SubscribeAsync("load/#", QoS.ExactlyOnce);
        await fast.SubscribeAsync("load/#", QoS.AtLeastOnce);
        await PublishAsync(publisher, 0, 1_000);
        await slow.AwaitMessagesAsync(1_000);
        long before = ManagementClient.ResidentBytes(tier.Pid("proxy-1"));
        using (slow.HoldReading())
        {
            // Some 90 MB pass it by. Each is acknowledged while the slow device takes nothing, and the fast one has it.
            await PublishAsync(publisher, 1_000, Messages);
            await fast.AwaitMessagesAsync(Messages, TimeSpan.FromSeconds(60));
        }

        long grown = ManagementClient.ResidentBytes(tier.Pid("proxy-1")) - before;
        IReadOnlyList<ReceivedMessage> all = await slow.AwaitMessagesAsync(Messages, TimeSpan.FromSeconds(60));
        long afterwards = ManagementClient.ResidentBytes(tier.Pid("proxy-1")) - before;
        double fromLog = await MetricAsync(tier, "trunkline_backlog_delivered_total");
        output.WriteLine($"{fromLog} from the log; RSS grew by {grown >> 20} MiB while it did not read, {afterwards >> 20} MiB when it had caught up");
        AssertWhole(all, once: true);
        Assert.True(fromLog > 9_000);
        Assert.True(await MetricAsync(tier, "trunkline_backlog_left_live_total") >= 1);
        Assert.Equal(0, await MetricAsync(tier, "trunkline_messages_dropped_total", "backlog"));
        Assert.True(grown < 64 << 20, $"RSS has grown by {grown >> 20} MiB");
        Assert.True(afterwards < 64 << 20, $"RSS has grown by {afterwards >> 20} MiB");
        Assert.True(fast.IsConnected && publisher.IsConnected && slow.IsConnected);
    }

    [TierFact]
    public async Task A_device_that_was_away_gets_everything_once_and_a_tiny_limit_drops_what_it_says()
    {
        await using Tier tier = await UpAsync("Mqtt:BacklogMessages=1000");
        await using (FaultDevice device = await ConnectAsync(tier, "away", persistent: true))
        {
            await device.SubscribeAsync("load/#", QoS.AtLeastOnce);
        }

        await using FaultDevice publisher = await ConnectAsync(tier, "publisher");
        await PublishAsync(publisher, 0, 1_500);
        await using (FaultDevice device = await ConnectAsync(tier, "away", persistent: true))
        {
            AssertWhole(await device.AwaitMessagesAsync(1_500), once: false, count: 1_500);
        }

        await PublishAsync(publisher, 1_500, 5_000);
        await using (FaultDevice device = await ConnectAsync(tier, "away", persistent: true))
        {
            // Both groups hold a share of the topics, and each counts for itself: the newest of each stay.
            await device.AwaitMessagesAsync(1);
            await publisher.PublishAsync("load/0", "last 0");
            await Eventually.HoldsAsync(() => device.Received.Any(message => message.Payload.StartsWith("last", StringComparison.Ordinal)), () => "the last message");

            // The other group may still be read: what it drops is counted then.
            double dropped = 0;
            int got = 0;
            await Eventually.HoldsAsync(
                async () =>
                {
                    dropped = await MetricAsync(tier, "trunkline_messages_dropped_total", "\"backlog\"");
                    got = device.Received.Select(message => message.Payload[..6]).Distinct().Count(payload => !payload.StartsWith("last", StringComparison.Ordinal));
                    return got + dropped >= 3_500;
                },
                () => $"{got} came, {dropped} dropped");
            output.WriteLine($"{got} of 3,500 came, {dropped} were dropped and counted");
            Assert.True(dropped > 0);
        }
    }

    private static Task<Tier> UpAsync(params string[] settings) =>
        Tier.UpAsync(new TierOptions { Proxies = 1, Redis = "none", ProxySettings = settings });

    private static Task<FaultDevice> ConnectAsync(Tier tier, string clientId, bool persistent = false, int bufferBytes = 0) =>
        FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, new DeviceOptions
        {
            ClientId = clientId,
            CleanStart = !persistent,
            SessionExpirySeconds = persistent ? 3600u : 0,
            ReceiveBufferBytes = bufferBytes,
        });

    private static Task<double> MetricAsync(Tier tier, string name, string labels = "") =>
        ManagementClient.MetricAsync(tier.Now.Proxies[0].Management, name, labels);

    /// <summary>Publishes at QoS 2 over eight topics, so many at a time as the proxy's window takes.</summary>
    private static async Task PublishAsync(FaultDevice publisher, int from, int to)
    {
        string filling = new('x', PayloadBytes);
        Queue<Task<ReasonCode>> open = new();
        for (int n = from; n < to; n++)
        {
            open.Enqueue(await publisher.StartPublishAsync($"load/{n % 8}", $"{n:D6} {filling}", QoS.ExactlyOnce));
            if (open.Count >= 64)
            {
                Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(open.Dequeue(), $"the acknowledgement of {n}"));
            }
        }

        Assert.All(await Task.WhenAll(open), code => Assert.Equal(ReasonCode.Success, code));
    }

    /// <summary>Everything came, in order on each topic; once where that is promised.</summary>
    private static void AssertWhole(IReadOnlyList<ReceivedMessage> messages, bool once, int count = Messages)
    {
        List<(string Topic, string Number)> got = [.. messages.Select(message => (message.Topic, message.Payload[..6]))];
        Assert.Equal(Enumerable.Range(0, count).Select(n => $"{n:D6}"), got.Select(message => message.Number).Distinct().Order());
        if (once)
        {
            Assert.Equal(count, got.Count);
        }

        foreach (var topic in got.Distinct().GroupBy(message => message.Topic))
        {
            Assert.Equal(topic.Select(message => message.Number).Order(), topic.Select(message => message.Number));
        }
    }
}
