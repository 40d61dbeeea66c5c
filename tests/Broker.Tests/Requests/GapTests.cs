using Trunkline.Broker.Tests.Support;

namespace Trunkline.Broker.Tests.Requests;

/// <summary>Who may have missed what a tenant lost over its share is told; nobody else.</summary>
public sealed class GapTests
{
    [Theory]
    [InlineData("hot/#", true)]
    [InlineData("hot/x", true)]
    [InlineData("+/x", true)]
    [InlineData("#", true)]
    [InlineData("quiet/#", false)]
    [InlineData("quiet/x", false)]
    public void A_page_says_lost_only_where_its_filters_may_have_matched(string filter, bool isLost)
    {
        TestBroker broker = Fill();
        TestClient asker = broker.Client();
        bool saidLost = false;
        int quiet = 0;
        string? from = "p100:1";
        while (from is not null)
        {
            asker.Request("$trunkline/log", $"from {from}\nfilter {filter}");
            Received reply = asker.LastReply;
            saidLost |= reply.Field('e') == "lost";
            quiet += reply.Page().Count(message => message.Topic == "quiet/x");
            from = reply.Field('c') is null ? null : "p" + reply.Field('p');
        }

        Assert.Equal(isLost, saidLost);
        Assert.Equal(filter.StartsWith("hot", StringComparison.Ordinal) ? 0 : 59, quiet);
    }

    [Theory]
    [InlineData("hot/#", true)]
    [InlineData("quiet/#", false)]
    public void A_link_that_resumes_over_a_gap_has_a_loss_counted_only_where_it_may_have_matched(string filter, bool isLost)
    {
        TestBroker broker = Fill();
        TestClient link = broker.Receiver("m", "p100:1", filter);
        broker.Advance(1_000);
        Assert.Equal(isLost, broker.Count(BrokerCounter.LinkLosses) > 0);
        Assert.Equal($"p{broker.Tail.Term}:{broker.Tail.Offset}", link.Tails[^1].Payload);
    }

    /// <summary>A session that comes back leaves to the log what the log has: what retention took it must get as retained.</summary>
    [Fact]
    public void A_retained_message_names_its_place_as_long_as_the_log_has_it()
    {
        var broker = new TestBroker(new BrokerOptions { LogBlockBytes = 4096, LogMaximumBytes = 64 * 1024 });
        TestClient publisher = broker.PublishLink("n");
        publisher.Publish("t/r", "1", tl: "n1", retain: true);
        TestClient asker = broker.Client();
        asker.Request("$trunkline/retained", "filter t/r");
        Assert.Equal("100:1", Assert.Single(asker.LastReply.Page()).Field('p'));
        Assert.Null(Assert.Single(asker.LastReply.Page()).Field('x'));
        for (int n = 2; n <= 1_000; n++)
        {
            publisher.Publish("t/n", new string('x', 100), tl: $"n{n}");
        }

        asker.Request("$trunkline/retained", "filter t/r");
        Received message = Assert.Single(asker.LastReply.Page());
        Assert.Equal("1", message.Payload);
        Assert.Null(message.Field('p'));
        Assert.Equal("100:1", message.Field('x'));
    }

    /// <summary>What a later page leaves out because it came live may be skipped there: the asker is told how far that reaches.</summary>
    [Fact]
    public void A_page_says_up_to_where_what_it_left_out_as_newer_lies()
    {
        var broker = new TestBroker();
        TestClient publisher = broker.PublishLink("n");
        publisher.Publish("t/a", "1", tl: "n1", retain: true);
        publisher.Publish("t/b", "1", tl: "n2", retain: true);
        TestClient asker = broker.Client();
        asker.Request("$trunkline/retained", "filter t/+");
        Assert.Null(asker.LastReply.Field('u'));
        string since = asker.LastReply.Field('s')!;
        publisher.Publish("t/b", "2", tl: "n3", retain: true);
        publisher.Publish("t/a", "2", tl: "n4", retain: true);
        publisher.Publish("t/c", "1", retain: true);
        asker.Request("$trunkline/retained", $"filter t/+\nsince {since}");
        Assert.Empty(asker.LastReply.Page());
        Assert.Equal("100:5", asker.LastReply.Field('u'));
        asker.Request("$trunkline/retained", $"filter t/b\nsince {since}");
        Assert.Equal("100:3", asker.LastReply.Field('u'));
    }

    /// <summary>The oldest message is a quiet one, so that the beginning of the log is none of the losses.</summary>
    private static TestBroker Fill()
    {
        var broker = new TestBroker(new BrokerOptions { LogBlockBytes = 4096, LogMaximumBytes = 64 * 1024 }) { LinkCapacityBytes = 8 * 1024 * 1024 };
        TestClient publisher = broker.PublishLink("n");
        for (int n = 1; n <= 3_000; n++)
        {
            publisher.Publish(n % 50 == 1 ? "quiet/x" : "hot/x", new string('x', 100), tl: $"n{n}");
        }

        return broker;
    }
}
