using Trunkline.Broker.Tests.Support;
using Trunkline.Clauses;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Shares;

public sealed class ShareTests
{
    private readonly TestBroker _broker = new(new BrokerOptions { NodeGoneMs = 5_000, SharesMaximum = 2 });

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311, QoS.AtLeastOnce)]
    [InlineData(ProtocolVersion.Mqtt50, QoS.AtMostOnce)]
    [InlineData(ProtocolVersion.Mqtt50, QoS.ExactlyOnce)]
    public void Clients_take_turns(ProtocolVersion version, QoS qos)
    {
        TestClient[] members = [.. Enumerable.Range(0, 3).Select(_ => Member(_broker.Client(version: version)))];
        TestClient publisher = _broker.Client();
        for (int i = 0; i < 9; i++)
        {
            publisher.Publish("a/1", $"{i}", qos);
        }

        Assert.All(members, member => Assert.Equal(3, member.Messages.Count));
        Assert.Equal(9, members.SelectMany(member => member.Payloads).Distinct().Count());
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-4.8.2-3")]
    public void A_member_gets_messages_at_no_higher_QoS_than_it_was_granted()
    {
        TestClient member = _broker.Client();
        member.Subscribe("$share/g/a/#", QoS.AtLeastOnce);
        TestClient publisher = _broker.Client();
        foreach (QoS qos in Enum.GetValues<QoS>())
        {
            publisher.Publish("a/1", "m", qos);
        }

        Assert.Equal([QoS.AtMostOnce, QoS.AtLeastOnce, QoS.AtLeastOnce], member.Messages.Select(message => message.QoS));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Clause(Specification.Mqtt50, "MQTT-4.8.2-4", "MQTT-4.8.2-5")]
    public void A_QoS_2_delivery_stays_with_the_member_it_began_with(bool comesBack)
    {
        TestClient member = Member(_broker.Client("member", clean: false, expiry: 600));
        member.HoldAcknowledgements = true;
        _broker.Client().Publish("a/1", "m", QoS.ExactlyOnce);
        Assert.Equal(["m"], member.Payloads);
        TestClient other = Member(_broker.Client());
        member.Break();
        TestClient again = _broker.Client("member", clean: !comesBack, expiry: 600);
        _broker.Advance(10_000);
        Assert.Equal(comesBack ? ["m"] : [], again.Payloads);
        Assert.All(again.Messages, message => Assert.True(message.Duplicate));
        Assert.Empty(other.Messages);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    [Clause(Specification.Mqtt50, "MQTT-4.8.2-6")]
    public void What_a_member_refuses_goes_to_no_other(QoS qos)
    {
        TestClient member = Member(_broker.Client());
        member.HoldAcknowledgements = true;
        _broker.Client().Publish("a/1", "m", qos);
        Received got = Assert.Single(member.Messages);
        TestClient other = Member(_broker.Client());
        byte[] refusal = [(byte)(qos == QoS.AtLeastOnce ? 0x40 : 0x50), 3, (byte)(got.PacketId >> 8), (byte)got.PacketId, 0x87];
        member.Write(refusal);
        member.Disconnect();
        _broker.Advance(60_000);
        Assert.Empty(other.Messages);
    }

    [Fact]
    public void Two_shares_get_one_copy_each_and_a_plain_subscription_another()
    {
        TestClient first = Member(_broker.Client(), "$share/x/a/#");
        TestClient second = Member(_broker.Client(), "$share/y/a/#");
        TestClient plain = Member(_broker.Client(), "a/#");
        _broker.Client().Publish("a/1", "m");
        Assert.All([first, second, plain], client => Assert.Equal(["m"], client.Payloads));
    }

    [Fact]
    public void A_slow_member_is_passed_over()
    {
        TestClient slow = Member(_broker.Client());
        TestClient quick = Member(_broker.Client());
        slow.Pause();
        TestClient publisher = _broker.Client();
        string body = new('x', 2000);
        for (int i = 0; i < 1000; i++)
        {
            publisher.Publish("a/1", body);
        }

        Assert.True(quick.Messages.Count > 700);
        slow.Resume();
        Assert.Equal(1000, quick.Messages.Count + slow.Messages.Count);
    }

    [Fact]
    public void A_node_that_comes_back_without_its_share_leaves_it_to_the_others()
    {
        TestClient one = _broker.Receiver("one", "tail", "$share/g/a/#");
        TestClient publisher = _broker.Client();
        Publish(publisher, 0, 1);
        one.Break();
        Publish(publisher, 1, 2);
        TestClient client = Member(_broker.Client());
        _broker.Receiver("one", "p100:0", "b");
        Assert.Equal(["0", "1"], client.Payloads.Order());
        Publish(publisher, 2, 3);
        Assert.Equal(["0", "1", "2"], client.Payloads.Order());
    }

    [Fact]
    public void A_further_share_is_refused_at_the_limit()
    {
        TestClient client = Member(_broker.Client(), "$share/x/a");
        client.Subscribe("$share/y/a", QoS.AtLeastOnce);
        client.Subscribe("$share/z/a", QoS.AtLeastOnce);
        client.Subscribe("$share/x/a", QoS.ExactlyOnce);
        Assert.Equal(
            [ReasonCode.GrantedQoS2, ReasonCode.GrantedQoS1, ReasonCode.QuotaExceeded, ReasonCode.GrantedQoS2],
            client.SubAcks.Select(ack => ack.Reasons[0]));
        Assert.Equal(1, _broker.Count(BrokerCounter.SharesRefused));
        client.Unsubscribe("$share/y/a");
        client.Subscribe("$share/z/a", QoS.AtLeastOnce);
        Assert.Equal(ReasonCode.GrantedQoS1, client.SubAcks[^1].Reasons[0]);
    }

    [Fact]
    public void A_share_replays_no_retained_messages()
    {
        _broker.Client().Publish("a/1", "r", retain: true);
        Assert.Empty(Member(_broker.Client()).Messages);
    }

    private static TestClient Member(TestClient client, string filter = "$share/g/a/#")
    {
        client.Subscribe(filter, QoS.ExactlyOnce);
        return client;
    }

    private static void Publish(TestClient publisher, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            publisher.Publish("a/1", $"{i}");
        }
    }
}
