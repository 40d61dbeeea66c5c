using Trunkline.Clauses;
using Trunkline.Protocol;

namespace Trunkline.Links.Tests;

public sealed class MosquittoTests
{
    [Fact]
    public async Task Two_nodes_two_groups_wildcard_exact_overlapping_and_shared()
    {
        using Mosquitto first = await Mosquitto.StartAsync();
        using Mosquitto second = await Mosquitto.StartAsync();
        await using var tier = new ForeignTier([first, second], nodes: 2);
        await tier.StartAsync();
        Assert.All(tier.Nodes, node => Assert.True(node.IsReady, string.Join(' ', node.Groups.Select(group => group.Sentence))));
        TestDevice publisher = await tier.ConnectAsync("publisher");
        var overlapping = new List<TestDevice>();
        for (int i = 0; i < 4; i++)
        {
            TestDevice device = await tier.ConnectAsync($"o{i}", i % 2);
            await tier.SubscribeAsync(device, "#");
            await tier.SubscribeAsync(device, "a/+");
            await tier.SubscribeAsync(device, i < 2 ? "a/1" : "+/2");
            overlapping.Add(device);
        }

        var members = new List<TestDevice>();
        for (int i = 0; i < 4; i++)
        {
            TestDevice device = await tier.ConnectAsync($"m{i}", i % 2);
            await tier.SubscribeAsync(device, "$share/g/a/#", QoS.AtLeastOnce);
            members.Add(device);
        }

        for (int i = 0; i < 60; i++)
        {
            await tier.PublishAsync(publisher, $"a/{i % 4}", $"{i:D2}", i % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce);
        }

        await tier.Until(() => overlapping.TrueForAll(device => device.Received.Count >= 60) && members.Sum(member => member.Received.Count) >= 60);
        await tier.Do(() =>
        {
            string[] expected = [.. Enumerable.Range(0, 60).Select(i => $"{i:D2}")];
            Assert.All(overlapping, device => Assert.Equal(expected, device.Received.Select(got => got.Payload).Order()));
            Assert.All(overlapping, device => Assert.All(device.Received, got => Assert.Equal(int.Parse(got.Payload) % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce, got.QoS)));
            foreach (var topic in overlapping.SelectMany(device => device.Received.GroupBy(got => (device.ClientId, got.Topic, got.QoS))))
            {
                Assert.Equal(topic.Select(got => got.Payload).Order(), topic.Select(got => got.Payload));
            }

            Assert.Equal(60, members.SelectMany(member => member.Received).DistinctBy(got => got.Payload).Count());
            return true;
        });
    }

    [Fact]
    public async Task Retained_messages_come_once_by_the_replay_connection_with_their_own_qos()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using var tier = new ForeignTier([broker]);
        await tier.StartAsync();
        TestDevice publisher = await tier.ConnectAsync("publisher");
        for (int i = 0; i < 40; i++)
        {
            await tier.PublishAsync(publisher, $"r/{i}", "kept", i % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce, retain: true);
        }

        TestDevice[] late = [await tier.ConnectAsync("l0"), await tier.ConnectAsync("l1"), await tier.ConnectAsync("l2")];
        foreach (TestDevice device in late)
        {
            await tier.SubscribeAsync(device, "r/#");
            await tier.Until(() => device.Received.Count >= 40);
        }

