using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links.Tests.Backlog;

/// <summary>Devices that are away or too slow read the log and come back to live messages.</summary>
public sealed class BacklogTests
{
    private static MqttOptions Small => new() { ReceiveMaximum = 65_535, MaximumInFlight = 4, LiveQueueMessages = 5 };

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void A_device_that_stops_answering_leaves_live_and_catches_up_in_order(QoS qos)
    {
        var tier = new TestTier(groups: 2, mqtt: Small);
        TestDevice slow = tier.Connect("slow");
        TestDevice other = tier.Connect("other");
        TestDevice publisher = tier.Connect("publisher");
        slow.Subscribe("#", qos);
        other.Subscribe("#", qos);
        tier.Run();
        slow.Answers = false;
        for (int i = 0; i < 200; i++)
        {
            publisher.Publish($"t/{i % 5}", $"{i:D3}", qos);
            tier.Run();
        }

        Assert.Equal(200, publisher.Acknowledged.Count);
        Assert.Equal(200, other.Received.Count);
        Assert.Equal(4, slow.Received.Count);
        Session session = SessionOf(tier, "slow");
        Assert.InRange(session.Waiting, 0, 5);
        Assert.True(session.IsBehind(0) && session.IsBehind(1));
        slow.AnswerAll();
        tier.Advance(2_000);
        AssertWhole(slow, 200, qos);
        Assert.False(session.IsBehind(0) || session.IsBehind(1));
        publisher.Publish("t/0", "live", qos);
        tier.Run();
        Assert.Equal("live", slow.Received[^1].Payload);
        Assert.Equal(0, tier.Nodes[0].Contexts.Sum(context => context.Undone.Count));
    }

    [Fact]
    public void A_device_that_was_away_gets_in_flight_first_then_the_log_then_live_messages()
    {
        var tier = new TestTier(groups: 2, mqtt: Small);
        TestDevice device = tier.Resume("device");
        TestDevice publisher = tier.Connect("publisher");
        device.Subscribe("#", QoS.AtLeastOnce);
        tier.Run();
        device.Answers = false;
        Publish(tier, publisher, 0, 3);
        device.Transport.Close(TransportClose.Abort);
        tier.Run();
        Publish(tier, publisher, 3, 300);
        Session session = SessionOf(tier, "device");
        Assert.Equal(0, session.Waiting);
        Assert.Equal(3, session.InFlight);
        Assert.Equal(3, Rented(tier));

        TestDevice again = tier.Resume("device");
        Assert.True(again.SessionPresent);
        Publish(tier, publisher, 300, 310);
        tier.Advance(2_000);
        Assert.All(again.Received.Take(3), got => Assert.True(got.Duplicate));
        Assert.All(again.Received.Skip(3), got => Assert.False(got.Duplicate));
        AssertWhole(again, 310, QoS.AtLeastOnce);
        Assert.Equal(0, Rented(tier));
        Assert.Equal(0, tier.Nodes[0].Contexts.Sum(context => context.Undone.Count));
    }

    [Fact]
    public void A_device_that_missed_nothing_is_live_without_a_read()
    {
        var tier = new TestTier(groups: 1);
        TestDevice device = tier.Resume("device");
        device.Subscribe("t", QoS.AtLeastOnce);
        tier.Advance(1_000);
        device.Transport.Close(TransportClose.Abort);
        tier.Run();
        device = tier.Resume("device");
        TestDevice publisher = tier.Connect("publisher");
        publisher.Publish("t", "1", QoS.AtLeastOnce);
        tier.Run();
        Assert.Equal("1", Assert.Single(device.Received).Payload);
        Assert.Equal(0, tier.Nodes[0].Count(LinkCounter.BacklogScans));
    }

