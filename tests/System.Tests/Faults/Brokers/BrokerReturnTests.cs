using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 34 on the log in files: a broker that comes back with old data after much was published without it.
/// </summary>
public sealed class BrokerReturnTests
{
    private const int Elsewhere = 10_000;
    private const int Held = 60;

    private static readonly DeviceOptions Kept = new() { ClientId = "kept", CleanStart = false, SessionExpirySeconds = 3600 };

    [ProgramsTheory("redis-server")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_broker_that_comes_back_after_much_was_published_has_its_own_past_and_what_was_held_for_it(bool isKilled)
    {
        await using Tier tier = await UpAsync();
        string[] own = [.. TopicsOf.Group(0, "return").Take(4)];
        string[] others = [.. TopicsOf.Group(1, "return").Take(4)];
        FaultDevice session = await FaultDevice.ConnectAsync(Ports(tier)[1], Kept);
        Assert.Equal(ReasonCode.GrantedQoS1, await session.SubscribeAsync("return/#", QoS.AtLeastOnce));
        await session.DisposeAsync();
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(Ports(tier)[0], new DeviceOptions { ClientId = "publisher" });
        await PublishAsync(publisher, own, "before", 100);
        await PublishAsync(publisher, [own[0]], "old", 1, retain: true);

        await tier.StopAsync("broker-0", isKilled);
        await using FaultDevice holder = await FaultDevice.ConnectAsync(Ports(tier)[0], new DeviceOptions { ClientId = "holder" });
        Task held = PublishAsync(holder, own, "held", Held);
        Task<ReasonCode> retained = await holder.StartPublishAsync(own[0], "new 0", QoS.AtLeastOnce, retain: true);
        await PublishAsync(publisher, others, "elsewhere", Elsewhere);
        Assert.False(retained.IsCompleted);

        await tier.StartAsync("broker-0");
        Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(retained, "the acknowledgement of the retained message", TimeSpan.FromMinutes(1)));

        // Acknowledged, so nobody is served the old one any more.
        await using FaultDevice reader = await FaultDevice.ConnectAsync(Ports(tier)[1], new DeviceOptions { ClientId = "reader" });
        await reader.SubscribeAsync(own[0], QoS.AtLeastOnce);
        Assert.Equal("new 0", (await reader.AwaitMessagesAsync(1))[0].Payload);
        await Eventually.InTimeAsync(held, "the acknowledgements of what was held", TimeSpan.FromMinutes(1));

        await using FaultDevice again = await FaultDevice.ConnectAsync(Ports(tier)[1], Kept);
        Assert.True(again.IsSessionPresent);
        int all = 100 + 1 + Held + 1 + Elsewhere;
        await again.AwaitMessagesAsync(all, TimeSpan.FromMinutes(2));
        AssertInOrder(again, "before", 100);
        AssertInOrder(again, "held", Held);
        AssertInOrder(again, "elsewhere", Elsewhere);
        Assert.Single(again.Received, message => message.Payload == "new 0");
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
            "Mqtt:BacklogMessages=50000",
        ],
    });

    private static int[] Ports(Tier tier) => [.. tier.Now.Proxies.Select(proxy => proxy.Mqtt)];

    private static async Task PublishAsync(FaultDevice publisher, string[] topics, string name, int count, bool retain = false)
    {
        Queue<Task<ReasonCode>> open = new();
        for (int n = 0; n < count; n++)
        {
            open.Enqueue(await publisher.StartPublishAsync(topics[n % topics.Length], $"{name} {n}", QoS.AtLeastOnce, retain));
            if (open.Count >= 100)
            {
                Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(open.Dequeue(), "an acknowledgement", TimeSpan.FromMinutes(2)));
            }
        }

        foreach (ReasonCode answer in await Task.WhenAll(open))
        {
            Assert.Equal(ReasonCode.Success, answer);
        }
    }

    /// <summary>Repeats at QoS 1 are allowed; what came first came in the order of each topic, and all of it came.</summary>
    private static void AssertInOrder(FaultDevice device, string name, int count)
    {
        var seen = new HashSet<int>();
        var highest = new Dictionary<string, int>();
        foreach (ReceivedMessage message in device.Received.Where(message => message.Payload.StartsWith(name + " ", StringComparison.Ordinal)))
        {
            int number = int.Parse(message.Payload[(name.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
            if (seen.Add(number))
            {
                Assert.True(number > highest.GetValueOrDefault(message.Topic, -1), $"{message.Payload} first after {highest.GetValueOrDefault(message.Topic)}");
                highest[message.Topic] = number;
            }
        }

        Assert.Equal(count, seen.Count);
    }
}
