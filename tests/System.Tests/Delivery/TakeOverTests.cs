using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Delivery;

/// <summary>One client id at two proxies, and its session at whichever it comes to.</summary>
public abstract class TakeOverTests(SharedTier tier)
{
    [TierFact]
    public async Task The_newer_connection_wins_at_whichever_proxy_and_Session_Present_tells_the_truth()
    {
        TestDeviceOptions options = new() { ClientId = SharedTier.NewTopic(), CleanStart = false, SessionExpirySeconds = 600 };
        List<TestDevice> devices = [];
        (TestEndpoint Endpoint, bool IsPresent)[] steps =
            [(tier.First.Mqtt, false), (tier.Second.Mqtt, true), (tier.Second.Mqtt, true), (tier.First.Mqtt, true), (tier.First.Mqtt, true)];
        foreach ((TestEndpoint endpoint, bool isPresent) in steps)
        {
            devices.Add(await TestDevice.ConnectAsync(endpoint, options));
            Assert.Equal(isPresent, devices[^1].ConnAck.SessionPresent);
            if (devices.Count > 1)
            {
                Assert.Equal(ReasonCode.SessionTakenOver, await devices[^2].AwaitClosedAsync());
            }
        }

        Assert.False(devices[^1].IsClosed);
        foreach (TestDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    [TierFact]
    public async Task An_older_device_of_3_1_1_is_closed_and_its_will_published()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await subscriber.SubscribeAsync(topic, QoS.AtLeastOnce);
        TestDeviceOptions options = new() { ClientId = topic, Version = ProtocolVersion.Mqtt311 };
        await using TestDevice old = await TestDevice.ConnectAsync(tier.First.Mqtt, options with { Will = new TestMessage(topic, "taken over", QoS.AtLeastOnce) });
        await using TestDevice young = await TestDevice.ConnectAsync(tier.Second.Mqtt, options);
        Assert.Null(await old.AwaitClosedAsync());
        Assert.Equal("taken over", (await subscriber.ReceiveAsync()).Text);
        Assert.False(young.IsClosed);
    }

    [TierFact]
    public async Task A_race_for_one_client_id_leaves_exactly_one_connection()
    {
        TestDeviceOptions options = new() { ClientId = SharedTier.NewTopic() };
        TestEndpoint[] endpoints = [tier.First.Mqtt, tier.Second.Mqtt];
        TestDevice?[] devices = await Task.WhenAll(Enumerable.Range(0, 20).Select(n => Task.Run(() => TryAsync(endpoints[n % 2]))));
        TestDevice[] connected = [.. devices.OfType<TestDevice>()];
        await Eventually.HoldsAsync(() => connected.Count(device => !device.IsClosed) == 1, () => $"{connected.Count(device => !device.IsClosed)} are open");

        // The one that is left serves, and is the one the tier knows.
        TestDevice winner = connected.Single(device => !device.IsClosed);
        string topic = SharedTier.NewTopic();
        await winner.SubscribeAsync(topic, QoS.AtLeastOnce);
        await winner.PublishAsync(topic, "alive", QoS.AtLeastOnce);
        Assert.Equal("alive", (await winner.ReceiveAsync()).Text);
        foreach (TestDevice device in connected)
        {
            await device.DisposeAsync();
        }

        // One that lost before its CONNACK sees the end of its connection, or a refusal.
        async Task<TestDevice?> TryAsync(TestEndpoint endpoint)
        {
            try
            {
                return await TestDevice.TryConnectAsync(endpoint, options);
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    [TierFact]
    public async Task A_session_finds_its_filters_at_the_other_proxy_and_is_served_by_them()
    {
        string topic = SharedTier.NewTopic();
        TestDeviceOptions options = new() { ClientId = topic, CleanStart = false, SessionExpirySeconds = 600 };
        await using TestDevice before = await TestDevice.ConnectAsync(tier.First.Mqtt, options);
        await before.SubscribeAsync(topic, QoS.ExactlyOnce);
        await before.DisconnectAsync();
        await using TestDevice after = await TestDevice.ConnectAsync(tier.Second.Mqtt, options);
        Assert.True(after.ConnAck.SessionPresent);

        // Its filters are made live again after CONNACK; a SUBACK of its own comes behind that.
        await after.SubscribeAsync($"{topic}/behind", QoS.AtLeastOnce);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await publisher.PublishAsync(topic, "1", QoS.ExactlyOnce);
        Assert.Equal($"{topic} 2 0 1", (await after.ReceiveAsync()).ToString());
    }

    [TierFact]
    public async Task A_session_gets_at_either_proxy_what_was_sent_to_it_while_it_was_away()
    {
        string topic = SharedTier.NewTopic();
        TestDeviceOptions options = new() { ClientId = topic, CleanStart = false, SessionExpirySeconds = 600 };
        TestEndpoint[] proxies = [tier.First.Mqtt, tier.Second.Mqtt, tier.Second.Mqtt, tier.First.Mqtt];
        TestDevice device = await TestDevice.ConnectAsync(proxies[0], options);
        await device.SubscribeAsync(topic, QoS.ExactlyOnce);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        foreach (TestEndpoint proxy in proxies[1..])
        {
            await device.DisconnectAsync();
            await device.DisposeAsync();
            await publisher.PublishAsync(topic, "1", QoS.AtLeastOnce);
            await publisher.PublishAsync(topic, "2", QoS.ExactlyOnce);

            device = await TestDevice.ConnectAsync(proxy, options);
            Assert.True(device.ConnAck.SessionPresent);
            Assert.Equal($"{topic} 1 0 1", (await device.ReceiveAsync()).ToString());
            Assert.Equal($"{topic} 2 0 2", (await device.ReceiveAsync()).ToString());
        }

        await device.DisposeAsync();
    }
}

/// <inheritdoc/>
[Collection(TrunklineTierGroup.Name)]
public sealed class TrunklineTakeOverTests(TrunklineTier tier) : TakeOverTests(tier);

/// <inheritdoc/>
[Collection(MosquittoTierGroup.Name)]
public sealed class MosquittoTakeOverTests(MosquittoTier tier) : TakeOverTests(tier);
