using System.Text;
using Trunkline.Broker.Tests.Store;
using Trunkline.Broker.Tests.Support;
using Trunkline.Topics;

namespace Trunkline.Broker.Tests.Logs;

/// <summary>Reads by filters look only at the pieces of the log that may hold something, and miss nothing.</summary>
public sealed class FilteredReadTests
{
    [Theory]
    [InlineData(31, true)]
    [InlineData(32, true)]
    [InlineData(33, false)]
    public void A_filtered_read_finds_exactly_what_matches_also_after_a_restart(int seed, bool onDisk)
    {
        var random = new Random(seed);
        using var folder = new TempFolder();
        TestBroker broker = Broker(folder, onDisk);
        TestClient publisher = broker.PublishLink("n");
        var all = new List<(string Topic, string Payload)>();
        for (int i = 0; i < 600; i++)
        {
            (string topic, string payload) = ($"site-{random.Next(i / 20, (i / 20) + 4)}/{random.Next(3)}", $"{i} {new string('x', random.Next(300))}");
            all.Add((topic, payload));
            publisher.Publish(topic, payload, tl: $"n{i + 1}");
        }

        LoopUntil.Holds(broker.Loop, () => publisher.Acknowledged.Count == all.Count, "all are acknowledged");
        for (int round = 0; round < 2; round++)
        {
            foreach (string[] filters in new string[][]
            {
                ["site-3/1"], ["site-20/0", "site-3/2"], ["site-7/#"], ["site-9/+", "nothing/at/all"], ["nothing"], ["+/1"], ["#"], ["+/+"], ["+/7"], ["+/#"], ["+/1/#", "site-3/2"], ["+"], ["+/+/+"],
            })
            {
                string[] expected = [.. all.Where(message => filters.Any(filter => Matches(filter, message.Topic))).Select(message => message.Payload)];
                Assert.Equal(expected, Read(broker, filters));
            }

            if (!onDisk)
            {
                break;
            }

            broker.Group.Stop();
            broker = Broker(folder, onDisk);
        }

        broker.Group.Stop();
    }

    [Fact]
    public void Pieces_without_a_wanted_topic_are_passed_over_unread()
    {
        using var folder = new TempFolder();
        var store = new StoreHarness(folder.Path, StoreHarness.Small);
        store.Append("first", topic: "rare/one");
        for (int i = 0; i < 500; i++)
        {
            store.Append(new string('x', 500), topic: $"busy/{i % 10}");
        }

        store.Append("last", topic: "rare/one");
        store.Commit();
        foreach ((string filter, int atMost) in new[] { ("rare/one", 30), ("rare/#", 30), ("absent", 20), ("+/one", 30), ("+/one/#", 30), ("rare/+", 30), ("+/3/absent", 20), ("+", 20), ("+/+/+", 20) })
        {
            TopicsWanted wanted = TopicsWanted.Of([TopicFilterText.TryParse(Encoding.UTF8.GetBytes(filter), new TopicLimits(), out TopicFilterText parsed, out _) ? parsed : default], 1)!;
            LogCursor cursor = store.Log.Seek(default, out _);
            int read = 0;
            do
            {
                wanted.BeginTurn();
                Assert.True(store.Log.Skip(ref cursor, wanted));
                read++;
            }
            while (store.Next(ref cursor, out _) != LogReading.Tail);
            Assert.InRange(read, 1, atMost);
        }

        store.Close();
    }

    [Fact]
    public void Messages_that_are_too_old_go()
    {
        var options = new BrokerOptions { LogMaximumAgeMs = 10_000 };
        var memory = new TestBroker(options);
        TestClient publisher = memory.PublishLink("n");
        publisher.Publish("a", "old", tl: "n1");
        memory.Advance(8_000);
        publisher.Publish("a", "new", tl: "n2");
        memory.Advance(4_000);
        Assert.Equal(["new"], Read(memory, ["#"]));
        Assert.Equal(1, memory.Group.Log.Dropped);

        using var folder = new TempFolder();
        TestBroker file = Broker(folder, onDisk: true, StoreHarness.Small with { LogMaximumAgeMs = 10_000 });
        publisher = file.PublishLink("n");
        for (int i = 1; i <= 40; i++)
        {
            publisher.Publish("a", $"{i} {new string('x', 1000)}", tl: $"n{i}");
            file.Advance(1_000);
        }

        Assert.InRange(file.Group.Log.Messages, 10, 30);
        file.Group.Stop();
    }

    private static bool Matches(string filter, string topic) =>
        TopicMatcher.Matches(Encoding.UTF8.GetBytes(filter), Encoding.UTF8.GetBytes(topic));

    private static TestBroker Broker(TempFolder folder, bool onDisk, BrokerOptions? options = null) => onDisk
        ? new TestBroker(
            (options ?? StoreHarness.Small) with { DataDirectory = folder.Path }, store: (loop, all) => GroupStore.Open("g", all, loop))
        : new TestBroker(new BrokerOptions { LogBlockBytes = 4096 });

    /// <summary>Every page, as a node reads them.</summary>
    private static List<string> Read(TestBroker broker, string[] filters)
    {
        TestClient asker = broker.Client();
        var payloads = new List<string>();
        string from = "p0:0";
        for (int page = 0; page < 10_000; page++)
        {
            Received reply = asker.Ask("$trunkline/log", $"from {from}\n" + string.Join('\n', filters.Select(filter => $"filter {filter}")));
            payloads.AddRange(reply.Page().Select(message => message.Payload));
            from = "p" + reply.Field('p');
            if (reply.Field('c') is null)
            {
                return payloads;
            }
        }

        throw new InvalidOperationException("the pages do not end");
    }
}
