using Trunkline.Broker.Tests.Support;
using Trunkline.Clauses;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Clients;

/// <summary>An ordinary client sees an ordinary broker, in both versions.</summary>
public sealed class ClientTests
{
    private readonly TestBroker _broker = new();

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt311, "MQTT-3.8.4-6")]
    [Clause(Specification.Mqtt50, "MQTT-3.8.4-8")]
    public void A_message_comes_at_the_lower_of_both_QoS(ProtocolVersion version)
    {
        TestClient subscriber = _broker.Client(version: version);
        subscriber.Subscribe("q/0", QoS.AtMostOnce);
        subscriber.Subscribe("q/1", QoS.AtLeastOnce);
        subscriber.Subscribe("q/2", QoS.ExactlyOnce);
        TestClient publisher = _broker.Client(version: version);
        foreach (QoS qos in Enum.GetValues<QoS>())
        {
            for (int granted = 0; granted < 3; granted++)
            {
                publisher.Publish($"q/{granted}", $"{(int)qos}{granted}", qos);
            }
        }

        Assert.Equal(9, subscriber.Messages.Count);
        Assert.All(subscriber.Messages, message =>
            Assert.Equal(int.Min(message.Payload[0] - '0', message.Payload[1] - '0'), (int)message.QoS));
        Assert.All(publisher.Acknowledged, ack => Assert.Equal(ReasonCode.Success, ack.Reason));
        Assert.Equal(6, publisher.Acknowledged.Count);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.3.4-2", "MQTT-3.3.4-3", "MQTT-3.3.4-4")]
    public void Overlapping_filters_give_one_copy_with_all_identifiers_at_the_highest_QoS()
    {
        TestClient subscriber = _broker.Client();
        subscriber.Subscribe("a/#", QoS.AtMostOnce, 1);
        subscriber.Subscribe("a/b", QoS.ExactlyOnce, 2);
        subscriber.Subscribe("+/b", QoS.AtLeastOnce);
        _broker.Client().Publish("a/b", "x", QoS.ExactlyOnce);
        Received message = Assert.Single(subscriber.Messages);
        Assert.Equal([1u, 2], message.Identifiers);
        Assert.Equal(QoS.ExactlyOnce, message.QoS);
    }

    [Fact]
    [Clause(Specification.Mqtt311, "MQTT-3.3.5-1")]
    public void Overlapping_filters_give_a_3_1_1_client_the_highest_QoS()
    {
        TestClient subscriber = _broker.Client(version: ProtocolVersion.Mqtt311);
        subscriber.Subscribe("a/#", QoS.AtMostOnce);
        subscriber.Subscribe("a/b", QoS.AtLeastOnce);
        _broker.Client().Publish("a/b", "x", QoS.ExactlyOnce);
        Assert.Contains(subscriber.Messages, message => message.QoS == QoS.AtLeastOnce);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.8.3-3")]
    public void No_Local_keeps_a_message_from_its_publisher()
    {
        TestClient client = _broker.Client();
        client.Subscribe("a", QoS.AtLeastOnce, noLocal: true);
        TestClient other = _broker.Client();
        other.Subscribe("a", QoS.AtLeastOnce);
        client.Publish("a", "1");
        client.Publish("a", "0", QoS.AtMostOnce);
        other.Publish("a", "2");
        Assert.Equal(["2"], client.Payloads);
        Assert.Equal(["1", "0", "2"], other.Payloads);
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt311, "MQTT-3.3.1-9")]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-12", "MQTT-3.3.1-13")]
    public void A_live_message_shows_RETAIN_only_to_those_who_asked_for_it(ProtocolVersion version)
    {
        TestClient plain = _broker.Client(version: version);
        plain.Subscribe("a", QoS.AtLeastOnce);
        TestClient asPublished = _broker.Client();
        asPublished.Subscribe("a", QoS.AtLeastOnce, retainAsPublished: true);
        _broker.Client().Publish("a", "1", retain: true);
        Assert.False(Assert.Single(plain.Messages).Retain);
        Assert.True(Assert.Single(asPublished.Messages).Retain);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-4.6.0-5", "MQTT-4.6.0-6")]
    [Clause(Specification.Mqtt311, "MQTT-4.6.0-5", "MQTT-4.6.0-6")]
    public void Order_holds_per_publisher_and_topic_for_a_slow_reader_too()
    {
        TestClient slow = _broker.Client("slow");
        slow.Subscribe("a", QoS.AtLeastOnce);
        slow.Pause();
        TestClient publisher = _broker.Client();
        string body = new('x', 500);
        for (int i = 0; i < 1000; i++)
        {
            publisher.Publish("a", $"{i:d4}{body}");
        }

        slow.Resume();
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i:d4}"), slow.Payloads.Select(payload => payload[..4]));
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt311, "MQTT-4.7.2-1")]
    [Clause(Specification.Mqtt50, "MQTT-4.7.2-1")]
    public void Nobody_but_the_broker_publishes_to_SYS_and_wildcards_do_not_show_it(ProtocolVersion version)
    {
        var broker = new TestBroker(systemIntervalMs: 1000);
        TestClient all = broker.Client(version: version);
        all.Subscribe("#", QoS.AtMostOnce);
        TestClient system = broker.Client(version: version);
        system.Subscribe("$SYS/broker/#", QoS.AtMostOnce);
        TestClient liar = broker.Client(version: version);
        ushort packetId = liar.Publish("$SYS/broker/version", "9.9.9");
        broker.Advance(3000);
        Assert.Empty(all.Messages);
        Assert.Equal("1.2.3", system.Messages.Single(message => message.Topic == "$SYS/broker/version").Payload);
        Assert.Contains(system.Messages, message => message.Topic == "$SYS/broker/clients/connected" && message.Payload == "3");
        Assert.Contains(system.Messages, message => message.Topic == "$SYS/broker/uptime" && message.Payload == "2");
        Assert.Equal(
            (packetId, version == ProtocolVersion.Mqtt50 ? ReasonCode.NotAuthorized : ReasonCode.Success), Assert.Single(liar.Acknowledged));
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-8")]
    public void A_will_is_published_when_its_client_breaks_off()
    {
        TestClient watcher = _broker.Client();
        watcher.Subscribe("will", QoS.AtLeastOnce);
        TestClient client = _broker.Join();
        byte[] connect =
        [
            0x10, 30, 0, 4, .. "MQTT"u8, 5, 0b0000_1110, 0, 0, 0, 0, 1, (byte)'w', 0, 0, 4, .. "will"u8, 0, 4, .. "gone"u8,
        ];
        connect[1] = (byte)(connect.Length - 2);
        client.Write(connect);
        Assert.Equal(ReasonCode.Success, client.ConnAck);
        client.Break();
        Assert.Equal(["gone"], watcher.Payloads);
    }

    [Fact]
    public void A_session_that_waits_gets_what_came_meanwhile()
    {
        TestClient first = _broker.Client("p", clean: false, expiry: 600);
        first.Subscribe("a", QoS.AtLeastOnce);
        first.Break();
        TestClient publisher = _broker.Client();
        publisher.Publish("a", "1");
        publisher.Publish("a", "0", QoS.AtMostOnce);
        publisher.Publish("a", "2");
        TestClient again = _broker.Client("p", clean: false, expiry: 600);
        Assert.True(again.SessionPresent);
        Assert.Equal(["1", "2"], again.Payloads);
    }

    [Fact]
    public void A_forgotten_session_leaves_nothing_in_the_index()
    {
        TestClient client = _broker.Client();
        client.Subscribe("a", QoS.AtLeastOnce);
        client.Subscribe("$share/s/a", QoS.AtLeastOnce);
        Assert.Equal(2, _broker.Group.Statistics().Subscriptions);
        client.Break();
        Assert.Equal((0, 0, 0), (_broker.Group.Statistics().Subscriptions, _broker.Group.Statistics().Shares, _broker.Group.Statistics().Clients));
        _broker.Client().Publish("a", "1");
    }
}