    [Fact]
    public void Overlapping_filters_give_one_delivery_at_the_highest_qos_with_all_identifiers_and_no_local_holds()
    {
        var tier = new TestTier(groups: 1);
        TestDevice device = tier.Resume("device");
        device.Subscribe("a/#", QoS.AtLeastOnce, identifier: 1);
        device.Subscribe("a/+", QoS.ExactlyOnce, identifier: 2);
        device.Subscribe("a/1", QoS.AtMostOnce, identifier: 3);
        device.Subscribe("own/#", QoS.AtLeastOnce, noLocal: true);
        tier.Run();
        device.Publish("own/1", "mine", QoS.AtLeastOnce);
        tier.Run();
        device.Transport.Close(TransportClose.Abort);
        tier.Run();
        TestDevice publisher = tier.Connect("publisher");
        publisher.Publish("a/1", "once", QoS.ExactlyOnce);
        publisher.Publish("own/1", "other's", QoS.AtLeastOnce);
        tier.Run();
        TestDevice again = tier.Resume("device");
        tier.Advance(1_000);
        Assert.Equal(["once", "other's"], again.Received.Select(got => got.Payload));
        Assert.Equal(QoS.ExactlyOnce, again.Received[0].QoS);
        Assert.Equal([1u, 2u, 3u], again.Received[0].Identifiers.Order());
    }

    [Fact]
    public void What_lies_before_a_filter_and_what_expired_is_not_read()
    {
        var tier = new TestTier(groups: 1);
        TestDevice device = tier.Resume("device");
        TestDevice publisher = tier.Connect("publisher");
        publisher.Publish("t", "before", QoS.AtLeastOnce);
        tier.Run();
        device.Subscribe("t", QoS.AtLeastOnce);
        tier.Run();
        device.Transport.Close(TransportClose.Abort);
        tier.Run();
        publisher.Publish("t", "expires", QoS.AtLeastOnce, expiry: 2);
        publisher.Publish("t", "stays", QoS.AtLeastOnce, expiry: 60);
        tier.Advance(3_000);
        TestDevice again = tier.Resume("device");
        tier.Advance(1_000);
        Assert.Equal(["stays"], again.Received.Select(got => got.Payload));
    }

    [Fact]
    public void A_filter_subscribed_while_a_page_is_under_way_misses_nothing_that_follows_its_suback()
    {
        for (int cut = 0; cut < 12; cut++)
        {
            var tier = new TestTier(groups: 1, mqtt: Small);
            TestDevice device = tier.Connect("slow");
            TestDevice publisher = tier.Connect("publisher");
            device.Subscribe("a", QoS.AtLeastOnce);
            tier.Run();
            device.Answers = false;
            for (int i = 0; i < 30; i++)
            {
                publisher.Publish("a", $"{i:D3}", QoS.AtLeastOnce);
            }

            tier.Run();
            device.AnswerAll();
            tier.RunTurns(cut);
            ushort subscribe = device.Subscribe("b", QoS.AtLeastOnce);
            for (int i = 0; i < 200 && !device.SubAcks.ContainsKey(subscribe); i++)
            {
                tier.RunTurns(1);
            }

            publisher.Publish("b", "new", QoS.AtLeastOnce);
            publisher.Publish("a", "030", QoS.AtLeastOnce);
            tier.Advance(2_000);
            Assert.Equal(Enumerable.Range(0, 31).Select(i => $"{i:D3}"), device.Received.Where(got => got.Topic == "a").Select(got => got.Payload));
            Assert.Equal("new", Assert.Single(device.Received, got => got.Topic == "b").Payload);
        }
    }

    [Fact]
    public void A_lost_link_and_a_new_term_lose_nothing_the_log_has()
    {
        var tier = new TestTier(groups: 1, mqtt: Small);
        TestDevice slow = tier.Connect("slow");
        TestDevice publisher = tier.Connect("publisher");
        slow.Subscribe("#", QoS.ExactlyOnce);
        tier.Run();
        slow.Answers = false;
        Publish(tier, publisher, 0, 50, QoS.ExactlyOnce);
        LogPosition before = tier.Groups[0].Log.Tail;
        tier.Nodes[0].Connectors[0].CutAll();
        tier.Run();
        slow.AnswerAll(2);
        tier.Run();
        Publish(tier, publisher, 50, 100, QoS.ExactlyOnce);
        tier.Advance(1_000);
        slow.AnswerAll();
        tier.Nodes[0].Connectors[0].CutAll();
        tier.Advance(6_000);
        AssertWhole(slow, 100, QoS.ExactlyOnce);

        // A link that knows the broker's term makes it begin a new one.
        Assert.True(tier.Groups[0].Log.Tail.Term > before.Term);
    }

