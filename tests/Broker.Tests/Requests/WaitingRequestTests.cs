using Trunkline.Broker.Tests.Store;
using Trunkline.Broker.Tests.Support;

namespace Trunkline.Broker.Tests.Requests;

/// <summary>
/// Requests for parts of the log that lie on disk alone. The loop's clock stands still: what is answered was answered because
/// the disk had read, not because time had passed.
/// </summary>
public sealed class WaitingRequestTests : IDisposable
{
    private const int Messages = 600;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("600 10000000", 0, 600)]
    [InlineData("100 10000000", 500, 100)]
    public void A_count_goes_on_with_each_part_that_was_read(string newest, int skipped, int left)
    {
        TestBroker broker = Fill(StoreHarness.Small);
        TestClient asker = broker.Client();
        Received reply = asker.Ask("$trunkline/log", $"from p{broker.Tail.Term}:0\nfilter #\nnewest {newest}");
        Assert.EndsWith($";k{skipped};l{left}", reply.Tl, StringComparison.Ordinal);
        broker.Group.Stop();
    }

    [Fact]
    public void A_page_that_begins_on_disk_is_answered_when_it_was_read()
    {
        TestBroker broker = Fill(StoreHarness.Small);
        TestClient asker = broker.Client();
        int read = 0;
        string? from = $"p{broker.Tail.Term}:0";
        while (from is not null)
        {
            Received reply = asker.Ask("$trunkline/log", $"from {from}\nfilter #\nbytes 1000");
            from = reply.Field('c') is null ? null : "p" + reply.Field('p');
            Assert.True(reply.Page().Count > 0 || from is null, "A page came empty, and it was not the last one.");
            read += reply.Page().Count;
        }

        Assert.Equal(Messages, read);
        Assert.Equal(0, broker.Count(BrokerCounter.RequestsNotWaited));
        broker.Group.Stop();
    }

    [Fact]
    public void Messages_asked_for_by_position_are_answered_when_they_were_read()
    {
        TestBroker broker = Fill(StoreHarness.Small);
        TestClient asker = broker.Client();
        Received reply = asker.Ask("$trunkline/log", $"from p{broker.Tail.Term}:0\nfilter #\nat {broker.Tail.Term}:7");
        Assert.Equal($"{broker.Tail.Term}:7", Assert.Single(reply.Page()).Field('p'));
        broker.Group.Stop();
    }

    [Fact]
    public void More_than_may_wait_are_answered_empty_at_their_place_and_counted()
    {
        TestBroker broker = Fill(StoreHarness.Small with { RequestsWaitingMaximum = 0 });
        TestClient asker = broker.Client();
        string from = $"p{broker.Tail.Term}:0";
        asker.Request("$trunkline/log", $"from {from}\nfilter #");
        Assert.Empty(asker.LastReply.Page());
        Assert.Equal($"{from};c1;l{Messages}", asker.LastReply.Tl);
        asker.Request("$trunkline/log", $"from {from}\nfilter #\nat {broker.Tail.Term}:300 301");
        Assert.Equal($"{from};c1;l2", asker.LastReply.Tl);
        Assert.Equal(2, broker.Count(BrokerCounter.RequestsNotWaited));
        LoopUntil.Holds(
            broker.Loop,
            () =>
            {
                asker.Request("$trunkline/log", $"from {from}\nfilter #");
                return asker.LastReply.Page().Count > 0;
            },
            "the part is read all the same");
        broker.Group.Stop();
    }

    private TestBroker Fill(BrokerOptions options)
    {
        var broker = new TestBroker(
            options with { Store = LogStore.File, DataDirectory = _folder.Path }, store: (loop, all) => GroupStore.Open("g", all, loop));
        TestClient publisher = broker.PublishLink("n");
        for (int n = 1; n <= Messages; n++)
        {
            publisher.Publish("t", new string('x', 200), tl: $"n{n}");
        }

        LoopUntil.Holds(broker.Loop, () => publisher.Acknowledged.Count == Messages, "all are in the log");
        return broker;
    }
}
