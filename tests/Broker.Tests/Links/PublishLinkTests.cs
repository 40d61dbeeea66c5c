using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Links;

public sealed class PublishLinkTests
{
    [Fact]
    public void The_broker_answers_with_term_and_incarnation()
    {
        var broker = new TestBroker();
        Assert.Equal("v1;t100;irun-1", broker.PublishLink("n").ConnAckTl);
        Assert.Equal("v1;t100;irun-1", broker.PublishLink("n", highest: 99).ConnAckTl);
        Assert.Equal("v1;t101;irun-1", broker.PublishLink("n", highest: 100).ConnAckTl);
        Assert.Equal("v1;t901;irun-1", broker.PublishLink("n", highest: 900).ConnAckTl);
        Assert.Equal(new LogPosition(901, 0), broker.Tail);
        Assert.Equal(4, broker.Count(BrokerCounter.PublishLinks));
    }

    [Fact]
    public void An_ordinary_client_is_told_nothing_of_links()
    {
        TestClient client = new TestBroker().Client();
        Assert.Equal(ReasonCode.Success, client.ConnAck);
        Assert.Null(client.ConnAckTl);
    }

    [Theory]
    [InlineData("v9;kp;dn;l0;h0", true, 0)]
    [InlineData("v1;kp;dn;l0;h0", false, 0)]
    [InlineData("v1;kp;dn;l0;h0", true, 60)]
    public void A_link_that_is_not_as_agreed_is_refused(string tl, bool clean, uint expiry)
    {
        TestClient link = new TestBroker().Join();
        link.Connect("x", clean, expiry, tl);
        Assert.Equal(ReasonCode.ImplementationSpecificError, link.ConnAck);
        Assert.True(link.IsClosed);
    }

    [Fact]
    public void A_number_seen_is_acknowledged_and_dropped_over_connections()
    {
        var broker = new TestBroker();
        TestClient subscriber = broker.Client();
        subscriber.Subscribe("#", QoS.AtLeastOnce);
        TestClient link = broker.PublishLink("n", 1);
        link.Publish("a", "1", tl: "n1");
        link.Publish("a", "2", tl: "n2");
        link.Break();
        TestClient again = broker.PublishLink("n", 1);
        again.Publish("a", "2", tl: "n2");
        again.Publish("a", "3", tl: "n3");
        TestClient other = broker.PublishLink("n", 2);
        other.Publish("a", "4", tl: "n1");
        Assert.Equal(["1", "2", "3", "4"], subscriber.Payloads);
        Assert.All([.. link.Acknowledged, .. again.Acknowledged, .. other.Acknowledged], ack => Assert.Equal(ReasonCode.Success, ack.Reason));
        Assert.Equal(2, again.Acknowledged.Count);
        Assert.Equal(1, broker.Count(BrokerCounter.Duplicates));
        Assert.Equal(new LogPosition(100, 4), broker.Tail);
    }

    [Fact]
    public void Original_QoS_and_origin_travel_on()
    {
        var broker = new TestBroker();
        TestClient client = broker.Client();
        client.Subscribe("#", QoS.ExactlyOnce);
        TestClient receiver = broker.Receiver("m", "tail", "#");
        TestClient link = broker.PublishLink("n");
        link.Publish("a", "two", tl: "n1;q2;o00000000000000aa");
        link.Publish("a", "one", tl: "n2");
        link.Publish("a", "zero", QoS.AtMostOnce, tl: "o00000000000000aa");
        Assert.Equal([QoS.ExactlyOnce, QoS.AtLeastOnce, QoS.AtMostOnce], client.Messages.Select(message => message.QoS));
        Assert.Equal(
            ["p100:1;q2;o00000000000000aa", "p100:2;q1", "o00000000000000aa"], receiver.Messages.Select(message => message.Tl));
        Assert.All(client.Messages, message => Assert.Null(message.Tl));
    }

    [Fact]
    public void Fields_that_an_ordinary_client_sends_mean_nothing_and_go_no_further()
    {
        var broker = new TestBroker();
        TestClient receiver = broker.Receiver("m", "tail", "#");
        TestClient client = broker.Client();
        client.Publish("a", "1", tl: "n1;q2;o00000000000000aa");
        client.Publish("a", "2", tl: "n1;q2;o00000000000000aa");
        client.Publish("a", "3", QoS.AtMostOnce, tl: "o00000000000000aa");
        Assert.Equal(["p100:1;q1", "p100:2;q1", null], receiver.Messages.Select(message => message.Tl));
    }
}
