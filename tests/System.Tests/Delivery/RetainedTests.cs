using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Delivery;

/// <summary>Retained messages across proxies and groups.</summary>
public abstract class RetainedTests(SharedTier tier)
{
    private const int Topics = 12;

    [TierFact]
    public async Task A_late_subscriber_on_either_proxy_sees_each_retained_message_once_and_not_when_cleared()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.First.Mqtt);
        for (int n = 0; n < Topics; n++)
        {
            await publisher.PublishAsync($"{topic}/{n}", "old", QoS.AtLeastOnce, retain: true);
            await publisher.PublishAsync($"{topic}/{n}", $"value {n}", (QoS)(n % 3), retain: true);
        }

        // QoS 0 is not acknowledged: one of QoS 1 behind it on the same topic is.
        for (int n = 0; n < Topics; n++)
        {
            await publisher.PublishAsync($"{topic}/{n}", "behind", QoS.AtLeastOnce);
        }

        string[] expected = [.. Enumerable.Range(0, Topics).Select(n => $"{topic}/{n} {n % 3} 1 value {n}").Order()];
        foreach (TestEndpoint endpoint in new TestEndpoint[] { tier.First.Mqtt, tier.Second.Mqtt, tier.Nginx.Mqtt })
        {
            foreach (string filter in new[] { $"{topic}/+", $"{topic}/#" })
            {
                Assert.Equal(expected, await RetainedAsync(endpoint, filter, topic));
            }

            Assert.Equal([$"{topic}/4 1 1 value 4"], await RetainedAsync(endpoint, $"{topic}/4", topic));
        }

        for (int n = 0; n < Topics; n++)
        {
            await publisher.PublishAsync($"{topic}/{n}", string.Empty, QoS.AtLeastOnce, retain: true);
        }

        Assert.Empty(await RetainedAsync(tier.First.Mqtt, $"{topic}/#", topic));
        Assert.Empty(await RetainedAsync(tier.Second.Mqtt, $"{topic}/#", topic));
    }

    [TierFact]
    public async Task A_live_subscriber_gets_a_retained_message_with_RETAIN_0_and_the_clearing_one_too()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt, new TestDeviceOptions { Version = ProtocolVersion.Mqtt311 });
        await subscriber.SubscribeAsync(topic, QoS.ExactlyOnce);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await publisher.PublishAsync(topic, "value", QoS.ExactlyOnce, retain: true);
        await publisher.PublishAsync(topic, string.Empty, QoS.ExactlyOnce, retain: true);
        Assert.Equal($"{topic} 2 0 value", (await subscriber.ReceiveAsync()).ToString());
        Assert.Equal($"{topic} 2 0 ", (await subscriber.ReceiveAsync()).ToString());
    }

    [TierFact]
    public async Task Retain_handling_decides_whether_a_subscription_brings_retained_messages()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await publisher.PublishAsync(topic, "value", QoS.AtLeastOnce, retain: true);
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt);

        await subscriber.SubscribeAsync(topic, QoS.AtLeastOnce, retainHandling: RetainHandling.DoNotSend);
        Assert.Equal(0, await BroughtAsync());
        await subscriber.SubscribeAsync(topic, QoS.AtLeastOnce, retainHandling: RetainHandling.SendIfNew);
        Assert.Equal(0, await BroughtAsync());
        await subscriber.SubscribeAsync(topic, QoS.AtLeastOnce, retainHandling: RetainHandling.SendAtSubscribe);
        Assert.Equal(1, await BroughtAsync());
        await subscriber.UnsubscribeAsync(topic);
        await subscriber.SubscribeAsync(topic, QoS.AtLeastOnce, retainHandling: RetainHandling.SendIfNew);
        Assert.Equal(1, await BroughtAsync());
        await subscriber.SubscribeAsync($"$share/{topic}/{topic}", QoS.AtLeastOnce);
        Assert.Equal(0, await BroughtAsync(copies: 2));

        async Task<int> BroughtAsync(int copies = 1)
        {
            // The end comes on the same topic, behind whatever the subscription brought.
            await publisher.PublishAsync(topic, "end", QoS.AtLeastOnce);
            int retained = 0;
            for (int n = 0; n < copies; n++)
            {
                retained += (await subscriber.ReceiveUntilAsync("end")).Count(message => message.Retain);
            }

            return retained;
        }
    }

    [TierFact]
    public async Task An_expired_retained_message_is_gone_and_a_late_one_says_what_is_left()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await publisher.PublishAsync(new TestMessage($"{topic}/short", "x", QoS.AtLeastOnce, retain: true) { ExpirySeconds = 1 });
        await publisher.PublishAsync(new TestMessage($"{topic}/long", "x", QoS.AtLeastOnce, retain: true) { ExpirySeconds = 1000 });
        await Eventually.HoldsAsync(
            async () => (await RetainedAsync(tier.Second.Mqtt, $"{topic}/short", topic)).Count == 0, () => "the message expired");

        // Brokers count whole seconds, each by its own clock: the long one's second may pass a little later.
        uint left = 1000;
        await Eventually.HoldsAsync(
            async () =>
            {
                await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt);
                await subscriber.SubscribeAsync($"{topic}/#", QoS.AtLeastOnce);
                TestMessage message = await subscriber.ReceiveAsync();
                Assert.Equal($"{topic}/long", message.Topic);
                left = message.ExpirySeconds!.Value;
                return left < 1000;
            },
            () => "less time is left");
        Assert.InRange(left, 900u, 999u);
    }

    // What a new subscriber gets until everything there is must have come: until the end of a message sent after it.
    private static async Task<IReadOnlyList<string>> RetainedAsync(TestEndpoint endpoint, string filter, string topic)
    {
        await using TestDevice subscriber = await TestDevice.ConnectAsync(endpoint);
        await subscriber.SubscribeAsync(filter, QoS.ExactlyOnce);

        // Live messages on a topic come behind its retained one: one to each topic there is, if the filter takes it.
        int ends = 0;
        for (int n = 0; n < Topics; n++)
        {
            string name = $"{topic}/{n}";
            if (filter == name || filter.EndsWith('#') || filter.EndsWith('+'))
            {
                await subscriber.PublishAsync(name, "end", QoS.AtLeastOnce);
                ends++;
            }
        }

        if (ends == 0)
        {
            await subscriber.PublishAsync(filter, "end", QoS.AtLeastOnce);
            ends++;
        }

        List<string> received = [];
        while (ends > 0)
        {
            TestMessage message = await subscriber.ReceiveAsync();
            if (message.Text == "end")
            {
                ends--;
            }
            else
            {
                received.Add(message.ToString());
            }
        }

        return [.. received.Order()];
    }
}

/// <inheritdoc/>
[Collection(TrunklineTierGroup.Name)]
public sealed class TrunklineRetainedTests(TrunklineTier tier) : RetainedTests(tier);

/// <inheritdoc/>
[Collection(MosquittoTierGroup.Name)]
public sealed class MosquittoRetainedTests(MosquittoTier tier) : RetainedTests(tier);
