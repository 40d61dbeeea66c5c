using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Delivery;

/// <summary>A proxy that is asked to stop (SIGTERM), seen from the other one.</summary>
public abstract class ShutdownTests(SharedTier tier)
{
    [TierFact]
    public async Task Devices_are_told_no_will_is_fired_and_their_last_publishes_arrive()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice subscriber = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await subscriber.SubscribeAsync($"{topic}/#", QoS.AtLeastOnce);
        TestEndpoint[] endpoints = [tier.Second.Mqtt, new(tier.Second.Ws, IsWebSocket: true), new(tier.Second.Mqtts, AuthorityFile: tier.Tier.Now.Ca)];
        List<TestDevice> devices = [];
        foreach (ProtocolVersion version in new[] { ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt50 })
        {
            foreach (TestEndpoint endpoint in endpoints)
            {
                TestMessage will = new($"{topic}/will", $"{devices.Count}", QoS.AtLeastOnce);
                devices.Add(await TestDevice.ConnectAsync(endpoint, new TestDeviceOptions { Version = version, Will = will }));
                await devices[^1].PublishAsync($"{topic}/last", $"{devices.Count}", QoS.AtLeastOnce);
            }
        }

        await tier.Tier.StopAsync("proxy-2");
        foreach (TestDevice device in devices)
        {
            Assert.Equal(device.Options.Version == ProtocolVersion.Mqtt50 ? ReasonCode.ServerShuttingDown : null, await device.AwaitClosedAsync());
            await device.DisposeAsync();
        }

        List<TestMessage> received = [];
        while (received.Count < devices.Count)
        {
            received.Add(await subscriber.ReceiveAsync());
        }

        Assert.Equal(
            Enumerable.Range(1, devices.Count).Select(n => $"{topic}/last {n}"),
            received.Select(message => $"{message.Topic} {message.Text}").Order(StringComparer.Ordinal));
        Assert.False(subscriber.IsClosed);
        await tier.Tier.StartAsync("proxy-2");
        await using TestDevice back = await TestDevice.ConnectAsync(tier.Second.Mqtt);
        await back.PublishAsync($"{topic}/last", "back", QoS.AtLeastOnce);
        Assert.Equal("back", (await subscriber.ReceiveAsync()).Text);
    }
}

/// <inheritdoc/>
[Collection(TrunklineTierGroup.Name)]
public sealed class TrunklineShutdownTests(TrunklineTier tier) : ShutdownTests(tier);

/// <inheritdoc/>
[Collection(MosquittoTierGroup.Name)]
public sealed class MosquittoShutdownTests(MosquittoTier tier) : ShutdownTests(tier);
