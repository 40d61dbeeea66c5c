using Trunkline.Protocol;

namespace Trunkline.Links.Tests;

/// <summary>A foreign group with a log beside it: who is fed by what, and what faults of the log cost. Mosquitto is real, the log is a seam.</summary>
public sealed class ForeignLogTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Calls_that_fail_before_or_after_they_were_done_lose_and_repeat_nothing(int seed)
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog(seed) { Faults = 0.2 };
        await using var tier = new ForeignTier([broker], log: log);
        await tier.StartAsync();
        TestDevice kept = await tier.ConnectAsync("kept", isPersistent: true);
        TestDevice live = await tier.ConnectAsync("live");
        await tier.SubscribeAsync(kept, "f/#");
        await tier.SubscribeAsync(live, "f/#");
        TestDevice publisher = await tier.ConnectAsync("publisher");
        const int count = 300;
        for (int i = 0; i < count; i += 20)
        {
            ushort[] ids = await tier.Do(() => Enumerable.Range(i, 20).Select(n => publisher.Publish("f/a", $"{n}", n % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce)).ToArray());
            await tier.Until(() => ids.All(publisher.Acknowledged.ContainsKey));
        }

        await tier.Until(() => kept.Received.Count >= count && live.Received.Count >= count);
        string[] expected = [.. Enumerable.Range(0, count).Select(n => $"{n}")];
        await tier.Do(() =>
        {
            // Between the two qualities of service there is no order.
            foreach (TestDevice device in new[] { kept, live })
            {
                Assert.Equal(expected.Where((_, n) => n % 2 == 0), device.Received.Where(got => got.QoS == QoS.AtLeastOnce).Select(got => got.Payload));
                Assert.Equal(expected.Where((_, n) => n % 2 == 1), device.Received.Where(got => got.QoS == QoS.ExactlyOnce).Select(got => got.Payload));
            }

            return true;
        });
        Assert.Equal(count, log.Count);
        Assert.True(log.Failed > 0);
    }

    [Fact]
    public async Task A_session_that_outlives_its_connection_gets_what_is_appended_after_its_suback_by_all_its_filters()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog();
        await using var tier = new ForeignTier([broker], log: log);
        await tier.StartAsync();
        TestDevice publisher = await tier.ConnectAsync("publisher");
        await tier.PublishAsync(publisher, "a/b", "before", QoS.AtLeastOnce);
        TestDevice kept = await tier.ConnectAsync("kept", isPersistent: true);
        ushort id = await tier.Do(() =>
        {
            kept.Subscribe("a/#", QoS.AtLeastOnce, 7);
            return kept.Subscribe("a/+", QoS.ExactlyOnce, 8, noLocal: true);
        });
        await tier.Until(() => kept.SubAcks.ContainsKey(id));
        await tier.PublishAsync(publisher, "a/b", "two", QoS.ExactlyOnce, retain: true);
        await tier.Do(() => publisher.Publish("a/b", "zero"));
        await tier.Do(() => kept.Publish("a/b", "own", QoS.AtLeastOnce));
        await tier.Until(() => kept.Received.Count >= 3);
        await tier.Do(() =>
        {
            Assert.Equal(["own", "two", "zero"], kept.Received.Select(got => got.Payload).Order());
            Got two = kept.Received.Find(got => got.Payload == "two")!;
            Assert.Equal((QoS.ExactlyOnce, false), (two.QoS, two.Retain));
            Assert.Equal([7u, 8u], two.Identifiers.Order());
            Assert.Equal([7u], kept.Received.Find(got => got.Payload == "own")!.Identifiers);
            Assert.Equal(QoS.AtMostOnce, kept.Received.Find(got => got.Payload == "zero")!.QoS);
            return true;
        });
    }

    [Fact]
    public async Task Damaged_entries_are_passed_over_and_counted_and_what_was_given_up_is_told()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog();
        await using var tier = new ForeignTier([broker], log: log);
        await tier.StartAsync();
        TestDevice kept = await tier.ConnectAsync("kept", isPersistent: true);
        TestDevice publisher = await tier.ConnectAsync("publisher");
        await tier.SubscribeAsync(kept, "d/#");
        await tier.PublishAsync(publisher, "d/a", "one", QoS.AtLeastOnce);
        log.Write([]);
        log.Write([1, 0x32, 0x05]);
        log.Write([2, 1, 2, 3]);
        await tier.PublishAsync(publisher, "d/a", "two", QoS.AtLeastOnce);
        await tier.Until(() => kept.Received.Count == 2);
        Assert.Equal(3, Read(tier, LinkCounter.LogDamaged));

        // The tail fails once; what was appended and given up meanwhile is counted, not waited for.
        Assert.Equal(0, Read(tier, LinkCounter.LogLost));
        log.Faults = 1;
        log.EndWaits();
        await tier.Until(() => log.Failed > 0);
        log.Write([3]);
        log.Trim();
        log.Faults = 0;
        await tier.Until(() => Read(tier, LinkCounter.LogLost) > 0);
        await tier.PublishAsync(publisher, "d/a", "three", QoS.AtLeastOnce);
        await tier.Until(() => kept.Received.Count == 3);
    }

    [Fact]
    public async Task A_message_that_outlives_itself_in_the_log_is_not_delivered()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog();
        await using var tier = new ForeignTier([broker], log: log);
        await tier.StartAsync();
        TestDevice kept = await tier.ConnectAsync("kept", isPersistent: true);
        TestDevice publisher = await tier.ConnectAsync("publisher");
        await tier.SubscribeAsync(kept, "e/#");
        log.AgeMs = 30_000;
        ushort id = await tier.Do(() =>
        {
            publisher.Publish("e/a", "short", QoS.AtLeastOnce, expiry: 20);
            publisher.Publish("e/a", "long", QoS.AtLeastOnce, expiry: 60);
            return publisher.Publish("e/a", "for ever", QoS.AtLeastOnce);
        });
        await tier.Until(() => publisher.Acknowledged.ContainsKey(id) && kept.Received.Count >= 2);
        await tier.Do(() =>
        {
            Assert.Equal(["long", "for ever"], kept.Received.Select(got => got.Payload));
            return true;
        });
    }

    [Fact]
    public async Task Without_its_log_a_group_says_so_and_takes_qos_0_only()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog();
        await using var tier = new ForeignTier([broker], log: log);
        await tier.StartAsync();
        TestDevice live = await tier.ConnectAsync("live");
        await tier.SubscribeAsync(live, "w/#");
        TestDevice publisher = await tier.ConnectAsync("publisher");
        log.IsConnected = false;
        ushort id = await tier.Do(() =>
        {
            publisher.Publish("w/a", "waits", QoS.AtLeastOnce);
            publisher.Publish("w/a", "goes");
            return (ushort)1;
        });
        await tier.Until(() => live.Received.Count == 1);
        Assert.Contains("its log is away: taken away", tier.Nodes[0].Groups[0].Sentence, StringComparison.Ordinal);
        Assert.False(await tier.Do(() => publisher.Acknowledged.ContainsKey(id)));
        log.IsConnected = true;
        await tier.Until(() => live.Received.Count == 2 && publisher.Acknowledged.ContainsKey(id));
        await tier.Do(() =>
        {
            Assert.Equal(["goes", "waits"], live.Received.Select(got => got.Payload));
            return true;
        });
    }

    private static long Read(ForeignTier tier, LinkCounter counter) =>
        tier.Nodes[0].CountersOf(0).Read(counter) + tier.Nodes[0].CountersOf(1).Read(counter);
}
