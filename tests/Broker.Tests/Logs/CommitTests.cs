using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Logs;

/// <summary>Nothing is acknowledged and nothing is given out before it is as durable as promised.</summary>
public sealed class CommitTests
{
    private readonly TestBroker _broker;
    private readonly DelayedLog _log;

    public CommitTests()
    {
        DelayedLog? log = null;
        _broker = new TestBroker(log: (loop, options) => log = new DelayedLog(new MemoryGroupLog(loop, options, term: 100)));
        _log = log!;
    }

    [Fact]
    public void Acknowledgement_and_dispatch_wait_for_the_commit()
    {
        TestClient client = _broker.Client();
        client.Subscribe("#", QoS.AtLeastOnce);
        TestClient link = _broker.Receiver("m", "tail", "#");
        TestClient publisher = _broker.PublishLink("n");
        publisher.Publish("a", "1", tl: "n1", retain: true);
        publisher.Publish("a", "2", tl: "n2");
        publisher.Publish("a", "1", tl: "n1");
        publisher.Publish("a", "0", QoS.AtMostOnce);
        Assert.Empty(publisher.Acknowledged);
        Assert.Equal(["0"], client.Payloads);
        Assert.Equal(["0"], link.Payloads);
        _broker.Advance(1000);
        Assert.Equal("p100:0", link.Tails[^1].Payload);

        _log.Commit(1);
        _broker.Run();
        Assert.Equal([1], publisher.Acknowledged.Select(ack => (int)ack.PacketId));
        Assert.Equal(["0", "1"], client.Payloads);
        Assert.Equal(["0", "1"], link.Payloads);

        _log.Commit(2);
        _broker.Run();
        Assert.Equal([1, 2, 3], publisher.Acknowledged.Select(ack => (int)ack.PacketId));
        Assert.Equal(["0", "1", "2"], link.Payloads);
        Assert.Equal("p100:2;q1", link.Messages[^1].Tl);
    }

    [Fact]
    public void In_a_term_that_is_not_stored_yet_nothing_is_acknowledged_not_even_a_repeat_and_no_position_is_told()
    {
        TestClient link = _broker.Receiver("m", "tail", "#");
        TestClient publisher = _broker.PublishLink("n");
        publisher.Publish("a", "1", tl: "n1");
        _log.Commit(1);
        _broker.Run();
        Assert.Single(publisher.Acknowledged);

        TestClient again = _broker.PublishLink("n", highest: 700);
        again.Publish("a", "1", tl: "n1");
        _broker.Advance(1_000);
        Assert.Contains(";t701;", again.ConnAckTl + ";", StringComparison.Ordinal);
        Assert.Empty(again.Acknowledged);
        Assert.Equal("p100:1", link.Tails[^1].Payload);

        _log.Commit(0);
        _broker.Advance(1_000);
        Assert.Single(again.Acknowledged);
        Assert.Equal("p701:0", link.Tails[^1].Payload);
    }

    [Fact]
    public void A_resume_and_a_subscription_stop_at_what_is_committed()
    {
        TestClient publisher = _broker.PublishLink("n");
        publisher.Publish("a", "1", tl: "n1");
        publisher.Publish("a", "2", tl: "n2");
        _log.Commit(1);
        TestClient link = _broker.Receiver("m", "p100:0", "#");
        Assert.Equal("p100:1", link.SubAcks[0].Tl);
        Assert.Equal(["1"], link.Payloads);
        _log.Commit(2);
        _broker.Run();
        Assert.Equal(["1", "2"], link.Payloads);
    }
}
