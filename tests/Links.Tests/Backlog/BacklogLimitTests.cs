using Trunkline.Broker;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links.Tests.Backlog;

/// <summary>What a backlog above its limits loses, by each policy, and that it is counted.</summary>
public sealed class BacklogLimitTests
{
    [Theory]
    [InlineData(10, 0)]
    [InlineData(11, 1)]
    [InlineData(500, 490)]
    public void Drop_oldest_keeps_the_newest(int missed, int dropped)
    {
        TestTier tier = Away(new MqttOptions { BacklogMessages = 10 }, missed);
        TestDevice device = tier.Resume("device");
        tier.Advance(2_000);
        Assert.Equal(Payloads(dropped, missed), device.Received.Select(got => got.Payload));
        Assert.Equal(dropped, Dropped(tier));
        AssertLive(tier, device);
    }

    [Theory]
    [InlineData(10, 0)]
    [InlineData(11, 1)]
    [InlineData(500, 490)]
    public void Drop_newest_keeps_the_oldest_and_what_comes_after_the_return(int missed, int dropped)
    {
        TestTier tier = Away(new MqttOptions { BacklogMessages = 10, BacklogPolicy = BacklogPolicy.DropNewest }, missed);
        TestDevice device = tier.Resume("device");
        tier.Advance(2_000);
        Assert.Equal(Payloads(0, missed - dropped), device.Received.Select(got => got.Payload));
        Assert.Equal(dropped, Dropped(tier));
        AssertLive(tier, device);
    }

    [Fact]
    public void Disconnect_closes_once_and_the_next_connection_begins_with_what_is_new()
    {
        TestTier tier = Away(new MqttOptions { BacklogMessages = 10, BacklogPolicy = BacklogPolicy.Disconnect }, 50);
        TestDevice device = tier.Resume("device");
        tier.Advance(1_000);
        Assert.True(device.IsClosed);
        Assert.Contains(device.Trace, line => line.StartsWith("disconnect: QuotaExceeded", StringComparison.Ordinal));
        Assert.Equal(50, Dropped(tier));
        device = tier.Resume("device");
        Assert.True(device.SessionPresent);
        tier.Advance(1_000);
        Assert.Empty(device.Received);
        AssertLive(tier, device);
    }

    [Fact]
    public void The_limit_of_bytes_holds_as_well()
    {
        // Each message counts its topic and its payload: 1 + 3 bytes.
        TestTier tier = Away(new MqttOptions { BacklogBytes = 1024 }, 300);
        TestDevice device = tier.Resume("device");
        tier.Advance(2_000);
        Assert.Equal(Payloads(300 - 256, 300), device.Received.Select(got => got.Payload));
        Assert.Equal(300 - 256, Dropped(tier));
        AssertLive(tier, device);
    }

    [Theory]
    [InlineData(BacklogPolicy.DropOldest)]
    [InlineData(BacklogPolicy.DropNewest)]
    [InlineData(BacklogPolicy.Disconnect)]
    public void What_waited_longer_than_the_age_limit_is_passed_over_and_counted_by_every_policy(BacklogPolicy policy)
    {
        TestTier tier = Away(new MqttOptions { BacklogAgeSeconds = 60, BacklogPolicy = policy }, 7);
        tier.Advance(30_000);
        TestDevice publisher = tier.Connect("again");
        Publish(tier, publisher, 7, 12);
        tier.Advance(29_000);
        TestDevice device = tier.Resume("device");
        tier.Advance(500);
        Assert.Equal(Payloads(0, 12), device.Received.Select(got => got.Payload));
        Assert.Equal(0, DroppedByAge(tier));

        tier = Away(new MqttOptions { BacklogAgeSeconds = 60, BacklogPolicy = policy }, 7);
        tier.Advance(30_000);
        Publish(tier, tier.Connect("again"), 7, 12);
        tier.Advance(31_000);
        device = tier.Resume("device");
        tier.Advance(500);
        Assert.Equal(Payloads(7, 12), device.Received.Select(got => got.Payload));
        Assert.Equal(7, DroppedByAge(tier));
        Assert.Equal(0, Dropped(tier));
        AssertLive(tier, device);
    }

    [Fact]
    public void Age_and_number_are_counted_apart()
    {
        TestTier tier = Away(new MqttOptions { BacklogAgeSeconds = 60, BacklogMessages = 10 }, 7);
        tier.Advance(61_000);
        Publish(tier, tier.Connect("again"), 7, 50);
        TestDevice device = tier.Resume("device");
        tier.Advance(2_000);
        Assert.Equal(Payloads(40, 50), device.Received.Select(got => got.Payload));
        Assert.Equal(7, DroppedByAge(tier));
        Assert.Equal(33, Dropped(tier));
        AssertLive(tier, device);
    }