    [Fact]
    public void Sessions_that_return_together_share_their_pages_and_page_memory_stays_bounded()
    {
        const int Sessions = 200;
        const int Messages = 20;
        var options = new LinkOptions { Seed = 7, BacklogPageBytes = 4096, BacklogScans = 2 };
        var tier = new TestTier(groups: 1, options: options, loopsPerNode: 1);
        TestDevice publisher = tier.Connect("publisher");
        for (int i = 0; i < Sessions; i++)
        {
            TestDevice device = tier.Resume($"d{i}");
            device.Subscribe($"d/{i}/in", QoS.AtLeastOnce);
            tier.Run();
            device.Transport.Close(TransportClose.Abort);
            tier.Run();
        }

        for (int i = 0; i < Sessions * Messages; i++)
        {
            publisher.Publish($"d/{i % Sessions}/in", $"{i / Sessions:D3}", QoS.AtLeastOnce);
        }

        tier.Run();
        Assert.Equal(0, Rented(tier));
        TestDevice[] devices = [.. Enumerable.Range(0, Sessions).Select(i => new TestDevice($"d{i}") { IsPersistent = true })];
        tier.ConnectAll(devices);
        tier.Advance(2_000);
        Assert.All(devices, device => Assert.Equal(Enumerable.Range(0, Messages).Select(i => $"{i:D3}"), device.Received.Select(got => got.Payload)));
        long scans = tier.Nodes[0].Count(LinkCounter.BacklogScans);

        // 4,000 messages of some 40 bytes lie on 40 pages of 4 KiB.
        Assert.InRange(scans, 40, 80);
        Assert.Equal(Sessions * Messages, tier.Nodes[0].Count(LinkCounter.BacklogRead));
    }

    [Fact]
    public void What_returning_sessions_missed_goes_out_in_slices_so_that_no_turn_of_a_loop_is_long()
    {
        const int Sessions = 150;
        const int Messages = 10;
        var tier = new TestTier(groups: 1, loopsPerNode: 1);
        for (int i = 0; i < Sessions; i++)
        {
            TestDevice device = tier.Resume($"d{i}");
            device.Subscribe($"d/{i}/in", QoS.AtLeastOnce);
            tier.Run();
            device.Transport.Close(TransportClose.Abort);
            tier.Run();
        }

        TestDevice publisher = tier.Connect("publisher");
        for (int i = 0; i < Sessions * Messages; i++)
        {
            publisher.Publish($"d/{i % Sessions}/in", $"{i / Sessions:D3}", QoS.AtLeastOnce);
        }

        tier.Run();
        TestDevice[] devices = [.. Enumerable.Range(0, Sessions).Select(i => new TestDevice($"d{i}") { IsPersistent = true })];
        long largest = 0;
        long before = 0;
        tier.BeginConnectAll(devices);
        for (int turn = 0; turn < 200; turn++)
        {
            tier.RunTurns(1);
            long delivered = tier.Nodes[0].Contexts[0].Counters.Read(SessionCounter.BacklogDelivered);
            largest = long.Max(largest, delivered - before);
            before = delivered;
        }

        Assert.Equal(Sessions * Messages, before);

        // A delivery to a device of its own is a system call of its own, some 10 us: a live message waits a few milliseconds behind a slice.
        Assert.InRange(largest, 1, 50);
    }

    private static void Publish(TestTier tier, TestDevice publisher, int from, int to, QoS qos = QoS.AtLeastOnce)
    {
        for (int i = from; i < to; i++)
        {
            publisher.Publish($"t/{i % 5}", $"{i:D3}", qos);
            tier.Run();
        }
    }

    /// <summary>Everything once, and in order for each topic.</summary>
    private static void AssertWhole(TestDevice device, int count, QoS qos)
    {
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"{i:D3}"), device.Received.Select(got => got.Payload).Order());
        Assert.All(device.Received, got => Assert.Equal(qos, got.QoS));
        foreach (var topic in device.Received.GroupBy(got => got.Topic))
        {
            Assert.Equal(topic.Select(got => got.Payload).Order(), topic.Select(got => got.Payload));
        }
    }

    private static Session SessionOf(TestTier tier, string clientId) =>
        tier.Nodes[0].Contexts.Select(context => context.Registry.Find(clientId)).Single(session => session is not null)!;

    private static long Rented(TestTier tier) => tier.Nodes[0].Contexts.Sum(context => context.Messages.Rented);
}
