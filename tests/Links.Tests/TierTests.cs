using System.Diagnostics;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Links.Tests;

public sealed class TierTests
{
    [Fact]
    public async Task All_groups_become_ready_with_one_publish_link_a_loop_and_one_receive_link()
    {
        var tier = new TestTier(nodes: 2);
        foreach (TestNode node in tier.Nodes)
        {
            Assert.True(node.Links.IsReady, string.Join(' ', node.Links.Groups.Select(group => group.Sentence)));
            await node.Started;
            Assert.All(node.Connectors, connector => Assert.Equal(3, connector.Open));
            Assert.All(node.Links.Groups, group => Assert.Equal(GroupState.Ready, group.State));
        }
    }

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void Wildcard_and_exact_filters_get_a_message_once_on_every_node_and_loop(QoS qos)
    {
        var tier = new TestTier(nodes: 2);
        TestDevice publisher = tier.Connect("publisher");
        var subscribers = new List<TestDevice>();
        for (int i = 0; i < 8; i++)
        {
            TestDevice subscriber = tier.Connect($"s{i}", i % 2);
            subscriber.Subscribe(i < 4 ? "#" : "+/x", QoS.ExactlyOnce, identifier: 5);
            subscriber.Subscribe("a/x", QoS.ExactlyOnce, identifier: 6);
            subscribers.Add(subscriber);
        }

        tier.Run();
        for (int i = 0; i < 20; i++)
        {
            publisher.Publish(i % 2 == 0 ? "a/x" : "b/x", $"{i}", qos);
        }

        tier.Run();
        foreach (TestDevice subscriber in subscribers)
        {
            Assert.Equal(20, subscriber.Received.Count);
            Assert.All(subscriber.Received, got => Assert.Equal(qos, got.QoS));
            Assert.All(subscriber.Received, got => Assert.Equal(got.Topic == "a/x" ? [5u, 6u] : [5u], got.Identifiers.Order()));
            foreach (var topic in subscriber.Received.GroupBy(got => got.Topic))
            {
                Assert.Equal(topic.Select(got => int.Parse(got.Payload)).Order(), topic.Select(got => int.Parse(got.Payload)));
            }
        }

        Assert.Equal(qos == QoS.AtMostOnce ? 0 : 20, publisher.Acknowledged.Count);
    }

    [Fact]
    public void A_loop_that_no_message_is_for_hears_how_far_the_others_have_come()
    {
        var tier = new TestTier();
        TestNode node = tier.Nodes[0];
        TestDevice publisher = tier.Connect("publisher");
        TestDevice subscriber = tier.Connect("subscriber");
        string[] topics = [.. Enumerable.Range(0, 20).Select(i => $"t{i}")];
        Array.ForEach(topics, topic => subscriber.Subscribe(topic));
        tier.Run();
        Array.ForEach(topics, topic => publisher.Publish(topic, "x", QoS.AtLeastOnce));
        tier.Run();
        Assert.Equal(20, subscriber.Received.Count);

        // The tail that the broker tells is where the messages have come already.
        tier.Advance(1000);
        for (int group = 0; group < 2; group++)
        {
            Assert.False(tier.Groups[group].Log.Tail.IsNone);
            for (int loop = 0; loop < 2; loop++)
            {
                Assert.Equal(tier.Groups[group].Log.Tail, node.Links.RouterFor(loop).Dispatched(group));
            }
        }
    }

    [Fact]
    public void A_filter_is_subscribed_upstream_once_and_given_up_after_the_linger()
    {
        var tier = new TestTier();
        TestNode node = tier.Nodes[0];
        var devices = Enumerable.Range(0, 10).Select(i => tier.Connect($"d{i}")).ToList();
        devices.ForEach(device => device.Subscribe("one/topic"));
        tier.Run();
        Assert.Equal(1, node.Count(LinkCounter.UpstreamSubscribes));
        devices.ForEach(device => device.Unsubscribe("one/topic"));
        tier.Run();
        tier.Advance(300);
        Assert.Equal(0, node.Count(LinkCounter.UpstreamUnsubscribes));
        devices[0].Subscribe("one/topic");
        tier.Advance(1000);
        Assert.Equal(0, node.Count(LinkCounter.UpstreamUnsubscribes));
        devices[0].Unsubscribe("one/topic");
        tier.Advance(1000);
        Assert.Equal(1, node.Count(LinkCounter.UpstreamUnsubscribes));
        Assert.Equal(0, node.Count(LinkCounter.UpstreamFilters));
        devices[1].Subscribe("one/topic");
        tier.Run();
        devices[2].Publish("one/topic", "again", QoS.AtLeastOnce);
        tier.Run();
        Assert.Equal("again", Assert.Single(devices[1].Received).Payload);
    }

