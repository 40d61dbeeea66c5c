using Trunkline.Broker.Tests.Store;
using Trunkline.Broker.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Requests;

/// <summary>Reads that want nothing older than some seconds.</summary>
public sealed class AgeTests
{
    [Fact]
    public void What_is_older_is_marked_on_a_page_and_comes_without_what_it_says()
    {
        TestBroker broker = Fill();
        TestClient asker = broker.Client();
        asker.Request("$trunkline/log", "from p0:0\nfilter a\nage 60");
        Assert.Equal(["", "", "3", "4", "5"], asker.LastReply.Page().Select(message => message.Payload));
        Assert.Equal(["a", "a"], asker.LastReply.Page().Take(2).Select(message => message.Tl!.Split(';')[1]));
        Assert.All(asker.LastReply.Page().Skip(2), message => Assert.Null(message.Field('a')));
    }

    [Fact]
    public void What_is_older_counts_apart()
    {
        TestBroker broker = Fill();
        TestClient asker = broker.Client();
        asker.Request("$trunkline/log", "from p0:0\nfilter a\nnewest 2 1000\nage 60");
        Assert.Equal("p100:3;k1;l2;a2", asker.LastReply.Tl);
        asker.Request("$trunkline/log", "from p0:0\nfilter a\nage 0");
        Assert.NotNull(asker.LastReply.Field('e'));
    }

    [Fact]
    public void A_message_does_not_age_while_no_broker_runs_whatever_the_clock_does()
    {
        using var folder = new TempFolder();
        var options = new BrokerOptions { DataDirectory = folder.Path };
        var time = new ManualTime();
        var first = new StoreHarness(folder.Path, options, time: time);
        first.Append("one");
        first.Commit();
        first.Close();
        time.Advance(TimeSpan.FromDays(3650));
        var second = new StoreHarness(folder.Path, options, time: time);
        LogCursor cursor = second.Log.Seek(default, out _);
        Assert.Equal(LogReading.Record, second.Log.TryRead(ref cursor, out LogRecord record));
        Assert.Equal(second.Loop.NowMs, record.AppendedAtMs);
        second.Close();
    }

    private static TestBroker Fill()
    {
        var broker = new TestBroker();
        TestClient publisher = broker.PublishLink("n");
        for (int n = 1; n <= 5; n++)
        {
            publisher.Publish("a", $"{n}", tl: $"n{n}");
            broker.Advance(20_000);
        }

        return broker;
    }
}
