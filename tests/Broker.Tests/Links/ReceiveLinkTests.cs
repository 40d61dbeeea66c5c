using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Links;

public sealed class ReceiveLinkTests
{
    private readonly TestBroker _broker = new();

    [Fact]
    public void SUBACK_carries_the_position_from_which_a_filter_is_live()
    {
        _broker.PublishLink("n").Publish("a", "1", tl: "n1");
        TestClient link = _broker.ReceiveLink("m");
        link.Subscribe("a", QoS.AtLeastOnce, 5);
        Assert.Equal("p100:1", Assert.Single(link.SubAcks).Tl);
    }

    [Fact]
    public void One_copy_carries_all_identifiers_of_the_link()
    {
        TestClient link = _broker.Receiver("m", "tail", "a/+", "a/b", "#", "x");
        TestClient publisher = _broker.Client();
        publisher.Publish("a/b", "1");
        publisher.Publish("a/b", "0", QoS.AtMostOnce);
        Assert.Equal([1u, 2, 3], link.Messages[0].Identifiers);
        Assert.Equal([1u, 2, 3], link.Messages[1].Identifiers);
        Assert.Equal("p100:1;q1", link.Messages[0].Tl);
        Assert.Null(link.Messages[1].Tl);
        Assert.All(link.Messages, message => Assert.Equal(QoS.AtMostOnce, message.QoS));
        Assert.Equal(2, link.Messages.Count);
    }

    [Fact]
    public void The_original_retain_flag_travels_as_a_field()
    {
        TestClient link = _broker.Receiver("m", "tail", "#");
        TestClient publisher = _broker.Client();
        publisher.Publish("a", "1", retain: true);
        publisher.Publish("a", "0", QoS.AtMostOnce, retain: true);
        Assert.Equal(["p100:1;q1;r", "r"], link.Messages.Select(message => message.Tl));
        Assert.All(link.Messages, message => Assert.False(message.Retain));
    }

    [Fact]
    public void Nothing_logged_comes_before_resume_but_QoS_0_does()
    {
        TestClient link = _broker.ReceiveLink("m");
        link.Subscribe("a", QoS.AtLeastOnce, 1);
        TestClient publisher = _broker.Client();
        publisher.Publish("a", "1");
        publisher.Publish("a", "0", QoS.AtMostOnce);
        _broker.Advance(2000);
        Assert.Equal(["0"], link.Payloads);
        Assert.Empty(link.Tails);
        link.Request("$trunkline/resume", "tail");
        Assert.Equal(["0", "1"], link.Payloads);
        Assert.Equal("p100:0", link.LastReply.Tl);
        Assert.Equal("$trunkline/resume", link.LastReply.Correlation);
    }

    [Fact]
    public void A_resume_reads_what_came_meanwhile_in_order_and_only_what_matches()
    {
        TestClient publisher = _broker.Client();
        TestClient link = _broker.Receiver("m", "tail", "a/#");
        publisher.Publish("a/1", "1");
        link.Break();
        foreach (string topic in new[] { "a/2", "b/3", "a/4" })
        {
            publisher.Publish(topic, topic);
        }

        TestClient again = _broker.Receiver("m", "p100:1", "a/#");
        publisher.Publish("a/5", "a/5");
        Assert.Equal("p100:1", again.LastReply.Tl);
        Assert.Equal(["a/2", "a/4", "a/5"], again.Payloads);
        Assert.Equal(["2", "4", "5"], again.Messages.Select(message => message.Field('p')!.Split(':')[1]));
        Assert.Equal("$trunkline/resume", again.All[0].Correlation);
    }

    [Fact]
    public void What_retention_took_is_told()
    {
        var broker = new TestBroker(new BrokerOptions { LogMaximumMessages = 2 });
        TestClient publisher = broker.Client();
        for (int i = 0; i < 5; i++)
        {
            publisher.Publish("a", $"{i}");
        }

        TestClient link = broker.Receiver("m", "p100:1", "a");
        Assert.Equal("p100:3;elost", link.LastReply.Tl);
        Assert.Equal(["3", "4"], link.Payloads);
        Assert.Equal(1, broker.Count(BrokerCounter.LinkLosses));
    }

    [Fact]
    public void A_position_of_the_run_before_begins_at_the_first_message()
    {
        _broker.Client().Publish("a", "1");
        TestClient link = _broker.Receiver("m", "p55:7", "a");
        Assert.Equal("p100:0;elost", link.LastReply.Tl);
        Assert.Equal(["1"], link.Payloads);
    }

    [Fact]
    public void A_reconnect_that_raises_the_term_loses_nothing()
    {
        TestClient publisher = _broker.Client();
        _broker.Receiver("m", "tail", "a").Break();
        publisher.Publish("a", "1");
        TestClient link = _broker.ReceiveLink("m", highest: 100);
        Assert.Equal("v1;t101;irun-1", link.ConnAckTl);
        link.Subscribe("a", QoS.AtLeastOnce, 1);
        Assert.Equal("p101:0", link.SubAcks[0].Tl);
        publisher.Publish("a", "2");
        link.Request("$trunkline/resume", "p100:0");
        Assert.Equal("p100:0", link.LastReply.Tl);
        Assert.Equal(["p100:1;q1", "p101:1;q1"], link.Messages.Select(message => message.Tl));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("p1")]
    public void A_malformed_resume_is_answered_with_a_sentence(string payload)
    {
        TestClient link = _broker.ReceiveLink("m");
        link.Request("$trunkline/resume", payload);
        Assert.StartsWith("e", link.LastReply.Tl, StringComparison.Ordinal);
        TestClient client = _broker.Client();
        client.Request("$trunkline/resume", "tail");
        Assert.StartsWith("eOnly a receive link", client.LastReply.Tl, StringComparison.Ordinal);
    }