    [Fact]
    public void Retained_messages_come_once_to_the_new_subscriber_alone_after_suback_and_before_live_ones()
    {
        var tier = new TestTier(nodes: 2);
        TestDevice publisher = tier.Connect("publisher");
        TestDevice early = tier.Connect("early", 1);
        early.Subscribe("r/#");
        tier.Run();
        for (int i = 0; i < 300; i++)
        {
            publisher.Publish($"r/{i}", new string('x', 500), QoS.AtLeastOnce, retain: true);
        }

        tier.Run();
        Assert.Equal(300, early.Received.Count);
        Assert.All(early.Received, got => Assert.False(got.Retain));
        for (int node = 0; node < 2; node++)
        {
            TestDevice late = tier.Connect($"late{node}", node);
            late.Subscribe("r/#", identifier: 9);
            tier.Advance(2000);
            Assert.Equal("suback", late.Trace[0]);
            Assert.Equal(300, late.Received.Count);
            Assert.Equal(300, late.Received.DistinctBy(got => got.Topic).Count());
            Assert.All(late.Received, got => Assert.True(got.Retain && got.Identifiers is [9]));
        }

        Assert.Equal(300, early.Received.Count);
    }

    [Fact]
    public void A_shared_subscription_gives_each_message_to_one_member()
    {
        var tier = new TestTier(nodes: 2);
        TestDevice publisher = tier.Connect("publisher");
        var members = Enumerable.Range(0, 8).Select(i => tier.Connect($"m{i}", i % 2)).ToList();
        members.ForEach(member => member.Subscribe("$share/g/s/+", QoS.AtLeastOnce));
        tier.Run();
        for (int i = 0; i < 400; i++)
        {
            publisher.Publish($"s/{i % 10}", $"{i}", QoS.AtLeastOnce);
        }

        tier.Run();
        Assert.Equal(400, members.Sum(member => member.Received.Count));
        Assert.Equal(400, members.SelectMany(member => member.Received).DistinctBy(got => got.Payload).Count());
        Assert.All(members, member => Assert.InRange(member.Received.Count, 20, 100));
    }

    [Fact]
    public void No_local_and_reserved_topics()
    {
        var tier = new TestTier();
        TestDevice device = tier.Connect("device");
        device.Subscribe("n/l", noLocal: true);
        ushort refused = device.Subscribe("$trunkline/#");
        device.Subscribe("$SYS/broker/version");
        tier.Run();
        device.Publish("n/l", "own", QoS.AtLeastOnce);
        ushort sys = device.Publish("$SYS/broker/version", "x", QoS.AtLeastOnce);
        ushort control = device.Publish("$trunkline/resume", "tail", QoS.AtLeastOnce);
        tier.Run();
        Assert.Equal(ReasonCode.NotAuthorized, device.SubAcks[refused][0]);
        Assert.Equal(ReasonCode.NotAuthorized, device.Acknowledged[sys]);
        Assert.Equal(ReasonCode.NotAuthorized, device.Acknowledged[control]);
        Got version = Assert.Single(device.Received);
        Assert.True(version is { Topic: "$SYS/broker/version", Retain: true, Payload: "trunkline" });
    }

    [Fact]
    public void Sys_values_come_again_at_the_interval_when_they_have_changed()
    {
        var tier = new TestTier();
        TestDevice device = tier.Connect("device");
        device.Subscribe("$SYS/broker/#", QoS.AtLeastOnce);
        tier.Run();
        Assert.Equal(6, device.Received.Count);
        tier.Connect("another");
        tier.Advance(21_000);
        Assert.Contains(device.Received, got => got is { Topic: "$SYS/broker/clients/connected", Payload: "2", Retain: false });
        Assert.Single(device.Received, got => got.Topic == "$SYS/broker/version" && got.Retain);
    }

    [Fact]
    public void A_new_slot_map_moves_filters_to_their_new_group()
    {
        var tier = new TestTier();
        TestNode node = tier.Nodes[0];
        TestDevice device = tier.Connect("device");
        for (int i = 0; i < 50; i++)
        {
            device.Subscribe($"m/{i}");
        }

        tier.Run();
        Topics.SlotMap all = Topics.SlotMap.Even(2).WithOwner(0, Topics.Slots.Count - 1, 1);
        node.Links.UpdateSlots(all);
        tier.Run();
        Assert.Equal(50, node.Count(LinkCounter.UpstreamFilters));
        for (int i = 0; i < 50; i++)
        {
            device.Publish($"m/{i}", $"{i}", QoS.AtLeastOnce);
        }

        tier.Run();
        Assert.Equal(50, device.Received.Count);
        Assert.Equal(50ul, tier.Groups[1].Log.Tail.Offset);
    }

