using Trunkline.Clauses;
using Trunkline.Protocol;
using Trunkline.Transports;
using Xunit.Abstractions;

namespace Trunkline.Links.Tests;

public sealed class CutTests(ITestOutputHelper output)
{
    private const int Rounds = 500;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Links_cut_at_random_bytes_of_either_direction_lose_nothing_acknowledged_and_keep_order(int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var options = new LinkOptions { Seed = seed, BackoffMaximumMs = 500, GroupAwayTimeoutMs = 600_000 };
        var tier = new TestTier(nodes: 2, options: options, bytesUntilCut: () => random.Next(60, 6000));
        tier.Advance(2000);
        TestDevice[] publishers = [.. Enumerable.Range(0, 4).Select(i => tier.Connect($"p{i}", i % 2))];
        TestDevice[] subscribers = [.. Enumerable.Range(0, 6).Select(i => tier.Connect($"s{i}", i % 2))];
        string[] filters = ["#", "a/+", "+/1", "a/1", "b/0", "b/#"];
        for (int i = 0; i < subscribers.Length; i++)
        {
            subscribers[i].Subscribe(filters[i], QoS.ExactlyOnce);
        }

        tier.Advance(10_000);
        Assert.All(subscribers, subscriber => Assert.All(subscriber.SubAcks.Values, codes => Assert.Equal(ReasonCode.GrantedQoS2, codes[0])));
        string[] topics = ["a/0", "a/1", "b/0", "b/1"];
        var sent = new List<(string Topic, string Payload, QoS QoS)>();
        for (int round = 0; round < Rounds; round++)
        {
            foreach (TestDevice publisher in publishers)
            {
                string topic = topics[random.Next(topics.Length)];
                QoS qos = random.Next(2) == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce;
                string payload = $"{publisher.ClientId}:{round:D5}";
                publisher.Publish(topic, payload, qos);
                sent.Add((topic, payload, qos));
            }

            if (random.Next(10) == 0)
            {
                tier.Nodes[random.Next(2)].Connectors[random.Next(2)].CutAll();
            }

            tier.Advance(random.Next(1, 200));
        }

        foreach (TestNode node in tier.Nodes)
        {
            Array.ForEach(node.Connectors, connector => connector.MayCut = false);
        }

        Array.ForEach(tier.Acceptors, acceptor => acceptor.Cutter.MayCut = false);

        tier.Advance(30_000);
        int cuts = tier.Nodes.Sum(node => node.Connectors.Sum(connector => connector.Cuts));
        int farCuts = tier.Acceptors.Sum(acceptor => acceptor.Cutter.Cuts);
        output.WriteLine($"{cuts} cuts by bytes from the broker, {farCuts} by bytes from the node, {tier.Nodes.Sum(node => node.Count(LinkCounter.LinksLost))} links lost, {tier.Nodes.Sum(node => node.Count(LinkCounter.SentAgain))} sent again");
        Assert.True(cuts > 20 && farCuts > 10);
        Assert.All(publishers, publisher => Assert.Equal(Rounds, publisher.Acknowledged.Count));
        Assert.All(publishers.Concat(subscribers), device => Assert.False(device.IsClosed));
        for (int i = 0; i < subscribers.Length; i++)
        {
            Check(subscribers[i], filters[i], sent);
        }
    }

