using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Shares;

/// <summary>Shares with nodes behind links: what is handed out, reported, lost and handed out again.</summary>
public sealed class ShareLinkTests
{
    private const string Share = "$share/g/a/#";
    private readonly TestBroker _broker = new(new BrokerOptions { NodeGoneMs = 5_000, ShareKeptSeconds = 60 });

    [Fact]
    public void Nodes_and_clients_take_turns_by_how_many_members_they_have()
    {
        TestClient client = _broker.Client();
        client.Subscribe(Share, QoS.AtLeastOnce);
        TestClient one = _broker.Receiver("one", "tail", Share, "a/+");
        one.Report(Share, "members 3 1000 round-robin");
        TestClient two = _broker.Receiver("two", "tail", Share);
        Publish(0, 10);
        Assert.Equal(10, one.Messages.Count(message => message.Identifiers is [2] && message.Field('h') is null));
        Assert.Equal(6, Handed(one).Length);
        Assert.Equal(2, Handed(two).Length);
        Assert.Equal(2, client.Messages.Count);
        Assert.All(Handed(one), message => Assert.Equal([1u], message.Identifiers));
    }

    [Fact]
    public void A_node_gets_nothing_before_it_says_who_is_there_and_no_more_than_they_take()
    {
        TestClient link = _broker.ReceiveLink("m");
        link.Subscribe(Share, QoS.AtLeastOnce, identifier: 1, retainHandling: RetainHandling.DoNotSend);
        link.Request("$trunkline/resume", "tail");
        Publish(0, 5);
        Assert.Empty(link.Messages);
        link.Report(Share, "members 1 2 round-robin");
        Assert.Equal(["0", "1"], link.Payloads);
        Assert.True(_broker.Count(BrokerCounter.ShareWaits) > 0);
        link.Report(Share, $"done {Place(link.Messages[0])}");
        Assert.Equal(["0", "1", "2"], link.Payloads);
        link.Report(Share, $"done {Place(link.Messages[1])} {Place(link.Messages[2])}");
        Assert.Equal(["0", "1", "2", "3", "4"], link.Payloads);
        link.Report(Share, "members 0 0 round-robin");
        Publish(5, 6);
        Assert.Equal(5, link.Messages.Count);
    }

    [Fact]
    public void After_a_lost_connection_a_node_keeps_what_it_claims_and_gets_the_rest_again()
    {
        TestClient one = _broker.Receiver("one", "tail", Share);
        Publish(0, 4);
        one.Break();
        Publish(4, 5);
        TestClient again = Reconnect("one", $"done {Place(one.Messages[0])}", $"hold {Place(one.Messages[1])} {Place(one.Messages[3])}");
        Assert.Equal(["2", "4"], Handed(again).Select(message => message.Payload));
        again.Report(Share, $"done {string.Join(' ', one.Messages.Skip(1).Concat(again.Messages).Select(Place))}");
        _broker.Advance(1_000);
        Assert.Equal(0, _broker.Count(BrokerCounter.ShareOutstanding));
    }

    [Fact]
    public void What_a_node_that_stays_away_has_goes_to_another()
    {
        TestClient one = _broker.Receiver("one", "tail", Share);
        Publish(0, 3);
        one.Report(Share, $"done {Place(one.Messages[1])}");
        one.Break();
        TestClient two = _broker.Receiver("two", "tail", Share);
        TestClient plain = _broker.Receiver("plain", "p100:0", "a/#");
        Publish(3, 4);
        Assert.Equal(["3"], two.Payloads);
        _broker.Advance(6_000);
        Assert.Equal(["3", "0", "2"], two.Payloads);
        Assert.Equal(["0", "1", "2", "3"], plain.Payloads);
        Assert.Equal(2, _broker.Count(BrokerCounter.ShareHandedOver));
    }

    [Fact]
    public void What_is_given_back_goes_to_another()
    {
        TestClient one = _broker.Receiver("one", "tail", Share);
        TestClient two = _broker.Receiver("two", "tail", Share);
        Publish(0, 2);
        one.Report(Share, "members 0 0 round-robin", $"back {Place(one.Messages[0])}");
        Assert.Equal(["1", "0"], two.Payloads);
        two.Report(Share, $"back {Place(one.Messages[0]).Replace("100:", "99:", StringComparison.Ordinal)}");
        Assert.Equal(2, two.Messages.Count);
    }

    [Fact]
    public void A_QoS_2_message_is_one_sessions_for_good()
    {
        TestClient one = _broker.Receiver("one", "tail", Share);
        _broker.Client().Publish("a/1", "m", QoS.ExactlyOnce);
        string place = Place(one.Messages[0]);
        one.Report(Share, $"take aa {place}");
        Assert.Equal("g", one.LastReply.Payload);
        TestClient two = _broker.Receiver("two", "tail", Share);
        one.Report(Share, $"back {place}");
        one.Break();
        _broker.Advance(6_000);
        Assert.Empty(two.Messages);
        two.Report(Share, $"take bb {place}", $"take aa {place}", $"take aa {place}");
        Assert.Equal("xgg", two.LastReply.Payload);
        two.Report(Share, $"done {place}", $"take bb {place}");
        Assert.Equal("x", two.LastReply.Payload);
        _broker.Advance(1_000);
        Assert.Equal(0, _broker.Count(BrokerCounter.ShareTakes));
        Assert.Empty(two.Messages);
    }

