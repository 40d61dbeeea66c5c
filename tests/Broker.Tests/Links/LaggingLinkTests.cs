using Trunkline.Broker.Tests.Support;

namespace Trunkline.Broker.Tests.Links;

/// <summary>A link behind the tail with few filters reads only the pieces of the log that may hold something for it.</summary>
public sealed class LaggingLinkTests
{
    private const int Messages = 2_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_resumed_link_with_few_filters_does_not_read_all_of_the_log(bool onDisk)
    {
        using var folder = new TempFolder();
        TestBroker broker = Broker(folder, onDisk);
        Fill(broker);
        long before = broker.Count(BrokerCounter.LogReads);
        TestClient link = broker.Receiver("m", "p0:0", "rare/one", "+/two", "nothing/+/at/all");
        LoopUntil.Holds(broker.Loop, () => link.Payloads.Length == 3, "what matches came");
        broker.Advance(1_000);
        Assert.Equal(["100", "1000", "1900"], link.Payloads.Select(payload => payload.Split(' ')[0]));
        Assert.InRange(broker.Count(BrokerCounter.LogReads) - before, 3, Messages / 10);
        Assert.Equal($"p{broker.Tail.Term}:{broker.Tail.Offset}", link.Tails[^1].Payload);
        broker.PublishLink("late").Publish("any/two", "live", tl: "n1");
        LoopUntil.Holds(broker.Loop, () => link.Payloads[^1] == "live", "it is live");
        broker.Group.Stop();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_link_with_many_filters_or_one_for_everything_misses_nothing(bool onDisk)
    {
        using var folder = new TempFolder();
        TestBroker broker = Broker(folder, onDisk);
        Fill(broker);
        string[] many = [.. Enumerable.Range(0, 300).Select(n => $"nothing/{n}"), "rare/one"];
        TestClient first = broker.Receiver("a", "p0:0", many);
        TestClient second = broker.Receiver("b", "p0:0", "#");
        LoopUntil.Holds(broker.Loop, () => first.Payloads.Length == 3 && second.Payloads.Length == Messages, "both have everything");
        broker.Group.Stop();
    }

    [Fact]
    public void What_was_chosen_for_the_node_of_a_share_comes_also_over_pieces_passed_over()
    {
        using var folder = new TempFolder();
        TestBroker broker = Broker(folder, onDisk: false);
        TestClient link = broker.Receiver("m", "tail", "$share/s/rare/+");
        link.Break();
        Fill(broker);
        TestClient again = broker.Receiver("m", "p100:0", "$share/s/rare/+");
        LoopUntil.Holds(broker.Loop, () => again.Payloads.Length == 3, "what was chosen came");
        Assert.InRange(broker.Count(BrokerCounter.LogReads), 3, Messages / 10);
    }

    [Fact]
    public void A_link_that_passes_over_pieces_never_names_a_position_beyond_what_was_given_out()
    {
        DelayedLog? log = null;
        var broker = new TestBroker(
            new BrokerOptions { LogBlockBytes = 4096 }, (loop, options) => log = new DelayedLog(new MemoryGroupLog(loop, options, term: 100)));
        TestClient publisher = broker.PublishLink("n");
        for (int n = 1; n <= 100; n++)
        {
            publisher.Publish("busy", new string('x', 500), tl: $"n{n}");
        }

        log!.Commit(40);
        TestClient link = broker.Receiver("m", "p0:0", "rare");
        broker.Advance(1_000);
        Assert.Equal("p100:40", link.Tails[^1].Payload);
        log.Commit(100);
        broker.Advance(1_000);
        Assert.Equal("p100:100", link.Tails[^1].Payload);
    }

    private static TestBroker Broker(TempFolder folder, bool onDisk)
    {
        var options = new BrokerOptions { LogBlockBytes = 4096, LogSegmentBytes = 64 * 1024, LogCacheBytes = 16 * 1024, DataDirectory = onDisk ? folder.Path : "" };
        return new TestBroker(options, store: onDisk ? (loop, all) => GroupStore.Open("g", all, loop) : null)
        {
            LinkCapacityBytes = 8 * 1024 * 1024,
        };
    }

    /// <summary>Messages numbered from 1; three of them rare.</summary>
    private static void Fill(TestBroker broker)
    {
        TestClient publisher = broker.PublishLink("n");
        for (int n = 1; n <= Messages; n++)
        {
            publisher.Publish(n % 900 == 100 ? "rare/one" : $"busy/{n % 10}", $"{n} {new string('x', 200)}", tl: $"n{n}");
        }

        LoopUntil.Holds(broker.Loop, () => publisher.Acknowledged.Count == Messages, "all are acknowledged");
    }
}
