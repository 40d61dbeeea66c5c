using System.Diagnostics;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Delivery;

/// <summary>Wills, published at one proxy and awaited at the other.</summary>
public abstract class WillTests(SharedTier tier)
{
    [TierFact]
    public async Task A_killed_devices_will_comes_once_with_its_properties()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await subscriber.SubscribeAsync(topic, QoS.ExactlyOnce);
        foreach ((string way, TestEndpoint endpoint) in tier.Ways)
        {
            TestMessage will = new(topic, way, QoS.ExactlyOnce) { ContentType = "text/plain", ResponseTopic = "x/y", UserProperties = [("k", "v")] };
            await using TestDevice device = await TestDevice.ConnectAsync(endpoint, new TestDeviceOptions { Will = will });
            device.Kill();
            TestMessage received = await subscriber.ReceiveAsync();
            Assert.Equal((way, QoS.ExactlyOnce, false), (received.Text, received.QoS, received.Retain));
            Assert.Equal(("text/plain", "x/y"), (received.ContentType, received.ResponseTopic));
            Assert.Equal(will.UserProperties, received.UserProperties);
        }

        await subscriber.PublishAsync(topic, "end", QoS.AtLeastOnce);
        Assert.Empty(await subscriber.ReceiveUntilAsync("end"));
    }

    [TierFact]
    public async Task DISCONNECT_drops_the_will_unless_it_asks_for_it()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await subscriber.SubscribeAsync(topic, QoS.AtLeastOnce);
        foreach (ProtocolVersion version in Enum.GetValues<ProtocolVersion>())
        {
            TestDeviceOptions options = new() { Version = version, ClientId = $"{topic}-{(int)version}", Will = new TestMessage(topic, "never", QoS.AtLeastOnce) };
            await using TestDevice device = await TestDevice.ConnectAsync(tier.First.Mqtt, options);
            await device.DisconnectAsync();
        }

        await using TestDevice asking = await TestDevice.ConnectAsync(
            tier.First.Mqtt, new TestDeviceOptions { Will = new TestMessage(topic, "asked for", QoS.AtLeastOnce, retain: true) });
        await asking.DisconnectAsync(ReasonCode.DisconnectWithWillMessage);
        Assert.Equal("asked for", (await subscriber.ReceiveAsync()).Text);

        await using TestDevice late = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await late.SubscribeAsync(topic, QoS.AtLeastOnce);
        Assert.Equal($"{topic} 1 1 asked for", (await late.ReceiveAsync()).ToString());
    }

    [TierFact]
    public async Task A_delayed_will_waits_and_a_device_that_comes_back_takes_it_away()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await subscriber.SubscribeAsync(topic, QoS.AtLeastOnce);
        TestDeviceOptions options = new() { SessionExpirySeconds = 600, WillDelaySeconds = 2, ClientId = topic, CleanStart = false };

        await using TestDevice comesBack = await TestDevice.ConnectAsync(tier.First.Mqtt, options with { Will = new TestMessage(topic, "taken away", QoS.AtLeastOnce) });
        comesBack.Kill();
        await using TestDevice back = await TestDevice.ConnectAsync(tier.First.Mqtt, options);
        Assert.True(back.ConnAck.SessionPresent);

        await using TestDevice staysAway = await TestDevice.ConnectAsync(
            tier.First.Mqtt, options with { ClientId = topic + "-2", Will = new TestMessage(topic, "delayed", QoS.AtLeastOnce) });
        long start = Stopwatch.GetTimestamp();
        staysAway.Kill();

        // The first one was due before this one: had it not been taken away, it would stand before it.
        Assert.Equal("delayed", (await subscriber.ReceiveAsync()).Text);
        Assert.True(Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(1.9), $"after {Stopwatch.GetElapsedTime(start)}");
    }

    [TierFact]
    public async Task A_delayed_will_comes_at_once_when_the_session_ends_before()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await subscriber.SubscribeAsync(topic, QoS.AtLeastOnce);
        await using TestDevice device = await TestDevice.ConnectAsync(
            tier.First.Mqtt, new TestDeviceOptions { WillDelaySeconds = 3600, Will = new TestMessage(topic, "will", QoS.AtLeastOnce) });
        device.Kill();
        Assert.Equal("will", (await subscriber.ReceiveAsync()).Text);
    }
}

/// <inheritdoc/>
[Collection(TrunklineTierGroup.Name)]
public sealed class TrunklineWillTests(TrunklineTier tier) : WillTests(tier);

/// <inheritdoc/>
[Collection(MosquittoTierGroup.Name)]
public sealed class MosquittoWillTests(MosquittoTier tier) : WillTests(tier);