    [Fact]
    public void A_burst_on_one_topic_follows_its_slot_to_the_new_group_and_is_refused_like_its_first_message()
    {
        var tier = new TestTier();
        TestNode node = tier.Nodes[0];
        TestDevice device = tier.Connect("device");
        device.Subscribe("m/+");
        tier.Run();
        string topic = Enumerable.Range(0, 100).Select(i => $"m/{i}").First(name => Topics.SlotMap.Even(2).GroupOfTopic(Encoding.UTF8.GetBytes(name), 0) == 0);
        device.Publish(topic, "1");
        device.Publish(topic, "2");
        tier.Run();
        Assert.Equal(["1", "2"], device.Received.Select(got => got.Payload));
        tier.Acceptors[0].Stop();
        node.Links.UpdateSlots(Topics.SlotMap.Even(2).WithOwner(0, Topics.Slots.Count - 1, 1));
        tier.Run();
        device.Publish(topic, "3");
        tier.Run();
        Assert.Equal(["1", "2", "3"], device.Received.Select(got => got.Payload));

        long written = node.Count(LinkCounter.PublishedQoS0);
        for (int i = 1; i <= 3; i++)
        {
            device.Publish("$trunkline/x", $"{i}");
            tier.Run();
            Assert.Equal(i, node.Count(LinkCounter.RefusedReserved));
        }

        Assert.Equal(written, node.Count(LinkCounter.PublishedQoS0));
    }

    [Fact]
    public async Task Stopping_waits_for_acknowledgements_and_leaves_in_order()
    {
        var tier = new TestTier();
        TestNode node = tier.Nodes[0];
        TestDevice device = tier.Connect("device");
        tier.Acceptors[0].Stop();
        tier.Acceptors[1].Stop();
        device.Publish("a", "1", QoS.AtLeastOnce);
        tier.Run();
        Task stopped = node.Links.StopAsync();
        tier.Advance(1_000);
        await Task.Yield();
        Assert.False(stopped.IsCompleted);
        Assert.Empty(device.Acknowledged);
        tier.Acceptors[0].Continue();
        tier.Acceptors[1].Continue();

        // Part of stopping goes through the thread pool, which may be late on a busy machine: turns go on until it is done.
        long start = Stopwatch.GetTimestamp();
        while (!stopped.IsCompleted && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60))
        {
            tier.Advance(64);
            await Task.Yield();
        }

        await stopped.WaitAsync(TimeSpan.FromSeconds(1));
        tier.Run();
        Assert.Single(device.Acknowledged);
        Assert.All(tier.Groups.Take(2), group => Assert.Equal(0, group.Statistics().PublishLinks + group.Statistics().ReceiveLinks));
    }

    [Fact]
    public void A_full_link_pauses_its_publishers_and_resumes_them_when_it_has_drained()
    {
        var tier = new TestTier(groups: 1, options: new LinkOptions { Seed = 1, HighWaterMessages = 100 });
        TestNode node = tier.Nodes[0];
        TestDevice device = tier.Connect("device");
        tier.Acceptors[0].Stop();
        for (int i = 0; i < 500; i++)
        {
            device.Publish("a", $"{i}", QoS.AtLeastOnce);
        }

        tier.Run();
        Assert.Equal(1, node.Count(LinkCounter.PublishersPaused));
        Assert.Equal(101, node.Count(LinkCounter.PublishedQoS1));
        tier.Acceptors[0].Continue();
        tier.Run();
        Assert.Equal(500, device.Acknowledged.Count);
    }

    [Fact]
    public void A_publisher_beyond_those_that_may_be_paused_goes_on_and_is_counted()
    {
        var tier = new TestTier(groups: 1, options: new LinkOptions { Seed = 1, HighWaterMessages = 100, MaximumPausedSessions = 1 }, loopsPerNode: 1);
        TestNode node = tier.Nodes[0];
        TestDevice[] devices = [tier.Connect("first"), tier.Connect("second")];
        tier.Acceptors[0].Stop();
        foreach (TestDevice device in devices)
        {
            for (int i = 0; i < 500; i++)
            {
                device.Publish("a", $"{i}", QoS.AtLeastOnce);
            }

            tier.Run();
        }

        Assert.Equal(1, node.Count(LinkCounter.PublishersPaused));
        Assert.Equal(500, node.Count(LinkCounter.PublishersNotPaused));
        Assert.Equal(601, node.Count(LinkCounter.PublishedQoS1));
        tier.Acceptors[0].Continue();
        tier.Run();
        Assert.All(devices, device => Assert.Equal(500, device.Acknowledged.Count));
    }
}
