using System.Text.Json;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Requests;

public sealed class RequestTests
{
    private readonly TestBroker _broker = new();

    [Fact]
    public void Retained_messages_come_in_pages()
    {
        TestClient publisher = _broker.Client();
        for (int i = 0; i < 50; i++)
        {
            publisher.Publish($"t/{i:d2}", new string('x', 100), i % 2 == 0 ? QoS.AtLeastOnce : QoS.AtMostOnce, retain: true, expiry: 60);
        }

        _broker.Advance(10_000);
        TestClient asker = _broker.Client();
        List<Received> all = ReadPages(asker, "t/+", 1000, out int pages);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"t/{i:d2}"), all.Select(message => message.Topic).Order());
        Assert.InRange(pages, 5, 10);
        Assert.All(all, message => Assert.True(message.Retain && message.Expiry == 50));
        Assert.Equal(25, all.Count(message => message is { QoS: QoS.AtLeastOnce, PacketId: 1 }));
        Assert.Equal("p100:25", asker.Replies[0].Tl!.Split(';')[0]);
        Assert.Equal("50", asker.Replies[0].Field('s'));
    }

    [Fact]
    public void A_request_names_so_many_filters_and_one_more_is_an_error_that_is_counted()
    {
        var broker = new TestBroker(new BrokerOptions { RequestFiltersMaximum = 3 });
        TestClient asker = broker.Client();
        asker.Request("$trunkline/log", "from p0:0\nfilter a\nfilter b\nfilter c");
        Assert.Null(asker.LastReply.Field('e'));
        Assert.Equal(0, broker.Count(BrokerCounter.RequestsFailed));

        asker.Request("$trunkline/log", "from p0:0\nfilter a\nfilter b\nfilter c\nfilter d");
        Assert.Contains("Broker:RequestFiltersMaximum", asker.LastReply.Tl, StringComparison.Ordinal);
        Assert.Equal(1, broker.Count(BrokerCounter.RequestsFailed));
    }

    [Fact]
    public void A_page_holds_the_messages_at_the_positions_asked_for_and_passes_over_what_is_not_there()
    {
        TestClient publisher = _broker.PublishLink("n");
        for (int i = 1; i <= 20; i++)
        {
            publisher.Publish("t", $"{i}", tl: $"n{i}", expiry: i == 9 ? 5u : null);
        }

        _broker.Advance(10_000);
        TestClient asker = _broker.Client();
        asker.Request("$trunkline/log", "from p100:1\nfilter #\nat 100:1 2 3 7 9 20 21 101:4");
        Assert.Equal(["2", "3", "7", "20"], asker.LastReply.Page().Select(message => message.Payload));
        Assert.Equal("p101:4", asker.LastReply.Tl!.Split(';')[0]);
        Assert.Null(asker.LastReply.Field('c'));

        // A full page says how far it got.
        asker.Request("$trunkline/log", "from p100:0\nfilter #\nat 100:2 5 6 7\nbytes 1");
        Assert.Equal(["2"], asker.LastReply.Page().Select(message => message.Payload));
        Assert.Equal(("100:2", "1", "3"), (asker.LastReply.Field('p'), asker.LastReply.Field('c'), asker.LastReply.Field('l')));
        asker.Request("$trunkline/log", "from p100:2\nfilter #\nat 100:2 5 6 7");
        Assert.Equal(["5", "6", "7"], asker.LastReply.Page().Select(message => message.Payload));
    }

    [Theory]
    [InlineData("100:5 5")]
    [InlineData("100:5 4")]
    [InlineData("5")]
    [InlineData("100:x")]
    [InlineData("")]
    public void Positions_that_are_malformed_or_do_not_rise_are_an_error(string at)
    {
        TestClient asker = _broker.Client();
        asker.Request("$trunkline/log", $"from p100:0\nfilter #\nat {at}");
        Assert.NotNull(asker.LastReply.Field('e'));
        Assert.Equal(1, _broker.Count(BrokerCounter.RequestsFailed));
    }

    [Fact]
    public void A_request_names_so_many_positions_and_one_more_is_an_error_that_is_counted()
    {
        var broker = new TestBroker(new BrokerOptions { RequestPositionsMaximum = 3 });
        TestClient asker = broker.Client();
        asker.Request("$trunkline/log", "from p100:0\nfilter #\nat 100:1 2 3");
        Assert.Null(asker.LastReply.Field('e'));
        asker.Request("$trunkline/log", "from p100:0\nfilter #\nat 100:1 2 3 4");
        Assert.Contains("Broker:RequestPositionsMaximum", asker.LastReply.Tl, StringComparison.Ordinal);
        Assert.Equal(1, broker.Count(BrokerCounter.RequestsFailed));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Pages_under_change_give_what_stayed_once_and_never_what_changed_since(int seed)
    {
        var random = new Random(seed);
        TestClient publisher = _broker.Client();
        for (int i = 0; i < 300; i++)
        {
            publisher.Publish($"t/{i:d3}", "old", retain: true);
        }

        TestClient asker = _broker.Client();
        var changed = new HashSet<string>();
        var seen = new List<Received>();
        string? cursor = null;
        string? since = null;
        do
        {
            asker.Request("$trunkline/retained", $"filter t/#\nbytes 1024{(cursor is null ? "" : $"\ncursor {cursor}\nsince {since}")}");
            seen.AddRange(asker.LastReply.Page());
            cursor = asker.LastReply.Field('c');
            since ??= asker.LastReply.Field('s');
            for (int i = 0; i < 10; i++)
            {
                string topic = $"t/{random.Next(400):d3}";
                changed.Add(topic);
                publisher.Publish(topic, random.Next(3) == 0 ? "" : "new", retain: true);
            }
        }
        while (cursor is not null);

        Assert.All(seen, message => Assert.True(message.Payload == "old", $"seed {seed}: {message.Topic}"));
        Assert.Equal(seen.Count, seen.Select(message => message.Topic).Distinct().Count());
        string[] stayed = [.. Enumerable.Range(0, 300).Select(i => $"t/{i:d3}").Where(topic => !changed.Contains(topic))];
        Assert.True(stayed.Except(seen.Select(message => message.Topic)).FirstOrDefault() is null, $"seed {seed}");
    }

    [Fact]
    public void A_page_stays_below_what_the_asker_takes()
    {
        TestClient publisher = _broker.Client();
        foreach (string topic in new[] { "t/1", "t/2", "t/3", "t/4" })
        {
            publisher.Publish(topic, new string('x', topic == "t/3" ? 9_000 : 1_500), retain: true);
        }

        TestClient asker = _broker.Join();
        asker.Connect("asker", maximumPacketSize: 5_000);
        List<Received> all = ReadPages(asker, "#", 65_536, out _);
        Assert.Equal(["t/1", "t/2", "t/4"], all.Select(message => message.Topic));
    }

    [Fact]
    public void The_log_is_read_filtered_in_pages()
    {
        TestClient publisher = _broker.PublishLink("n");
        for (int i = 1; i <= 60; i++)
        {
            publisher.Publish(i % 3 == 0 ? "a/x" : "b/y", $"{i} {new string('x', 50)}", retain: i == 3, tl: $"n{i};q2;o00000000000000ff");
        }

        TestClient asker = _broker.Client();
        var seen = new List<Received>();
        string from = "p100:0";
        bool isMore;
        do
        {
            asker.Request("$trunkline/log", $"from {from}\nfilter a/+\nfilter c/#\nbytes 512");
            seen.AddRange(asker.LastReply.Page());
            from = "p" + asker.LastReply.Field('p');
            isMore = asker.LastReply.Field('c') is not null;
        }
        while (isMore);

        Assert.Equal("p100:60", from);
        Assert.True(asker.Replies.Count > 2);
        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"100:{i * 3}"), seen.Select(message => message.Field('p')));
        Assert.Equal("p100:3;r;o00000000000000ff", seen[0].Tl);
        Assert.All(seen, message => Assert.True(message is { QoS: QoS.ExactlyOnce, PacketId: 1 }));
    }

    [Theory]
    [InlineData("20 1000000", 0, 20, "p100:0")]
    [InlineData("19 1000000", 1, 19, "p100:3")]
    [InlineData("0 1000000", 20, 0, "p100:60")]
    [InlineData("20 79", 1, 19, "p100:3")]
    [InlineData("20 80", 0, 20, "p100:0")]
    public void The_newest_so_many_messages_of_some_filters_are_found(string newest, int skipped, int left, string position)
    {
        TestClient publisher = _broker.PublishLink("n");
        for (int i = 1; i <= 60; i++)
        {
            publisher.Publish(i % 3 == 0 ? "a/x" : "b/y", "1", tl: $"n{i};q1");
        }

        TestClient asker = _broker.Client();
        asker.Request("$trunkline/log", $"from p100:0\nfilter a/+\nnewest {newest}");
        Assert.Equal($"{position};k{skipped};l{left}", asker.LastReply.Tl);
    }

    [Fact]
    public void Statistics_are_JSON()
    {
        _broker.Receiver("m", "tail", "a", "b");
        TestClient client = _broker.Client();
        client.Publish("a", "1", retain: true);
        client.Request("$trunkline/statistics", "");
        using var json = JsonDocument.Parse(client.LastReply.Payload);
        Assert.Equal("100:1", json.RootElement.GetProperty("tail").GetString());
        Assert.Equal(100, json.RootElement.GetProperty("term").GetInt32());
        Assert.Equal(1, json.RootElement.GetProperty("messages").GetInt32());
        Assert.Equal(1, json.RootElement.GetProperty("retained").GetInt32());
        Assert.Equal(2, json.RootElement.GetProperty("subscriptions").GetInt32());
        Assert.Equal(1, json.RootElement.GetProperty("receiveLinks").GetInt32());
        Assert.Equal(1, json.RootElement.GetProperty("clients").GetInt32());
    }

    [Theory]
    [InlineData("$trunkline/nothing", "", "no such request")]
    [InlineData("$trunkline/retained", "", "exactly one line")]
    [InlineData("$trunkline/retained", "filter a/#/b", "malformed topic filter")]
    [InlineData("$trunkline/retained", "filter $share/g/a", "shared filter")]
    [InlineData("$trunkline/retained", "filter a\ncursor zz", "malformed value")]
    [InlineData("$trunkline/retained", "filter a\nbytes 0", "malformed value")]
    [InlineData("$trunkline/retained", "colour red", "not known")]
    [InlineData("$trunkline/log", "filter a", "'from p<term>:<offset>'")]
    [InlineData("$trunkline/log", "from p1:1\nfilter a\nnewest 3", "malformed value")]
    [InlineData("$trunkline/log", "from p1:1\nfilter a\nnewest -1 3", "malformed value")]
    [InlineData("$trunkline/log", "from p1:1", "'filter <filter>'")]
    public void A_bad_request_is_answered_with_a_sentence(string topic, string payload, string expected)
    {
        TestClient asker = _broker.Client();
        asker.Request(topic, payload);
        Assert.StartsWith("e", asker.LastReply.Tl, StringComparison.Ordinal);
        Assert.Contains(expected, asker.LastReply.Tl, StringComparison.Ordinal);
        Assert.Equal(topic, asker.LastReply.Correlation);
    }

    [Fact]
    public void Without_a_response_topic_nothing_can_be_answered()
    {
        TestClient asker = _broker.Client();
        asker.Publish("$trunkline/statistics", "");
        Assert.Equal(ReasonCode.NotAuthorized, asker.Acknowledged[0].Reason);
        Assert.Empty(asker.All);
        Assert.Equal(0, _broker.Group.Log.Messages);
    }

    [Fact]
    public void An_asker_that_does_not_read_is_not_read_from()
    {
        TestClient publisher = _broker.Client();
        for (int i = 0; i < 60; i++)
        {
            publisher.Publish($"t/{i}", new string('x', 1000), retain: true);
        }

        TestClient asker = _broker.Client();
        asker.Pause();
        for (int i = 0; i < 100; i++)
        {
            asker.Request("$trunkline/retained", "filter t/#");
        }

        Assert.InRange(_broker.Count(BrokerCounter.Requests), 1, 20);
        asker.Resume();
        Assert.Equal(100, asker.Replies.Count);
        Assert.False(asker.IsClosed);
    }

    private static List<Received> ReadPages(TestClient asker, string filter, int bytes, out int pages)
    {
        var all = new List<Received>();
        string? cursor = null;
        string? since = null;
        pages = 0;
        do
        {
            asker.Request("$trunkline/retained", $"filter {filter}\nbytes {bytes}{(cursor is null ? "" : $"\ncursor {cursor}\nsince {since}")}");
            all.AddRange(asker.LastReply.Page());
            cursor = asker.LastReply.Field('c');
            since ??= asker.LastReply.Field('s');
            pages++;
        }
        while (cursor is not null && pages < 1000);

        return all;
    }
}
