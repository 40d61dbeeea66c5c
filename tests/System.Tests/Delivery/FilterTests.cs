using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Delivery;

/// <summary>What filters let through, with subscriber and publisher on different proxies and topics in both groups.</summary>
public abstract class FilterTests(SharedTier tier)
{
    [TierFact]
    public async Task Each_kind_of_filter_gets_what_it_matches_and_nothing_else()
    {
        string topic = SharedTier.NewTopic();
        string[] published = [.. Enumerable.Range(0, 8).SelectMany(n => new[] { $"{topic}-{n}/x", $"{topic}/{n}/y", $"{topic}/{n}/y/z" }), topic];
        (string Filter, Func<string, bool> Matches)[] filters =
        [
            ("#", _ => true),
            ("+/x", name => name.EndsWith("/x", StringComparison.Ordinal)),
            ($"{topic}/#", name => name == topic || name.StartsWith(topic + "/", StringComparison.Ordinal)),
            ($"{topic}/+/y", name => name.EndsWith("/y", StringComparison.Ordinal)),
            ($"{topic}/3/y", name => name == $"{topic}/3/y"),
            ($"{topic}/+/+/+", name => name.EndsWith("/z", StringComparison.Ordinal)),
            ($"$share/one/{topic}/#", name => name == topic || name.StartsWith(topic + "/", StringComparison.Ordinal)),
        ];
        List<TestDevice> subscribers = [];
        foreach ((string filter, _) in filters)
        {
            subscribers.Add(await TestDevice.ConnectAsync(tier.First.Mqtt));
            Assert.Equal(ReasonCode.GrantedQoS1, await subscribers[^1].SubscribeAsync(filter, QoS.AtLeastOnce, retainHandling: RetainHandling.DoNotSend));
        }

        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        foreach (string name in published)
        {
            Assert.Equal(ReasonCode.Success, await publisher.PublishAsync(name, "message", QoS.AtLeastOnce));
        }

        foreach (string name in published)
        {
            await publisher.PublishAsync(name, "end", QoS.AtLeastOnce);
        }

        foreach ((TestDevice subscriber, (string filter, Func<string, bool> matches)) in subscribers.Zip(filters))
        {
            string[] expected = [.. published.Where(matches).Order()];
            List<TestMessage> received = [];
            while (received.Count(message => message.Text == "end") < expected.Length)
            {
                // "#" sees what other tests of this tier leave behind, for example late wills.
                TestMessage message = await subscriber.ReceiveAsync();
                if (message.Topic.StartsWith(topic, StringComparison.Ordinal))
                {
                    received.Add(message);
                }
            }

            string[] names = [.. received.Where(message => message.Text == "message").Select(message => message.Topic).Order()];
            Assert.True(expected.SequenceEqual(names), $"{filter}: {string.Join(", ", names)}");
            await subscriber.DisposeAsync();
        }
    }

