using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

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
    public async Task Answers_of_the_log_that_come_in_another_order_hold_nothing_up()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog(7) { AnswersBackwards = true, Faults = 0.1 };
        await using var tier = new ForeignTier([broker], log: log, options: new LinkOptions { LogAppendMessages = 1 });
        await tier.StartAsync();
        TestDevice kept = await tier.ConnectAsync("kept", isPersistent: true);
        await tier.SubscribeAsync(kept, "o/#");
        TestDevice publisher = await tier.ConnectAsync("publisher");
        ushort[] ids = await tier.Do(() => Enumerable.Range(0, 40).Select(n => publisher.Publish("o/a", $"{n:D2}", QoS.AtLeastOnce)).ToArray());
        await tier.Until(() =>
        {
            log.AnswerBackwards();
            return ids.All(publisher.Acknowledged.ContainsKey) && kept.Received.Count >= ids.Length;
        });
        Assert.Equal(Enumerable.Range(0, 40).Select(n => $"{n:D2}"), await tier.Do(() => kept.Received.ConvertAll(got => got.Payload)));
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

    [Theory]
    [InlineData(BacklogPolicy.DropOldest, 20, 0)]
    [InlineData(BacklogPolicy.DropOldest, 21, 1)]
    [InlineData(BacklogPolicy.DropOldest, 150, 130)]
    [InlineData(BacklogPolicy.DropNewest, 150, 130)]
    public async Task A_backlog_above_its_limit_loses_what_the_policy_says_and_it_is_counted(BacklogPolicy policy, int missed, int dropped)
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using var tier = new ForeignTier([broker], log: new MemoryForeignLog(), mqtt: new MqttOptions { BacklogMessages = 20, BacklogPolicy = policy });
        await LeaveAsync(tier, missed);
        TestDevice back = await tier.ConnectAsync("kept", isPersistent: true);
        string[] all = [.. Enumerable.Range(0, missed).Select(n => $"{n:D3}")];
        string[] expected = policy == BacklogPolicy.DropOldest ? all[dropped..] : all[..(missed - dropped)];
        await tier.Until(() => back.Received.Count >= expected.Length);
        await AssertLiveAsync(tier, back);
        Assert.Equal(expected, back.Received.SkipLast(1).Select(got => got.Payload));
        Assert.Equal(dropped, Dropped(tier));
    }

    [Fact]
    public async Task A_backlog_is_counted_to_the_end_of_the_log_where_its_tail_lags_behind()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog();
        await using var tier = new ForeignTier([broker], log: log, mqtt: new MqttOptions { BacklogMessages = 20 });
        await LeaveAsync(tier, 50);
        log.HoldsTail = true;
        TestDevice more = await tier.ConnectAsync("more");
        for (int n = 50; n < 150; n++)
        {
            await tier.PublishAsync(more, "b/a", $"{n:D3}", QoS.AtLeastOnce);
        }

        TestDevice back = await tier.ConnectAsync("kept", isPersistent: true);
        await tier.Until(() => Dropped(tier) > 0);
        log.ReleaseTail();
        await AssertLiveAsync(tier, back);
        Assert.Equal(Enumerable.Range(130, 20).Select(n => $"{n:D3}"), back.Received.SkipLast(1).Select(got => got.Payload));
        Assert.Equal(130, Dropped(tier));
    }

    [Fact]
    public async Task A_backlog_above_its_limit_of_bytes_loses_the_oldest()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using var tier = new ForeignTier([broker], log: new MemoryForeignLog(), mqtt: new MqttOptions { BacklogBytes = 1_024 });
        await LeaveAsync(tier, 200);
        TestDevice back = await tier.ConnectAsync("kept", isPersistent: true);

        // Each message counts its topic and its payload: 3 + 3 bytes.
        const int kept = 1_024 / 6;
        await tier.Until(() => back.Received.Count >= kept);
        await AssertLiveAsync(tier, back);
        Assert.Equal(Enumerable.Range(200 - kept, kept).Select(n => $"{n:D3}"), back.Received.SkipLast(1).Select(got => got.Payload));
        Assert.Equal(200 - kept, Dropped(tier));
    }

    [Fact]
    public async Task A_backlog_above_its_limit_closes_the_connection_where_the_policy_is_to_disconnect()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using var tier = new ForeignTier(
            [broker], log: new MemoryForeignLog(), mqtt: new MqttOptions { BacklogMessages = 20, BacklogPolicy = BacklogPolicy.Disconnect });
        await LeaveAsync(tier, 150);
        TestDevice back = await tier.ConnectAsync("kept", isPersistent: true);
        await tier.Until(() => back.IsClosed);
        Assert.Contains(back.Trace, line => line.StartsWith("disconnect: QuotaExceeded", StringComparison.Ordinal));
        Assert.Equal(150, Dropped(tier));
        back = await tier.ConnectAsync("kept", isPersistent: true);
        await AssertLiveAsync(tier, back);
        Assert.Single(back.Received);
    }

    [Fact]
    public async Task What_waited_too_long_is_passed_over_and_counted()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog();
        await using var tier = new ForeignTier([broker], log: log, mqtt: new MqttOptions { BacklogAgeSeconds = 20 });
        await LeaveAsync(tier, 12);
        log.AgeMs = 20_001;
        TestDevice back = await tier.ConnectAsync("kept", isPersistent: true);
        await AssertLiveAsync(tier, back);
        Assert.Single(back.Received);
        Assert.Equal(12, tier.Contexts.Sum(context => context.Counters.Read(SessionCounter.DroppedBacklogAge)));
        Assert.Equal(0, Dropped(tier));
    }

    [Fact]
    public async Task A_backlog_far_below_its_limits_is_not_counted_and_a_log_that_fails_meanwhile_only_delays()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog(5);
        await using var tier = new ForeignTier([broker], log: log);
        await LeaveAsync(tier, 300);
        log.Faults = 0.3;
        TestDevice back = await tier.ConnectAsync("kept", isPersistent: true);
        await tier.Until(() => back.Received.Count >= 300);
        log.Faults = 0;
        await AssertLiveAsync(tier, back);
        Assert.Equal(301, back.Received.Count);
        Assert.Equal(0, Read(tier, LinkCounter.BacklogCounts));
    }

    [Fact]
    public async Task A_session_behind_what_the_log_has_given_up_gets_the_rest_and_it_is_counted()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog();
        await using var tier = new ForeignTier([broker], log: log);
        await LeaveAsync(tier, 30);
        log.Trim();
        TestDevice publisher = await tier.ConnectAsync("later");
        await tier.PublishAsync(publisher, "b/a", "kept", QoS.AtLeastOnce);
        TestDevice back = await tier.ConnectAsync("kept", isPersistent: true);
        await AssertLiveAsync(tier, back);
        Assert.Equal(["kept", "live"], back.Received.Select(got => got.Payload));
        Assert.Equal(1, Read(tier, LinkCounter.BacklogLost));
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

    /// <summary>A session that outlives its connection subscribes and goes; then so many messages are published.</summary>
    private static async Task LeaveAsync(ForeignTier tier, int missed)
    {
        await tier.StartAsync();
        TestDevice kept = await tier.ConnectAsync("kept", isPersistent: true);
        await tier.SubscribeAsync(kept, "b/#");
        await tier.Do(() =>
        {
            kept.Transport.Close(TransportClose.Abort);
            return true;
        });
        TestDevice publisher = await tier.ConnectAsync("publisher");
        for (int i = 0; i < missed; i += 50)
        {
            ushort[] ids = await tier.Do(() => Enumerable.Range(i, int.Min(50, missed - i)).Select(n => publisher.Publish("b/a", $"{n:D3}", QoS.AtLeastOnce)).ToArray());
            await tier.Until(() => ids.All(publisher.Acknowledged.ContainsKey));
        }
    }

    private static async Task AssertLiveAsync(ForeignTier tier, TestDevice device)
    {
        TestDevice publisher = await tier.ConnectAsync("live-publisher");
        await tier.PublishAsync(publisher, "b/a", "live", QoS.AtLeastOnce);
        await tier.Until(() => device.Received.Count > 0 && device.Received[^1].Payload == "live");
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311, new[] { "third" })]
    [InlineData(ProtocolVersion.Mqtt50, new[] { "second", "third" })]
    public async Task What_is_behind_a_refused_message_waits_no_longer_where_its_device_sends_both_again(ProtocolVersion version, string[] expected)
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog();
        await using var tier = new ForeignTier([broker], log: log, options: new LinkOptions { GroupAwayTimeoutMs = 6_000 });
        await tier.StartAsync();
        TestDevice listener = await tier.ConnectAsync("listener");
        await tier.SubscribeAsync(listener, "w/#");
        TestDevice publisher = await tier.ConnectAsync("publisher", version: version);
        log.IsConnected = false;
        ushort first = await tier.Do(() => publisher.Publish("w/a", "first", QoS.AtLeastOnce));
        long sent = TimeProvider.System.GetTimestamp();
        await tier.Until(() => TimeProvider.System.GetElapsedTime(sent).TotalMilliseconds > 4_500);
        await tier.Do(() => publisher.Publish("w/a", "second", QoS.AtLeastOnce));
        await tier.Until(() => publisher.IsClosed || publisher.Acknowledged.ContainsKey(first));
        Assert.Equal(version == ProtocolVersion.Mqtt311, await tier.Do(() => publisher.IsClosed));
        log.IsConnected = true;
        TestDevice other = await tier.ConnectAsync("other");
        await tier.PublishAsync(other, "w/a", "third", QoS.AtLeastOnce);
        // Who publishes on another loop has another link, so only what came is sure, not its order.
        await tier.Until(() => listener.Received.Count == expected.Length);
        Assert.Equal(expected, await tier.Do(() => listener.Received.Select(got => got.Payload).Order().ToArray()));
    }

    private static long Dropped(ForeignTier tier) => tier.Contexts.Sum(context => context.Counters.Read(SessionCounter.DroppedBacklog));

    private static long Read(ForeignTier tier, LinkCounter counter) =>
        tier.Nodes[0].CountersOf(0).Read(counter) + tier.Nodes[0].CountersOf(1).Read(counter);
}
