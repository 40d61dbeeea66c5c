using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Store;

/// <summary>A broker that begins again on its folder, stopped in order or killed.</summary>
public sealed class StoredBrokerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Retained_messages_are_as_durable_as_the_log(bool isKilled)
    {
        TestBroker first = Broker(_folder.Path);
        TestClient publisher = first.PublishLink("n");
        publisher.Publish("a", "old", tl: "n1", retain: true);
        publisher.Publish("a", "new", tl: "n2", retain: true);
        publisher.Publish("b", "gone", tl: "n3", retain: true);
        publisher.Publish("b", "", tl: "n4", retain: true);
        publisher.Publish("c", "live", tl: "n5");
        publisher.Publish("d", "short", tl: "n6", retain: true, expiry: 5);
        publisher.Publish("q0", "kept by a stop alone", QoS.AtMostOnce, retain: true);
        Assert.Equal(6, publisher.Acknowledged.Count);
        using TempFolder killed = TempFolder.CopyOf(_folder.Path);
        first.Group.Stop();

        TestBroker second = Broker(isKilled ? killed.Path : _folder.Path);
        TestClient subscriber = second.Client();
        subscriber.Subscribe("#", QoS.AtLeastOnce);
        Assert.Equal(
            isKilled ? ["new", "short"] : ["new", "short", "kept by a stop alone"], subscriber.Payloads);
        second.Group.Stop();
    }

    [Fact]
    public void Retained_messages_outlive_retention_and_a_kill_after_it()
    {
        BrokerOptions options = StoreHarness.Small with { LogMaximumBytes = 64 * 1024 };
        TestBroker first = Broker(_folder.Path, options);
        TestClient publisher = first.PublishLink("n");
        int number = 0;
        for (int i = 0; i < 50; i++)
        {
            publisher.Publish($"r/{i}", "first", tl: $"n{++number}", retain: true);
        }

        for (int i = 0; i < 400; i++)
        {
            publisher.Publish(i % 100 == 0 ? $"r/{i / 100}" : "t", i % 200 == 0 ? $"{i}" : "", tl: $"n{++number}", retain: i % 100 == 0);
            publisher.Publish("t", new string('x', 1000), tl: $"n{++number}");
            LoopUntil.Holds(first.Loop, () => publisher.Acknowledged.Count == number, "all are acknowledged");
        }

        LoopUntil.Holds(first.Loop, () => first.Group.Log.Bytes <= 64 * 1024, "the log is within its limit");
        using TempFolder killed = TempFolder.CopyOf(_folder.Path);
        TestBroker second = Broker(killed.Path, options);
        TestClient subscriber = second.Client();
        subscriber.Subscribe("r/#", QoS.AtLeastOnce);
        Assert.Equal(48, subscriber.Messages.Count);
        Assert.Equal(["0", "200"], subscriber.Messages.Where(message => message.Topic is "r/0" or "r/2").Select(message => message.Payload));
        second.Group.Stop();
        first.Group.Stop();
    }

    [Fact]
    public void A_link_resumes_over_a_restart_of_the_broker_and_repeats_are_dropped()
    {
        TestBroker first = Broker(_folder.Path);
        TestClient receiver = first.Receiver("m", "tail", "#");
        TestClient publisher = first.PublishLink("n");
        publisher.Publish("a", "1", tl: "n1");
        publisher.Publish("a", "2", tl: "n2");
        Assert.Equal(["1", "2"], receiver.Payloads);
        string seen = receiver.Messages[0].Field('p')!;
        using TempFolder killed = TempFolder.CopyOf(_folder.Path);
        TestBroker second = Broker(killed.Path);
        TestClient again = second.Receiver("m", $"p{seen}", "#");
        Assert.Null(again.LastReply.Field('e'));
        TestClient resender = second.PublishLink("n");
        resender.Publish("a", "2", tl: "n2");
        resender.Publish("a", "3", tl: "n3");
        Assert.Equal(2, resender.Acknowledged.Count);
        Assert.Equal(["2", "3"], again.Payloads);
        Assert.Equal(1, second.Count(BrokerCounter.Duplicates));
        second.Group.Stop();
        first.Group.Stop();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_message_under_an_id_of_another_node_is_appended_once_whichever_way_comes_first(bool onDisk)
    {
        TestBroker broker = onDisk ? Broker(_folder.Path) : new TestBroker();
        TestClient receiver = broker.Receiver("m", "tail", "#");
        TestClient dead = broker.PublishLink("dead");
        TestClient heir = broker.PublishLink("heir");
        dead.Publish("a", "1", tl: "n1;q2");
        heir.Publish("a", "1", tl: "n1;q2;mdead/0/1");
        heir.Publish("a", "2", tl: "n2;q2;mdead/0/2");
        heir.Publish("a", "2", tl: "n3;q2;mdead/0/2");
        dead.Publish("a", "2", tl: "n2;q2");
        dead.Publish("a", "3", tl: "n3;q2");
        heir.Publish("a", "3", tl: "n4;q2;mdead/0/3");
        heir.Publish("w", "will", tl: "n5;mwill-1f/0/99");
        heir.Publish("w", "will", tl: "n6;mwill-1f/0/99");
        Assert.Equal(["1", "2", "3", "will"], receiver.Payloads);
        Assert.Equal(3, dead.Acknowledged.Count);
        Assert.Equal(6, heir.Acknowledged.Count);
        Assert.Equal(5, broker.Count(BrokerCounter.DuplicateIds));
        broker.Group.Stop();
        if (onDisk)
        {
            TestBroker again = Broker(_folder.Path);
            TestClient late = again.PublishLink("heir");
            late.Publish("w", "will", tl: "n7;mwill-1f/0/99");
            late.Publish("a", "2", tl: "n8;mdead/0/2");
            Assert.Equal(2, again.Count(BrokerCounter.DuplicateIds));
            again.Group.Stop();
        }
    }

    [Fact]
    public void Ids_are_bounded_and_forgetting_is_counted()
    {
        var broker = new TestBroker(new BrokerOptions { MessageIdsMaximum = 2 });
        TestClient heir = broker.PublishLink("heir");
        for (int i = 1; i <= 3; i++)
        {
            heir.Publish("a", "x", tl: $"n{i};mdead/0/{i}");
        }

        broker.Advance(1_000);
        Assert.Equal(1, broker.Count(BrokerCounter.MessageIdsForgotten));
        Assert.Equal(2, broker.Group.Log.Ids);
        Assert.False(broker.Group.Log.TryFind(new MessageId("dead", 0, 1), out _));
    }

    private static TestBroker Broker(string folder, BrokerOptions? options = null) => new(
        (options ?? new BrokerOptions()) with { Store = LogStore.File, DataDirectory = folder },
        store: (loop, all) => GroupStore.Open("g", all, loop));
}
