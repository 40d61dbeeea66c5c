using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links.Tests;

/// <summary>Retained messages of a foreign broker, more than sessions take at once.</summary>
public sealed class ReplayTests
{
    private const int Count = 400;

    [Fact]
    public async Task A_slow_device_gets_all_of_them_page_by_page_and_the_replay_waits_for_it()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using ForeignTier tier = await StartAsync(broker, stallMs: 60_000);
        TestDevice slow = await tier.ConnectAsync("slow");
        await tier.Do(() => slow.Answers = false);
        await tier.SubscribeAsync(slow, "r/#", QoS.AtLeastOnce);
        await tier.Until(() => Read(tier, LinkCounter.ReplaysPaused) > 0);
        Assert.True(await tier.Do(() => slow.Received.Count) <= 4);

        // It answers now and then, and has them all in the end.
        await tier.Until(() =>
        {
            slow.AnswerAll(4);
            return slow.Received.Count >= Count;
        });
        await tier.Do(() =>
        {
            Assert.Equal(Count, slow.Received.Select(got => got.Topic).Distinct().Count());
            Assert.All(slow.Received, got => Assert.True(got.Retain));
            slow.Answers = true;
            return true;
        });
        Assert.Equal(0, Read(tier, LinkCounter.ReplaysGivenUp));

        // It is live, and others get theirs.
        TestDevice other = await tier.ConnectAsync("other");
        await tier.SubscribeAsync(other, "r/#", QoS.AtLeastOnce);
        await tier.Until(() => other.Received.Count >= Count);
    }

    [Fact]
    public async Task A_device_that_takes_nothing_while_others_wait_is_let_go_of()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using ForeignTier tier = await StartAsync(broker, stallMs: 2_000);
        TestDevice stuck = await tier.ConnectAsync("stuck");
        await tier.Do(() => stuck.Answers = false);
        await tier.SubscribeAsync(stuck, "r/#", QoS.AtLeastOnce);
        TestDevice other = await tier.ConnectAsync("other");
        await tier.SubscribeAsync(other, "r/+", QoS.AtLeastOnce);
        await tier.Until(() => stuck.IsClosed && other.Received.Count >= Count);
        Assert.Contains(stuck.Trace, line => line.StartsWith("disconnect: QuotaExceeded", StringComparison.Ordinal));
        Assert.Equal(1, Read(tier, LinkCounter.ReplaysGivenUp));
        Assert.Equal(Count, await tier.Do(() => other.Received.Count));
    }

    [Fact]
    public async Task A_device_that_leaves_in_the_middle_holds_nobody_up()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using ForeignTier tier = await StartAsync(broker, stallMs: 60_000);
        TestDevice leaving = await tier.ConnectAsync("leaving");
        await tier.Do(() => leaving.Answers = false);
        await tier.SubscribeAsync(leaving, "r/#", QoS.AtLeastOnce);
        await tier.Until(() => Read(tier, LinkCounter.ReplaysPaused) > 0);
        await tier.Do(() =>
        {
            leaving.Transport.Close(Transports.TransportClose.Abort);
            return true;
        });
        TestDevice other = await tier.ConnectAsync("other");
        await tier.SubscribeAsync(other, "r/+", QoS.AtLeastOnce);
        await tier.Until(() => other.Received.Count >= Count);
    }

    /// <summary>400 retained messages of a KiB; 64 KiB of them may be held, and a device may have 4 in flight.</summary>
    private static async Task<ForeignTier> StartAsync(Mosquitto broker, int stallMs)
    {
        var tier = new ForeignTier(
            [broker],
            mqtt: new MqttOptions { MaximumInFlight = 4 },
            options: new LinkOptions { ReplayHeldBytes = 64 * 1024, RetainedPageBytes = 8 * 1024, ReplayStallMs = stallMs });
        await tier.StartAsync();
        TestDevice publisher = await tier.ConnectAsync("publisher");
        string text = new('x', 1_024);
        for (int i = 0; i < Count; i += 20)
        {
            ushort[] ids = await tier.Do(() => Enumerable.Range(i, 20).Select(n => publisher.Publish($"r/{n}", text, QoS.AtLeastOnce, retain: true)).ToArray());
            await tier.Until(() => ids.All(publisher.Acknowledged.ContainsKey));
        }

        return tier;
    }

    private static long Read(ForeignTier tier, LinkCounter counter) =>
        tier.Nodes[0].CountersOf(0).Read(counter) + tier.Nodes[0].CountersOf(1).Read(counter);
}