    [Fact]
    public void What_was_taken_for_a_session_that_never_began_goes_to_another()
    {
        TestClient one = _broker.Receiver("one", "tail", Share);
        _broker.Client().Publish("a/1", "m", QoS.ExactlyOnce);
        string place = Place(one.Messages[0]);
        one.Report(Share, $"take aa {place}");
        one.Report(Share, $"free bb {place}");
        Assert.Single(one.Messages);
        one.Report(Share, $"free aa {place}");
        Assert.Equal(["m", "m"], one.Payloads);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, 1)]
    [InlineData(QoS.ExactlyOnce, 60)]
    public void A_lasting_share_waits_for_its_members_and_another_ends_with_them(QoS qos, int seconds)
    {
        TestClient link = Subscribed("m", qos);
        link.Unsubscribe(Share);
        Publish(0, 3);
        _broker.Advance((seconds * 1000) - 2_000);
        Publish(3, 4);
        link = Subscribed("m", qos);
        Assert.Equal(qos == QoS.ExactlyOnce ? ["0", "1", "2", "3"] : [], link.Payloads);
        link.Unsubscribe(Share);
        _broker.Advance((seconds * 1000) + 1_000);
        Publish(4, 5);
        Assert.Empty(Subscribed("n", qos).Messages);
        Assert.True(_broker.Count(BrokerCounter.SharesEnded) > 0);
    }

    [Fact]
    public void Handed_out_and_taken_messages_have_limits_at_which_the_share_waits()
    {
        var broker = new TestBroker(new BrokerOptions { ShareHandedOutMaximum = 4, ShareNodeMaximum = 3, ShareTakesMaximum = 1 });
        TestClient one = broker.Receiver("one", "tail", Share);
        TestClient publisher = broker.Client();
        for (int i = 0; i < 6; i++)
        {
            publisher.Publish("a/1", $"{i}", QoS.ExactlyOnce);
        }

        Assert.Equal(["0", "1", "2"], one.Payloads);
        TestClient two = broker.Receiver("two", "tail", Share);
        Assert.Equal(["3"], two.Payloads);
        Assert.True(broker.Count(BrokerCounter.ShareWaits) > 1);
        two.Report(Share, $"take aa {Place(two.Messages[0])}");
        Assert.Equal(["3"], two.Payloads);
        two.Report(Share, $"done {Place(two.Messages[0])}");
        Assert.Equal(["3", "4"], two.Payloads);
    }

    [Fact]
    public void What_retention_takes_from_a_share_is_counted()
    {
        var broker = new TestBroker(new BrokerOptions { LogMaximumMessages = 5 });
        TestClient link = broker.Receiver("one", "tail", Share);
        link.Report(Share, "members 1 1 round-robin");
        TestClient publisher = broker.Client();
        for (int i = 0; i < 20; i++)
        {
            publisher.Publish("a/1", $"{i}");
        }

        link.Report(Share, $"done {Place(link.Messages[0])}", "members 1 100 round-robin");
        Assert.Equal(["0", "15", "16", "17", "18", "19"], link.Payloads);
        Assert.Equal(1, broker.Count(BrokerCounter.ShareLosses));
    }

    [Theory]
    [InlineData("share a/#")]
    [InlineData("share $share/g/a/#\nmembers 1")]
    [InlineData("share $share/g/a/#\nmembers 1 1 whim")]
    [InlineData("share $share/g/a/#\ndone 7")]
    [InlineData("share $share/g/a/#\ntake 0 1:7")]
    [InlineData("share $share/g/a/#\nsteal 1:7")]
    [InlineData("done")]
    public void A_malformed_report_is_answered_with_a_sentence(string lines)
    {
        TestClient link = _broker.Receiver("one", "tail", Share);
        link.Request("$trunkline/shares", lines);
        Assert.NotNull(link.LastReply.Field('e'));
        TestClient client = _broker.Client();
        client.Request("$trunkline/shares", "share $share/g/a/#");
        Assert.NotNull(client.LastReply.Field('e'));
    }

    private static string Place(Received message) => message.Field('p')!;

    private static Received[] Handed(TestClient link) => [.. link.Messages.Where(message => message.Field('h') is not null)];

    private TestClient Subscribed(string node, QoS qos)
    {
        TestClient link = _broker.ReceiveLink(node);
        link.Subscribe(Share, qos, identifier: 1, retainHandling: RetainHandling.DoNotSend);
        link.Report(Share, "members 1 100 round-robin");
        link.Request("$trunkline/resume", "tail");
        return link;
    }

    private TestClient Reconnect(string node, params string[] lines)
    {
        TestClient link = _broker.ReceiveLink(node);
        link.Subscribe(Share, QoS.AtLeastOnce, identifier: 1, retainHandling: RetainHandling.DoNotSend);
        link.Report(Share, ["members 1 1000 round-robin", .. lines]);
        link.Request("$trunkline/resume", "p100:0");
        return link;
    }

    private void Publish(int from, int to)
    {
        TestClient publisher = _broker.Client();
        for (int i = from; i < to; i++)
        {
            publisher.Publish("a/1", $"{i}");
        }
    }
}