    [Fact]
    public void The_tail_comes_at_least_once_a_second_in_order_with_the_messages()
    {
        TestClient link = _broker.Receiver("m", "tail", "a");
        TestClient publisher = _broker.Client();
        publisher.Publish("b", "1");
        publisher.Publish("a", "2");
        _broker.Advance(1000);
        Assert.NotEmpty(link.Tails);
        Assert.Equal("p100:2", link.Tails[0].Payload);
        Assert.Equal("2", link.All[^2].Topic == "a" ? link.All[^2].Payload : link.All.First(item => item.Topic == "a").Payload);
        int before = link.Tails.Count;
        _broker.Advance(10_000);
        Assert.True(link.Tails.Count - before >= 10);
    }

    [Fact]
    public void A_congested_link_stops_its_cursor_drops_QoS_0_and_goes_on_where_it_stopped()
    {
        TestClient link = _broker.ReceiveLink("m", capacityBytes: 16 * 1024);
        link.Subscribe("a/#", QoS.AtLeastOnce, 1);
        link.Request("$trunkline/resume", "tail");
        TestClient other = _broker.Receiver("o", "tail", "a/#");
        TestClient publisher = _broker.PublishLink("n");
        link.Pause();
        string body = new('x', 1000);
        const int Count = 500;
        for (int i = 1; i <= Count; i++)
        {
            publisher.Publish("a/1", $"{i} {body}", tl: $"n{i}");
            publisher.Publish("a/0", "zero", QoS.AtMostOnce);
        }

        Assert.Equal(2 * Count, other.Messages.Count);
        Assert.Equal(Count, publisher.Acknowledged.Count);
        Assert.True(_broker.Count(BrokerCounter.LinkDroppedCongested) > 0);
        Assert.True(_broker.Count(BrokerCounter.LinkStops) > 0);
        _broker.Advance(3000);
        int tails = link.Tails.Count;
        link.Resume();
        _broker.Advance(1000);
        Received[] logged = [.. link.Messages.Where(message => message.Topic == "a/1")];
        Assert.Equal(Enumerable.Range(1, Count).Select(i => $"p100:{i};q1"), logged.Select(message => message.Tl));
        Assert.True(link.Messages.Count < 2 * Count);
        Assert.Equal($"p100:{Count}", link.Tails[^1].Payload);
        Assert.True(link.Tails.Count > tails);

        // At the tail again: straight to the link.
        long reads = _broker.Count(BrokerCounter.LogReads);
        publisher.Publish("a/1", "last", tl: $"n{Count + 1}");
        Assert.Equal("last", link.Messages[^1].Payload);
        Assert.Equal(reads, _broker.Count(BrokerCounter.LogReads));
    }

    [Fact]
    public void A_long_way_back_is_read_in_slices()
    {
        var broker = new TestBroker(new BrokerOptions { ReadAheadRecords = 10 });
        TestClient publisher = broker.Client();
        for (int i = 0; i < 95; i++)
        {
            publisher.Publish(i % 10 == 0 ? "a" : "b", $"{i}");
        }

        TestClient link = broker.ReceiveLink("m");
        link.Subscribe("a", QoS.AtLeastOnce, 1);
        link.Hold = true;
        link.Request("$trunkline/resume", "p100:0");
        broker.Loop.RunTurn();
        broker.Loop.RunTurn();
        broker.Run();
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i * 10}"), link.Payloads);
    }

    [Fact]
    public void A_filter_ends_with_UNSUBSCRIBE_and_a_new_identifier_replaces_the_old()
    {
        TestClient link = _broker.Receiver("m", "tail", "a", "b");
        TestClient publisher = _broker.Client();
        link.Unsubscribe("a");
        link.Subscribe("b", QoS.AtLeastOnce, 77);
        publisher.Publish("a", "1");
        publisher.Publish("b", "2");
        Assert.Equal([77u], Assert.Single(link.Messages).Identifiers);
    }

    [Fact]
    public void An_older_link_of_the_same_node_is_closed()
    {
        TestClient first = _broker.Receiver("m", "tail", "a");
        TestClient second = _broker.Receiver("m", "tail", "a");
        Assert.Equal(ReasonCode.SessionTakenOver, first.Disconnected);
        _broker.Client().Publish("a", "1");
        Assert.Empty(first.Messages);
        Assert.Equal(["1"], second.Payloads);
        Assert.Equal(1, _broker.Count(BrokerCounter.ReceiveLinks));
    }

    [Fact]
    public void Expired_messages_are_left_out_and_lifetimes_shrink()
    {
        TestClient publisher = _broker.Client();
        publisher.Publish("a", "short", expiry: 2);
        publisher.Publish("a", "long", expiry: 100);
        _broker.Advance(10_000);
        TestClient link = _broker.Receiver("m", "p100:0", "a");
        Assert.Equal(["long"], link.Payloads);
        Assert.Equal(90u, link.Messages[0].Expiry);
        Assert.Equal(1, _broker.Count(BrokerCounter.LinkDroppedExpired));
    }

    [Fact]
    public void A_message_the_link_cannot_take_is_counted()
    {
        TestClient link = _broker.Join();
        link.Connect("r", tl: "v1;kr;dm;l0;h0", maximumPacketSize: 200);
        link.Subscribe("a", QoS.AtLeastOnce, 1);
        link.Request("$trunkline/resume", "tail");
        TestClient publisher = _broker.Client();
        publisher.Publish("a", new string('x', 500));
        publisher.Publish("a", "small");
        Assert.Equal(["small"], link.Payloads);
        Assert.Equal(1, _broker.Count(BrokerCounter.LinkDroppedTooLarge));
    }
}
