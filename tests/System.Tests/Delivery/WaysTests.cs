using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Delivery;

/// <summary>Every way into the tier reaches every other one.</summary>
public abstract class WaysTests(SharedTier tier)
{
    [TierFact]
    public async Task Messages_of_every_QoS_go_from_every_way_in_to_every_other_once_and_in_order()
    {
        string topic = SharedTier.NewTopic();
        Dictionary<string, TestDevice> devices = [];
        foreach ((string way, TestEndpoint endpoint) in tier.Ways)
        {
            devices[way] = await TestDevice.ConnectAsync(endpoint);
            await devices[way].SubscribeAsync(topic + "/+", QoS.ExactlyOnce);
        }

        foreach ((string way, TestDevice device) in devices)
        {
            foreach (QoS qos in Enum.GetValues<QoS>())
            {
                Assert.False(ReasonCodes.IsError(await device.PublishAsync($"{topic}/{way}", $"{(int)qos}", qos)));
            }

            await device.PublishAsync($"{topic}/{way}", "end", QoS.AtLeastOnce);
        }

        string[] expected = [.. devices.Keys.SelectMany(way => new[] { "0", "1", "2", "end" }.Select(text => $"{topic}/{way} {text}")).Order()];
        foreach ((string way, TestDevice device) in devices)
        {
            List<TestMessage> received = [];
            while (received.Count(message => message.Text == "end") < devices.Count)
            {
                received.Add(await device.ReceiveAsync());
            }

            Assert.Equal(expected, received.Select(message => $"{message.Topic} {message.Text}").Order());
            foreach (IGrouping<string, TestMessage> ofOne in received.GroupBy(message => message.Topic))
            {
                // One publisher, one topic: QoS 1 and 2 in order; QoS 0 may pass them.
                Assert.Equal(["1", "2", "end"], ofOne.Where(message => message.Text != "0").Select(message => message.Text));
            }

            Assert.False(device.IsClosed, way);
            await device.DisposeAsync();
        }
    }

    [TierFact]
    public async Task A_payload_of_900_kilobytes_passes_every_way_at_every_QoS()
    {
        string topic = SharedTier.NewTopic();
        byte[] payload = new byte[900 * 1024];
        new Random(1).NextBytes(payload);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.First.Mqtt);
        foreach ((string way, TestEndpoint endpoint) in tier.Ways)
        {
            await using TestDevice device = await TestDevice.ConnectAsync(endpoint);
            await device.SubscribeAsync(topic + "/down", QoS.ExactlyOnce);
            await publisher.PublishAsync(new TestMessage(topic + "/down", payload, QoS.ExactlyOnce));
            TestMessage received = await device.ReceiveAsync();
            Assert.True(payload.AsSpan().SequenceEqual(received.Payload), way);
        }

        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await subscriber.SubscribeAsync(topic + "/up", QoS.ExactlyOnce);
        foreach ((string way, TestEndpoint endpoint) in tier.Ways)
        {
            await using TestDevice device = await TestDevice.ConnectAsync(endpoint);
            foreach (QoS qos in Enum.GetValues<QoS>())
            {
                await device.PublishAsync(new TestMessage(topic + "/up", payload, qos));
                TestMessage received = await subscriber.ReceiveAsync();
                Assert.Equal(qos, received.QoS);
                Assert.True(payload.AsSpan().SequenceEqual(received.Payload), way);
            }
        }
    }
}

/// <inheritdoc/>
[Collection(TrunklineTierGroup.Name)]
public sealed class TrunklineWaysTests(TrunklineTier tier) : WaysTests(tier);

/// <inheritdoc/>
[Collection(MosquittoTierGroup.Name)]
public sealed class MosquittoWaysTests(MosquittoTier tier) : WaysTests(tier);