    [TierFact]
    public async Task Delivery_is_at_the_lower_QoS_of_publisher_and_subscriber_in_every_version()
    {
        foreach (ProtocolVersion version in Enum.GetValues<ProtocolVersion>())
        {
            string topic = SharedTier.NewTopic();
            TestDeviceOptions options = new() { Version = version };
            await using TestDevice publisher = await TestDevice.ConnectAsync(tier.Second.Mqtt, options with { ClientId = topic + "-p" });
            foreach (QoS granted in Enum.GetValues<QoS>())
            {
                await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.First.Mqtt, options with { ClientId = topic + "-s" });
                Assert.Equal((ReasonCode)granted, await subscriber.SubscribeAsync(topic, granted));
                foreach (QoS qos in Enum.GetValues<QoS>())
                {
                    await publisher.PublishAsync(topic, $"{qos}", qos);
                    TestMessage received = await subscriber.ReceiveAsync();
                    Assert.Equal($"{qos}", received.Text);
                    Assert.Equal((QoS)Math.Min((int)qos, (int)granted), received.QoS);
                    Assert.False(received.Retain);
                    Assert.False(received.Duplicate);
                }
            }
        }
    }

    [TierFact]
    public async Task Overlapping_filters_bring_every_identifier_and_the_highest_QoS()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await subscriber.SubscribeAsync($"{topic}/#", QoS.AtMostOnce, identifier: 7);
        await subscriber.SubscribeAsync($"{topic}/+", QoS.ExactlyOnce, identifier: 268_435_455);
        await subscriber.SubscribeAsync($"{topic}/x", QoS.AtLeastOnce, identifier: 1);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await publisher.PublishAsync($"{topic}/x", "message", QoS.ExactlyOnce);
        await publisher.PublishAsync($"{topic}/x", "end", QoS.ExactlyOnce);

        // Once, with the three identifiers: what 3.3.4 of the specification prefers, whatever the broker behind sends.
        TestMessage message = Assert.Single(await subscriber.ReceiveUntilAsync("end"));
        Assert.Equal([1u, 7u, 268_435_455u], message.SubscriptionIdentifiers.Order());
        Assert.Equal(QoS.ExactlyOnce, message.QoS);
    }

    [TierFact]
    public async Task Members_of_a_share_on_both_proxies_get_each_message_once_between_them()
    {
        string topic = SharedTier.NewTopic();
        const int Count = 100;
        List<TestDevice> members = [];
        foreach (ProxyDescription proxy in new[] { tier.First, tier.Second, tier.First })
        {
            members.Add(await TestDevice.ConnectAsync(proxy.Mqtt));
            await members[^1].SubscribeAsync($"$share/{topic}/{topic}/#", QoS.AtLeastOnce);
        }

        await using TestDevice other = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await other.SubscribeAsync($"$share/other/{topic}/#", QoS.AtLeastOnce);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await Task.WhenAll(Enumerable.Range(0, Count).Select(n => publisher.PublishAsync($"{topic}/{n % 16}", $"{n}", QoS.AtLeastOnce)));

        string[] expected = [.. Enumerable.Range(0, Count).Select(n => $"{n}").Order()];
        List<string> ofOther = [];
        for (int n = 0; n < Count; n++)
        {
            ofOther.Add((await other.ReceiveAsync()).Text);
        }

        Assert.Equal(expected, ofOther.Order());
        await Eventually.HoldsAsync(() => members.Sum(member => member.Received.Count) >= Count, () => $"{members.Sum(member => member.Received.Count)} of {Count}");
        Assert.Equal(expected, members.SelectMany(member => member.Received).Select(message => message.Text).Order());
        foreach (TestDevice member in members)
        {
            Assert.NotEmpty(member.Received);
            await member.DisposeAsync();
        }
    }

    [TierFact]
    public async Task An_unsubscribed_filter_brings_nothing_more()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await subscriber.SubscribeAsync($"{topic}/a", QoS.AtLeastOnce);
        await subscriber.SubscribeAsync($"{topic}/b", QoS.AtLeastOnce);
        await publisher.PublishAsync($"{topic}/a", "first", QoS.AtLeastOnce);
        Assert.Equal("first", (await subscriber.ReceiveAsync()).Text);
        await subscriber.UnsubscribeAsync($"{topic}/a");
        await publisher.PublishAsync($"{topic}/a", "second", QoS.AtLeastOnce);
        await publisher.PublishAsync($"{topic}/b", "end", QoS.AtLeastOnce);
        Assert.Empty(await subscriber.ReceiveUntilAsync("end"));
    }

    [TierFact]
    public async Task A_burst_of_one_publisher_stays_in_order()
    {
        string topic = SharedTier.NewTopic();
        const int Count = 500;
        foreach (QoS qos in new[] { QoS.AtLeastOnce, QoS.ExactlyOnce })
        {
            await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Nginx.Mqtt);
            await subscriber.SubscribeAsync(topic, qos);
            await using TestDevice publisher = await TestDevice.ConnectAsync(tier.Second.Mqtt);
            using SemaphoreSlim window = new(publisher.ConnAck.ReceiveMaximum);
            List<Task> publishes = [];
            for (int n = 0; n < Count; n++)
            {
                // Starting a publish writes it: the order of starts is the order on the wire.
                await window.WaitAsync();
                publishes.Add(PublishAsync(n));
            }

            await Task.WhenAll(publishes);
            for (int n = 0; n < Count; n++)
            {
                Assert.Equal($"{n}", (await subscriber.ReceiveAsync()).Text);
            }

            async Task PublishAsync(int n)
            {
                Assert.Equal(ReasonCode.Success, await publisher.PublishAsync(topic, $"{n}", qos));
                window.Release();
            }
        }
    }
}

/// <inheritdoc/>
[Collection(TrunklineTierGroup.Name)]
public sealed class TrunklineFilterTests(TrunklineTier tier) : FilterTests(tier);

/// <inheritdoc/>
[Collection(MosquittoTierGroup.Name)]
public sealed class MosquittoFilterTests(MosquittoTier tier) : FilterTests(tier);
