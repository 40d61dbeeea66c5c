using System.Globalization;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 12: a Redis that is full or slow. What needs it waits or is refused with a reason; nothing acknowledged is lost,
/// nobody is disconnected, and it goes on by itself.
/// </summary>
public sealed class RedisMoodTests
{
    private static readonly DeviceOptions Subscriber = new() { ClientId = "kept", CleanStart = false, SessionExpirySeconds = 3600 };

    [ProgramsFact("redis-server", "redis-cli")]
    public async Task A_full_redis_holds_qos_2_back_drops_nothing_and_goes_on_by_itself()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { ProxySettings = ShortLeases.Settings });
        (FaultDevice subscriber, FaultDevice publisher) = await ConnectAsync(tier);
        await RedisAsync(tier, "CONFIG", "SET", "maxmemory", "1");

        // QoS 1 needs no write of its own; QoS 2 is acknowledged when it is written ahead, and not before.
        Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("mood/1", "one"));
        Task<ReasonCode> held = await publisher.StartPublishAsync("mood/2", "two", QoS.ExactlyOnce);
        Assert.Equal(["one"], (await subscriber.AwaitMessagesAsync(1)).Select(message => message.Payload));
        for (int n = 0; n < 2; n++)
        {
            ConnectRefusedException refused = await Assert.ThrowsAsync<ConnectRefusedException>(
                () => FaultDevice.ConnectAsync(tier.Now.Proxies[n].Mqtt, Subscriber with { ClientId = "late" }));
            Assert.Equal(ReasonCode.ServerUnavailable, refused.Reason);
        }

        // Longer than a lease: nobody is taken for dead because he cannot be raised.
        await Eventually.LastsAsync(TimeSpan.FromSeconds(4));
        Assert.False(held.IsCompleted, "a QoS 2 message was acknowledged that nobody could write down");
        Assert.Single(subscriber.Received);
        await RedisAsync(tier, "CONFIG", "SET", "maxmemory", "0");
        Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(held, "the acknowledgement"));
        await AssertServedAsync(tier, subscriber, publisher, two: 1);
    }

    [ProgramsFact("redis-server")]
    public async Task A_slow_redis_makes_what_needs_it_slow_and_nothing_else()
    {
        TcpRelay relay = null!;
        await using Tier tier = await Tier.UpAsync(basePort =>
        {
            relay = new TcpRelay(basePort + 3, basePort + 80);
            return new TierOptions { ProxySettings = [.. ShortLeases.Settings, $"Directory:Endpoints=127.0.0.1:{basePort + 3}"] };
        });
        await using (relay)
        {
            (FaultDevice subscriber, FaultDevice publisher) = await ConnectAsync(tier);
            relay.Delay = TimeSpan.FromMilliseconds(150);
            List<TimeSpan> times = [];
            for (int n = 0; n < 20; n++)
            {
                long begun = TimeProvider.System.GetTimestamp();
                Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("mood/1", "one"));
                times.Add(TimeProvider.System.GetElapsedTime(begun));
            }

            // Faster than Redis answers, most of them: one or another may be held up by what else the machine does.
            Assert.InRange(times.Order().ElementAt(times.Count / 2), TimeSpan.Zero, relay.Delay);
            Task<ReasonCode>[] slow = await Task.WhenAll(
                Enumerable.Range(0, 20).Select(_ => publisher.StartPublishAsync("mood/2", "two", QoS.ExactlyOnce)));
            Assert.All(await Task.WhenAll(slow), code => Assert.Equal(ReasonCode.Success, code));
            Assert.Equal(40, (await subscriber.AwaitMessagesAsync(40)).Count);
            await using (FaultDevice late = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, Subscriber with { ClientId = "late" }))
            {
                await Eventually.LastsAsync(TimeSpan.FromSeconds(4));
                Assert.True(late.IsConnected);
            }

            relay.Delay = TimeSpan.Zero;
            await AssertServedAsync(tier, subscriber, publisher, two: 20);
        }
    }

    private static async Task<(FaultDevice Subscriber, FaultDevice Publisher)> ConnectAsync(Tier tier)
    {
        FaultDevice subscriber = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, Subscriber);
        Assert.Equal(ReasonCode.GrantedQoS2, await subscriber.SubscribeAsync("mood/#", QoS.ExactlyOnce));
        FaultDevice publisher = await FaultDevice.ConnectAsync(
            tier.Now.Proxies[1].Mqtt, new DeviceOptions { ClientId = "p", CleanStart = false, SessionExpirySeconds = 3600 });
        return (subscriber, publisher);
    }

    /// <summary>Everything came once, both devices are still connected, no proxy was declared dead, and new devices are let in.</summary>
    private static async Task AssertServedAsync(Tier tier, FaultDevice subscriber, FaultDevice publisher, int two)
    {
        for (int n = 0; n < 2; n++)
        {
            int port = tier.Now.Proxies[n].Mqtt;
            await Eventually.HoldsAsync(() => IsLetInAsync(port, string.Create(CultureInfo.InvariantCulture, $"after-{port}")), "a new device is let in");
            Assert.DoesNotContain("declared dead", tier.ReadLog($"proxy-{n + 1}"), StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("mood/3", "end", QoS.ExactlyOnce));
        await Eventually.HoldsAsync(() => subscriber.Received.Any(message => message.Payload == "end"), "the last message comes");
        Assert.True(subscriber.IsConnected && publisher.IsConnected);
        Assert.DoesNotContain(subscriber.Received, message => message.Duplicate);
        string[] ofQoS2 = [.. subscriber.Received.Where(message => message.QoS == QoS.ExactlyOnce).Select(message => message.Payload)];
        Assert.Equal(two, ofQoS2.Count(payload => payload == "two"));
        Assert.Single(ofQoS2, "end");
        await subscriber.DisposeAsync();
        await publisher.DisposeAsync();
    }

    /// <summary>Whether a proxy lets a device with a session to keep in: Redis takes its claim.</summary>
    internal static async Task<bool> IsLetInAsync(int port, string clientId)
    {
        try
        {
            await using FaultDevice device = await FaultDevice.ConnectAsync(port, Subscriber with { ClientId = clientId });
            return true;
        }
        catch (ConnectRefusedException refused) when (refused.Reason is ReasonCode.ServerUnavailable or ReasonCode.ServerBusy)
        {
            return false;
        }
    }

    private static async Task RedisAsync(Tier tier, params string[] command) => (await CommandRunner.RunAsync(
        "redis-cli", ["-p", tier.Now.Redis[0].Port.ToString(CultureInfo.InvariantCulture), .. command])).EnsureSuccess();
}