        await tier.PublishAsync(publisher, "r/0", "new", QoS.AtLeastOnce);
        await tier.Until(() => late.All(device => device.Received.Exists(got => got.Payload == "new")));
        await tier.Do(() =>
        {
            Assert.All(late, device =>
            {
                Assert.Equal("suback", device.Trace[0]);
                Assert.Equal(41, device.Received.Count);
                Assert.Equal(40, device.Received.Count(got => got.Retain));
                Assert.Equal(20, device.Received.Count(got => got.QoS == QoS.ExactlyOnce));
            });
            return true;
        });
    }

    [Fact]
    public async Task Filters_above_the_limit_of_a_link_open_further_links()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using var tier = new ForeignTier([broker], filtersPerLink: 100);
        await tier.StartAsync();
        TestDevice device = await tier.ConnectAsync("device");
        for (int i = 0; i < 250; i++)
        {
            await tier.SubscribeAsync(device, $"f/{i}", QoS.AtLeastOnce);
        }

        TestDevice publisher = await tier.ConnectAsync("publisher");
        for (int i = 0; i < 250; i += 25)
        {
            await tier.PublishAsync(publisher, $"f/{i}", $"{i}", QoS.AtLeastOnce);
        }

        await tier.Until(() => device.Received.Count == 10);
        LinkStatus[] receive = [.. tier.Nodes[0].Groups[0].Links.Where(link => link.Kind == LinkKind.Receive)];
        Assert.Equal([100, 100, 50], receive.Select(link => link.Filters));
    }

    [Fact]
    public async Task A_killed_broker_disconnects_no_device_and_open_messages_arrive_after_it()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using var tier = new ForeignTier([broker]);
        await tier.StartAsync();
        TestDevice publisher = await tier.ConnectAsync("publisher");
        TestDevice subscriber = await tier.ConnectAsync("subscriber");
        await tier.SubscribeAsync(subscriber, "t/#");
        await tier.PublishAsync(publisher, "t/0", "before", QoS.AtLeastOnce);
        await tier.Until(() => subscriber.Received.Count == 1);
        broker.Kill();
        ushort packetId = await tier.Do(() => publisher.Publish("t/1", "meanwhile", QoS.AtLeastOnce));
        await broker.StartAgainAsync();
        await tier.Until(() => publisher.Acknowledged.ContainsKey(packetId));
        Assert.Equal(ReasonCode.Success, await tier.Do(() => publisher.Acknowledged[packetId]));
        await tier.Until(() => tier.Nodes[0].Groups[0].State == GroupState.Ready);
        await tier.PublishAsync(publisher, "t/2", "after", QoS.ExactlyOnce);
        await tier.Until(() => subscriber.Received.Exists(got => got.Payload == "after"));
        Assert.False(publisher.IsClosed || subscriber.IsClosed);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-4.5.0-2", "MQTT-4.6.0-2")]
    public async Task A_receive_link_acknowledges_every_message_in_the_order_of_its_coming()
    {
        using Mosquitto broker = await Mosquitto.StartAsync("max_inflight_messages 20\nmax_queued_messages 0");
        await using var relay = new RecordingRelay(broker.Port);
        await using var tier = new ForeignTier([broker], port: relay.Port);
        await tier.StartAsync();
        TestDevice publisher = await tier.ConnectAsync("publisher");
        TestDevice subscriber = await tier.ConnectAsync("subscriber");
        await tier.SubscribeAsync(subscriber, "a/#");
        await tier.SubscribeAsync(subscriber, "b");
        await tier.Do(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                publisher.Publish($"a/{i % 3}", $"{i:D3}", QoS.AtLeastOnce);
            }

            return true;
        });
        await tier.Until(() => subscriber.Received.Count >= 200 && relay.Busiest is { Acknowledged: { Count: >= 200 } acknowledged } busiest && acknowledged.Count == busiest.Received.Count);
        Assert.Equal(relay.Busiest.Received, relay.Busiest.Acknowledged);
    }

    [Theory]
    [Clause(Specification.Mqtt50, "MQTT-3.2.2-11", "MQTT-3.2.2-14")]
    [InlineData("retain_available false", "retained messages turned off")]
    [InlineData("max_qos 0", "serves QoS 0 only")]
    [InlineData("max_inflight_messages 5", "Receive Maximum is 5")]
    public async Task A_broker_that_cannot_serve_is_refused_with_a_sentence(string configuration, string sentence)
    {
        using Mosquitto broker = await Mosquitto.StartAsync(configuration);
        await using var tier = new ForeignTier([broker]);
        await tier.StartAsync();
        GroupStatus group = tier.Nodes[0].Groups[0];
        Assert.Equal(GroupState.Refused, group.State);
        Assert.Contains(sentence, group.Sentence, StringComparison.Ordinal);
        Assert.Contains("docs/BROKERS.md", group.Sentence, StringComparison.Ordinal);
        Assert.False(tier.Nodes[0].IsReady);
    }

    [Theory]
    [InlineData(BrokerFault.DeniesIdentifiers, "subscription identifiers, wildcards or shared subscriptions turned off")]
    [InlineData(BrokerFault.DeniesWildcards, "subscription identifiers, wildcards or shared subscriptions turned off")]
    [InlineData(BrokerFault.DeniesShared, "subscription identifiers, wildcards or shared subscriptions turned off")]
    [InlineData(BrokerFault.RefusesSubscriptions, "refuses a subscription")]
    [InlineData(BrokerFault.RefusesPublishes, "refuses a publish")]
    [InlineData(BrokerFault.LosesMessages, "a wildcard subscription got 15 of 16 messages")]
    [InlineData(BrokerFault.LowersQoS, "delivers QoS 1 messages at another QoS")]
    [InlineData(BrokerFault.SendsNoIdentifiers, "does not send subscription identifiers back")]
    [InlineData(BrokerFault.LosesUserProperties, "loses user properties")]
    [InlineData(BrokerFault.TurnsOrder, "does not keep the order")]
    [InlineData(BrokerFault.GivesEachMemberACopy, "4 messages to a shared subscription came 8 times")]
    [InlineData(BrokerFault.KeepsNoRetained, "does not keep retained messages")]
    [InlineData(BrokerFault.DeletesNoRetained, "does not delete a retained message")]
    [InlineData(BrokerFault.FallsSilent, "its answers did not come within 2000 ms")]
    public async Task A_broker_that_behaves_otherwise_than_a_group_must_is_refused_with_what_it_does(BrokerFault fault, string sentence)
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using var faulty = new FaultyBroker(broker.Port, fault);
        await using var tier = new ForeignTier([broker], port: faulty.Port);
        await tier.StartAsync();
        GroupStatus group = tier.Nodes[0].Groups[0];
        Assert.Equal(GroupState.Refused, group.State);
        Assert.Contains(sentence, group.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_foreign_broker_configured_as_ours_is_refused_with_a_sentence()
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        await using var tier = new ForeignTier([broker], kind: GroupKind.Trunkline);
        await tier.StartAsync();
        Assert.Contains("set its kind to foreign", tier.Nodes[0].Groups[0].Sentence, StringComparison.Ordinal);
    }
}