    [Fact]
    public void A_group_away_refuses_only_what_was_never_written_after_the_named_time_and_touches_no_other()
    {
        var tier = new TestTier();
        CutConnector[] connectors = tier.Nodes[0].Connectors;
        string[] topics = [TopicOf(0), TopicOf(1)];
        TestDevice device = tier.Connect("device");
        TestDevice subscriber = tier.Connect("subscriber");
        subscriber.Subscribe("#", QoS.AtLeastOnce);
        tier.Run();

        // Written, then lost before the acknowledgement could come back: stays open.
        connectors[0].Freeze(true);
        ushort written = device.Publish(topics[0], "written", QoS.AtLeastOnce);
        tier.Run();
        connectors[0].Refusal = "down";
        connectors[0].CutAll();
        tier.Run();
        ushort never = device.Publish(topics[0], "never", QoS.AtLeastOnce);
        device.Publish(topics[0], "qos 0");
        tier.Advance(5_000);
        ushort other = device.Publish(topics[1], "other", QoS.AtLeastOnce);
        ushort later = device.Publish(topics[0], "later", QoS.ExactlyOnce);
        tier.Advance(4_800);
        Assert.Equal([other], device.Acknowledged.Keys);
        Assert.Equal("other", Assert.Single(subscriber.Received, got => got.Payload != "written").Payload);
        tier.Advance(400);
        Assert.Equal(ReasonCode.QuotaExceeded, device.Acknowledged[never]);
        Assert.DoesNotContain(later, device.Acknowledged.Keys);
        Assert.Equal(GroupState.Away, tier.Nodes[0].Links.Groups[0].State);
        connectors[0].Refusal = null;
        tier.Advance(10_000);
        Assert.Equal(ReasonCode.Success, device.Acknowledged[written]);
        Assert.Equal(ReasonCode.Success, device.Acknowledged[later]);
        Assert.Equal(["later", "other", "written"], subscriber.Received.Select(got => got.Payload).Order());
        Assert.Equal(1, tier.Nodes[0].Count(LinkCounter.DroppedAway));
        Assert.False(device.IsClosed);
    }

    [Fact]
    public void When_memory_is_short_nothing_more_is_kept_for_a_group_that_is_away()
    {
        var tier = new TestTier();
        CutConnector[] connectors = tier.Nodes[0].Connectors;
        TestDevice device = tier.Connect("device");
        connectors[0].Refusal = "down";
        connectors[0].CutAll();
        tier.Run();
        ushort kept = device.Publish(TopicOf(0), "kept", QoS.AtLeastOnce);
        tier.Run();
        Array.ForEach(tier.Nodes[0].Contexts.ToArray(), context => context.Loop.Memory.Level = MemoryLevel.Short);
        ushort refused = device.Publish(TopicOf(0), "refused", QoS.AtLeastOnce);
        ushort other = device.Publish(TopicOf(1), "other", QoS.AtLeastOnce);
        tier.Run();
        Assert.Equal(ReasonCode.QuotaExceeded, device.Acknowledged[refused]);
        Assert.Equal(1, tier.Nodes[0].Count(LinkCounter.RefusedFull));
        Assert.False(ReasonCodes.IsError(device.Acknowledged[other]));
        Assert.DoesNotContain(kept, device.Acknowledged.Keys);
        connectors[0].Refusal = null;
        tier.Advance(10_000);
        Assert.False(ReasonCodes.IsError(device.Acknowledged[kept]));
    }

