using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Routing;

/// <summary>The floor of retention: who has more than its share and loses young messages is slowed; nobody else, and only when asked for.</summary>
public sealed class SlowedTests
{
    private static readonly BrokerOptions Limits = new() { LogBlockBytes = 4096, LogMaximumBytes = 64 * 1024, SlowedMs = 200 };

    [Fact]
    public void Acknowledgements_of_who_has_more_than_its_share_come_later_and_those_of_others_at_once()
    {
        (TestBroker broker, TestClient publisher) = Fill(Limits with { RetentionFloorMs = 600_000 });
        TestClient live = broker.Client();
        live.Subscribe("#", QoS.AtMostOnce);
        long slowed = broker.Count(BrokerCounter.PublishesSlowed);
        int acknowledged = publisher.Acknowledged.Count;
        publisher.Publish("hot/x", "hot", tl: "n100001");
        publisher.Publish("quiet/x", "quiet", tl: "n100002");
        publisher.Publish("hot/x", "live", QoS.AtMostOnce);
        Assert.Equal(acknowledged + 1, publisher.Acknowledged.Count);
        Assert.Equal(["hot", "quiet", "live"], live.Payloads);
        Assert.Equal(slowed + 1, broker.Count(BrokerCounter.PublishesSlowed));
        broker.Advance(300);
        Assert.Equal(acknowledged + 2, publisher.Acknowledged.Count);

        // Nothing is lost any more: its history grows as old as the floor.
        broker.Advance(700_000);
        publisher.Publish("hot/x", "again", tl: "n100003");
        Assert.Equal(acknowledged + 3, publisher.Acknowledged.Count);
    }

    [Fact]
    public void Nobody_is_slowed_unless_a_floor_is_set()
    {
        (TestBroker broker, TestClient publisher) = Fill(Limits);
        publisher.Publish("hot/x", "hot", tl: "n100001");
        Assert.Equal(0, broker.Count(BrokerCounter.PublishesSlowed));
        Assert.Equal(1_501, publisher.Acknowledged.Count);
    }

    private static (TestBroker Broker, TestClient Publisher) Fill(BrokerOptions options)
    {
        var broker = new TestBroker(options);
        TestClient publisher = broker.PublishLink("n");
        for (int n = 1; n <= 1_500; n++)
        {
            publisher.Publish(n % 50 == 0 ? "quiet/x" : "hot/x", new string('x', 100), tl: $"n{n}");
        }

        broker.Advance(300);
        Assert.Equal(1_500, publisher.Acknowledged.Count);
        return (broker, publisher);
    }
}