    [Fact]
    public void A_count_that_comes_while_its_page_is_delivered_in_slices_loses_nothing_of_that_page()
    {
        // The first page holds an eighth of what was missed, so the broker counts, and answers amid the slices.
        TestTier tier = Away(
            new MqttOptions { BacklogMessages = 600 }, 500, new LinkOptions { Seed = 7, BacklogPageBytes = 4_096, BacklogDeliveriesPerTurn = 4 });
        var device = new TestDevice("device") { IsPersistent = true };
        tier.BeginConnectAll([device]);
        tier.RunTurns(2_000);
        Assert.True(tier.Nodes[0].Count(LinkCounter.BacklogCounts) > 0, "the broker counted");
        Assert.Equal(Payloads(0, 500), device.Received.Select(got => got.Payload));
        Assert.Equal(0, Dropped(tier));
        AssertLive(tier, device);
    }

    [Fact]
    public void A_backlog_far_below_its_limits_is_not_counted_by_the_broker()
    {
        TestTier tier = Away(new MqttOptions(), 1_000);
        TestDevice device = tier.Resume("device");
        tier.Advance(2_000);
        Assert.Equal(1_000, device.Received.Count);
        Assert.Equal(0, tier.Nodes[0].Count(LinkCounter.BacklogCounts));
    }

    [Fact]
    public void A_device_that_falls_behind_while_connected_is_limited_as_it_goes()
    {
        var mqtt = new MqttOptions { ReceiveMaximum = 65_535, MaximumInFlight = 4, LiveQueueMessages = 5, BacklogMessages = 20 };
        var tier = new TestTier(groups: 1, mqtt: mqtt);
        TestDevice slow = tier.Connect("device");
        TestDevice publisher = tier.Connect("publisher");
        slow.Subscribe("t", QoS.AtLeastOnce);
        tier.Run();
        slow.Answers = false;
        Publish(tier, publisher, 0, 400);
        slow.AnswerAll();
        tier.Advance(2_000);
        Assert.Equal([.. Payloads(0, 4), .. Payloads(380, 400)], slow.Received.Select(got => got.Payload));
        Assert.Equal(376, Dropped(tier));
        AssertLive(tier, slow);
    }

    /// <summary>No limit of the session's, but the log's retention: what the log gave up nobody can deliver, but everybody is told.</summary>
    [Theory]
    [InlineData(20, false)]
    [InlineData(300, true)]
    public void A_session_behind_what_the_log_has_given_up_gets_the_rest_and_it_is_counted(int missed, bool isBehind)
    {
        TestTier tier = Away(new MqttOptions(), missed, broker: new BrokerOptions { LogMaximumMessages = 50, LogBlockBytes = 4096 });
        TestDevice device = tier.Resume("device");
        tier.Advance(2_000);
        int kept = device.Received.Count;
        Assert.Equal(Payloads(missed - kept, missed), device.Received.Select(got => got.Payload));
        Assert.Equal(isBehind, kept < missed);
        Assert.Equal(isBehind ? 1 : 0, tier.Nodes[0].Count(LinkCounter.BacklogLost));
        Assert.Equal(0, Dropped(tier));
        AssertLive(tier, device);
    }

    private static TestTier Away(MqttOptions mqtt, int missed, LinkOptions? options = null, BrokerOptions? broker = null)
    {
        var tier = new TestTier(groups: 1, options: options, broker: broker, mqtt: mqtt with { ReceiveMaximum = 65_535 });
        TestDevice device = tier.Resume("device");
        device.Subscribe("t", QoS.AtLeastOnce);
        tier.Run();
        device.Transport.Close(TransportClose.Abort);
        tier.Run();
        Publish(tier, tier.Connect("publisher"), 0, missed);
        return tier;
    }

    private static void Publish(TestTier tier, TestDevice publisher, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            publisher.Publish("t", $"{i:D3}", QoS.AtLeastOnce);
        }

        tier.Run();
    }

    private static void AssertLive(TestTier tier, TestDevice device)
    {
        tier.Connect("late").Publish("t", "live", QoS.AtLeastOnce);
        tier.Run();
        Assert.Equal("live", device.Received[^1].Payload);
    }

    private static IEnumerable<string> Payloads(int from, int to) => Enumerable.Range(from, to - from).Select(i => $"{i:D3}");

    private static long DroppedByAge(TestTier tier) => tier.Nodes[0].Contexts.Sum(context => context.Counters.Read(SessionCounter.DroppedBacklogAge));

    private static long Dropped(TestTier tier) => tier.Nodes[0].Contexts.Sum(context => context.Counters.Read(SessionCounter.DroppedBacklog));
}