    [Fact]
    public void Subscribing_while_a_group_is_away_fails_after_the_named_time_and_is_undone()
    {
        var tier = new TestTier();
        CutConnector connector = tier.Nodes[0].Connectors[0];
        connector.Refusal = "down";
        connector.CutAll();
        tier.Run();
        TestDevice device = tier.Connect("device");
        ushort all = device.Subscribe("#");
        tier.Advance(9_900);
        Assert.DoesNotContain(all, device.SubAcks.Keys);
        tier.Advance(300);
        Assert.Equal(ReasonCode.UnspecifiedError, device.SubAcks[all][0]);
        ushort one = device.Subscribe(TopicOf(1));
        ushort back = device.Subscribe(TopicOf(0));
        tier.Advance(3_000);
        Assert.Equal(ReasonCode.GrantedQoS1, device.SubAcks[one][0]);
        Assert.DoesNotContain(back, device.SubAcks.Keys);
        connector.Refusal = null;
        tier.Advance(6_000);
        Assert.Equal(ReasonCode.GrantedQoS1, device.SubAcks[back][0]);
        Assert.Equal(2, tier.Nodes[0].Count(LinkCounter.UpstreamFilters));
        device.Publish(TopicOf(0), "x", QoS.AtLeastOnce);
        tier.Run();
        Assert.Equal("x", Assert.Single(device.Received).Payload);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-4.6.0-1")]
    public void A_stopped_broker_is_noticed_by_keep_alive_and_everything_is_sent_again_with_its_numbers()
    {
        var tier = new TestTier(groups: 1);
        TestDevice device = tier.Connect("device");
        TestDevice subscriber = tier.Connect("subscriber");
        subscriber.Subscribe("t", QoS.ExactlyOnce);
        tier.Run();
        tier.Acceptors[0].Stop();
        for (int i = 0; i < 50; i++)
        {
            device.Publish("t", $"{i:D3}", QoS.ExactlyOnce);
        }

        tier.Advance(3_000);
        Assert.Empty(device.Acknowledged);
        Assert.Equal(0, tier.Nodes[0].Count(LinkCounter.LinksLost));
        tier.Advance(20_000);
        Assert.Equal(50, device.Acknowledged.Count);
        Assert.Equal(50, subscriber.Received.Count);
        Assert.Equal(subscriber.Received.Select(got => got.Payload).Order(), subscriber.Received.Select(got => got.Payload));
        Assert.Equal(3, tier.Nodes[0].Count(LinkCounter.LinksLost));
        Assert.Equal(50, tier.Nodes[0].Count(LinkCounter.SentAgain));
    }

    [Fact]
    public void A_broker_that_restarts_empty_gets_filters_and_open_messages_again()
    {
        var tier = new TestTier(groups: 1);
        TestDevice device = tier.Connect("device");
        TestDevice subscriber = tier.Connect("subscriber");
        subscriber.Subscribe("t/#", QoS.AtLeastOnce);
        tier.Run();
        device.Publish("t/0", "before", QoS.AtLeastOnce);
        tier.Run();
        ulong term = tier.Groups[0].Log.Tail.Term;
        tier.Nodes[0].Connectors[0].Refusal = "down";
        tier.Nodes[0].Connectors[0].CutAll();
        tier.Run();
        device.Publish("t/1", "meanwhile", QoS.AtLeastOnce);
        tier.Advance(3_000);
        tier.StartBroker(0);
        tier.Nodes[0].Connectors[0].Refusal = null;
        tier.Advance(6_000);
        Assert.Equal(2, device.Acknowledged.Count);
        Assert.Equal(["before", "meanwhile"], subscriber.Received.Select(got => got.Payload));
        Assert.True(tier.Groups[0].Log.Tail.Term > term);
        device.Publish("t/2", "after", QoS.AtLeastOnce);
        tier.Run();
        Assert.Equal("after", subscriber.Received[^1].Payload);
    }

    private static string TopicOf(int group)
    {
        Topics.SlotMap map = Topics.SlotMap.Even(2);
        return Enumerable.Range(0, 100).Select(i => $"topic/{i}").First(topic => map.GroupOfTopic(System.Text.Encoding.UTF8.GetBytes(topic), 0) == group);
    }

    private static void Check(TestDevice subscriber, string filter, List<(string Topic, string Payload, QoS QoS)> sent)
    {
        var expected = sent.Where(message => Topics.TopicMatcher.Matches(
            System.Text.Encoding.UTF8.GetBytes(filter), System.Text.Encoding.UTF8.GetBytes(message.Topic))).ToList();
        Assert.Equal(expected.Select(message => message.Payload).Order(), subscriber.Received.Select(got => got.Payload).Order());
        foreach (var group in subscriber.Received.GroupBy(got => (got.Topic, got.Payload.Split(':')[0], got.QoS)))
        {
            Assert.Equal(group.Select(got => got.Payload).Order(), group.Select(got => got.Payload));
        }
    }
}
