using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Delivery;

/// <summary>Subscription options and properties of messages, carried from proxy to proxy.</summary>
public abstract class OptionTests(SharedTier tier)
{
    [TierFact]
    public async Task No_Local_keeps_the_devices_own_messages_from_it_and_others_get_them()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice device = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await using TestDevice beside = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await using TestDevice other = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await device.SubscribeAsync(topic, QoS.AtLeastOnce, noLocal: true);
        await beside.SubscribeAsync(topic, QoS.AtLeastOnce, noLocal: true);
        await other.SubscribeAsync(topic, QoS.AtLeastOnce);
        foreach (QoS qos in Enum.GetValues<QoS>())
        {
            await device.PublishAsync(topic, "own", qos);

            // Behind one of QoS 0, which nobody acknowledges, so that the other publisher comes later.
            await device.PublishAsync(topic, "own", QoS.AtLeastOnce);
            await other.PublishAsync(topic, $"end {qos}", QoS.AtLeastOnce);
            Assert.Empty(await device.ReceiveUntilAsync($"end {qos}"));
            Assert.Equal(["own", "own"], (await beside.ReceiveUntilAsync($"end {qos}")).Select(message => message.Text));
            Assert.Equal(["own", "own"], (await other.ReceiveUntilAsync($"end {qos}")).Select(message => message.Text));
        }
    }

    [TierFact]
    public async Task Retain_As_Published_keeps_the_flag_for_those_who_asked()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice keeps = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await using TestDevice plain = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await keeps.SubscribeAsync(topic, QoS.AtLeastOnce, retainAsPublished: true);
        await plain.SubscribeAsync(topic, QoS.AtLeastOnce);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        foreach (QoS qos in Enum.GetValues<QoS>())
        {
            foreach (bool retain in new[] { true, false })
            {
                await publisher.PublishAsync(topic, $"{qos} {retain}", qos, retain);
                TestMessage kept = await keeps.ReceiveAsync();
                Assert.Equal((retain, $"{qos} {retain}"), (kept.Retain, kept.Text));
                Assert.False((await plain.ReceiveAsync()).Retain);
            }
        }
    }

    [TierFact]
    public async Task Request_and_response_cross_the_tier_with_every_property_in_order()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice asking = await TestDevice.ConnectAsync(tier.Nginx.Mqtt);
        await using TestDevice answering = await TestDevice.ConnectAsync(new TestEndpoint(tier.Second.Ws, IsWebSocket: true));
        await asking.SubscribeAsync($"{topic}/answers/1", QoS.ExactlyOnce);
        await answering.SubscribeAsync($"{topic}/questions", QoS.ExactlyOnce, identifier: 9);
        foreach (QoS qos in Enum.GetValues<QoS>())
        {
            TestMessage question = new($"{topic}/questions", "Wie spät?", qos)
            {
                ResponseTopic = $"{topic}/answers/1",
                CorrelationData = [0, 1, 255, 0],
                ContentType = "text/plain; charset=utf-8",
                PayloadFormat = 1,
                ExpirySeconds = 500,
                UserProperties = [("a", "1"), ("b", string.Empty), ("a", "2"), ("ключ", "значение")],
            };
            await asking.PublishAsync(question);

            TestMessage asked = await answering.ReceiveAsync();
            Assert.Equal(question.Text, asked.Text);
            Assert.Equal(qos, asked.QoS);
            Assert.Equal(question.ResponseTopic, asked.ResponseTopic);
            Assert.Equal(question.CorrelationData, asked.CorrelationData);
            Assert.Equal(question.ContentType, asked.ContentType);
            Assert.Equal(question.PayloadFormat, asked.PayloadFormat);
            Assert.InRange(asked.ExpirySeconds!.Value, 400u, 500u);
            Assert.Equal(question.UserProperties, asked.UserProperties);
            Assert.Equal([9u], asked.SubscriptionIdentifiers);

            await answering.PublishAsync(new TestMessage(asked.ResponseTopic!, "zwölf", qos) { CorrelationData = asked.CorrelationData });
            TestMessage answer = await asking.ReceiveAsync();
            Assert.Equal(("zwölf", null, null), (answer.Text, answer.ResponseTopic, answer.ExpirySeconds));
            Assert.Equal(question.CorrelationData, answer.CorrelationData);
            Assert.Empty(answer.UserProperties);
        }
    }

    [TierFact]
    public async Task Devices_of_different_versions_understand_each_other()
    {
        string topic = SharedTier.NewTopic();
        foreach (ProtocolVersion from in Enum.GetValues<ProtocolVersion>())
        {
            foreach (ProtocolVersion to in Enum.GetValues<ProtocolVersion>())
            {
                await using TestDevice publisher = await TestDevice.ConnectAsync(tier.First.Mqtt, new TestDeviceOptions { Version = from });
                await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt, new TestDeviceOptions { Version = to });
                await subscriber.SubscribeAsync(topic, QoS.ExactlyOnce);
                foreach (QoS qos in Enum.GetValues<QoS>())
                {
                    await publisher.PublishAsync(new TestMessage(topic, $"{from} to {to}", qos) { ContentType = "text/plain", UserProperties = [("k", "v")] });
                    TestMessage received = await subscriber.ReceiveAsync();
                    Assert.Equal(($"{from} to {to}", qos), (received.Text, received.QoS));
                    Assert.Equal(from == ProtocolVersion.Mqtt50 && to == ProtocolVersion.Mqtt50, received.ContentType is not null);
                }
            }
        }
    }

    [TierFact]
    public async Task A_device_that_takes_aliases_and_few_messages_at_a_time_gets_everything()
    {
        string topic = SharedTier.NewTopic();
        TestDeviceOptions options = new() { TopicAliasMaximum = 4, ReceiveMaximum = 2 };
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.First.Mqtt, options);
        await subscriber.SubscribeAsync($"{topic}/#", QoS.AtLeastOnce);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        const int Count = 60;
        await Task.WhenAll(Enumerable.Range(0, Count).Select(n => publisher.PublishAsync($"{topic}/{n % 7}", $"{n}", QoS.AtLeastOnce)));
        List<string> received = [];
        for (int n = 0; n < Count; n++)
        {
            TestMessage message = await subscriber.ReceiveAsync();
            received.Add($"{message.Topic} {message.Text}");
        }

        Assert.Equal(Enumerable.Range(0, Count).Select(n => $"{topic}/{n % 7} {n}").Order(), received.Order());
    }
}

/// <inheritdoc/>
[Collection(TrunklineTierGroup.Name)]
public sealed class TrunklineOptionTests(TrunklineTier tier) : OptionTests(tier);

/// <inheritdoc/>
[Collection(MosquittoTierGroup.Name)]
public sealed class MosquittoOptionTests(MosquittoTier tier) : OptionTests(tier);
