using Trunkline.Broker.Tests.Support;
using Trunkline.Clauses;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Retained;

public sealed class RetainedTests
{
    private readonly TestBroker _broker = new();

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311, QoS.AtMostOnce)]
    [InlineData(ProtocolVersion.Mqtt311, QoS.AtLeastOnce)]
    [InlineData(ProtocolVersion.Mqtt50, QoS.AtMostOnce)]
    [InlineData(ProtocolVersion.Mqtt50, QoS.ExactlyOnce)]
    [Clause(Specification.Mqtt311, "MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-3.3.1-7", "MQTT-3.3.1-8")]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-5")]
    public void A_new_subscription_gets_the_last_retained_message_once(ProtocolVersion version, QoS qos)
    {
        TestClient publisher = _broker.Client(version: version);
        publisher.Publish("a/b", "old", qos, retain: true);
        publisher.Publish("a/b", "new", qos, retain: true);
        publisher.Publish("a/b", "live", qos);
        TestClient subscriber = _broker.Client(version: version);
        subscriber.Subscribe("a/+", QoS.ExactlyOnce, identifier: version == ProtocolVersion.Mqtt50 ? 4u : 0);
        Received message = Assert.Single(subscriber.Messages);
        Assert.Equal(("new", true, qos), (message.Payload, message.Retain, message.QoS));
        Assert.Equal(version == ProtocolVersion.Mqtt50 ? [4u] : [], message.Identifiers);
    }

    [Fact]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-7")]
    public void A_retained_message_outlives_the_session_that_published_it()
    {
        TestClient publisher = _broker.Client(version: ProtocolVersion.Mqtt311);
        publisher.Publish("a", "kept", QoS.AtLeastOnce, retain: true);
        publisher.Disconnect();
        Assert.True(publisher.IsClosed);
        TestClient subscriber = _broker.Client(version: ProtocolVersion.Mqtt311);
        subscriber.Subscribe("a", QoS.AtLeastOnce);
        Assert.Equal("kept", Assert.Single(subscriber.Messages).Payload);
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt311, "MQTT-3.3.1-10", "MQTT-3.3.1-11")]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-6", "MQTT-3.3.1-7")]
    public void An_empty_payload_clears_and_is_not_kept(ProtocolVersion version)
    {
        TestClient live = _broker.Client(version: version);
        live.Subscribe("a", QoS.AtLeastOnce);
        TestClient publisher = _broker.Client(version: version);
        publisher.Publish("a", "x", retain: true);
        publisher.Publish("a", "", retain: true);
        Assert.Equal(["x", ""], live.Payloads);
        TestClient late = _broker.Client(version: version);
        late.Subscribe("a", QoS.AtLeastOnce);
        Assert.Empty(late.Messages);
        Assert.Equal(0, _broker.Count(BrokerCounter.Retained));
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt311, "MQTT-3.3.1-12")]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-8")]
    public void A_message_without_RETAIN_neither_replaces_nor_clears(ProtocolVersion version)
    {
        TestClient publisher = _broker.Client(version: version);
        publisher.Publish("a", "x", retain: true);
        publisher.Publish("a", "y");
        publisher.Publish("a", "");
        TestClient late = _broker.Client(version: version);
        late.Subscribe("a", QoS.AtLeastOnce);
        Assert.Equal(["x"], late.Payloads);
    }

    [Theory]
    [InlineData(RetainHandling.SendAtSubscribe, 2)]
    [InlineData(RetainHandling.SendIfNew, 1)]
    [InlineData(RetainHandling.DoNotSend, 0)]
    [Clause(Specification.Mqtt50, "MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11")]
    public void Retain_Handling_is_respected(RetainHandling handling, int expected)
    {
        _broker.Client().Publish("a", "x", retain: true);
        TestClient subscriber = _broker.Client();
        subscriber.Subscribe("a", QoS.AtLeastOnce, retainHandling: handling);
        subscriber.Subscribe("a", QoS.AtLeastOnce, retainHandling: handling);
        Assert.Equal(expected, subscriber.Messages.Count);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.3.2-5", "MQTT-3.3.2-6")]
    public void Lifetimes_shrink_and_end()
    {
        TestClient publisher = _broker.Client();
        publisher.Publish("a", "short", retain: true, expiry: 5);
        publisher.Publish("b", "long", retain: true, expiry: 100);
        _broker.Advance(4000);
        TestClient early = _broker.Client();
        early.Subscribe("#", QoS.AtLeastOnce);
        Assert.Equal([1u, 96u], early.Messages.OrderBy(message => message.Topic).Select(message => message.Expiry!.Value));
        _broker.Advance(6000);
        TestClient late = _broker.Client();
        late.Subscribe("#", QoS.AtLeastOnce);
        Assert.Equal(["long"], late.Payloads);
        Assert.Equal(1, _broker.Count(BrokerCounter.RetainedExpired));
        Assert.Equal(1, _broker.Count(BrokerCounter.Retained));
    }

    [Fact]
    public void A_further_topic_is_refused_at_the_limit()
    {
        var broker = new TestBroker(new BrokerOptions { RetainedMaximumMessages = 2, RetainedMaximumBytes = 100 });
        TestClient live = broker.Client();
        live.Subscribe("#", QoS.AtLeastOnce);
        TestClient publisher = broker.Client();
        publisher.Publish("a", "1", retain: true);
        publisher.Publish("b", "1", retain: true);
        publisher.Publish("c", "refused", retain: true);
        publisher.Publish("c", "live only", QoS.AtMostOnce, retain: true);
        publisher.Publish("a", new string('x', 200), retain: true);
        publisher.Publish("a", "2", retain: true);
        Assert.Equal(
            [ReasonCode.Success, ReasonCode.Success, ReasonCode.QuotaExceeded, ReasonCode.QuotaExceeded, ReasonCode.Success],
            publisher.Acknowledged.Select(ack => ack.Reason));
        Assert.Equal(["1", "1", "live only", "2"], live.Payloads);
        Assert.Equal(3, broker.Count(BrokerCounter.RetainedRefused));
        TestClient late = broker.Client();
        late.Subscribe("#", QoS.AtLeastOnce);
        Assert.Equal(["a2", "b1"], late.Messages.Select(message => message.Topic + message.Payload).Order());
    }

    [Fact]
    public void A_large_store_reaches_a_client_whole_though_its_queue_is_small()
    {
        var broker = new TestBroker(mqtt: new MqttOptionsForSmallQueues().Value);
        TestClient publisher = broker.Client();
        for (int i = 0; i < 3_000; i++)
        {
            publisher.Publish($"t/{i}", $"{i}", QoS.AtLeastOnce, retain: true);
        }

        TestClient subscriber = broker.Client();
        subscriber.Subscribe("t/#", QoS.AtLeastOnce);
        broker.Advance(10_000);
        Assert.Equal(3_000, subscriber.Messages.Select(message => message.Topic).Distinct().Count());
        Assert.Equal(3_000, subscriber.Messages.Count);
    }

    [Fact]
    public void What_changes_during_a_replay_comes_live_and_not_again()
    {
        var broker = new TestBroker();
        TestClient publisher = broker.Client();
        for (int i = 0; i < 1_000; i++)
        {
            publisher.Publish($"t/{i:d4}", "old", retain: true);
        }

        TestClient subscriber = broker.Client();
        subscriber.HoldAcknowledgements = true;
        subscriber.Subscribe("t/#", QoS.AtLeastOnce);
        publisher.Publish("t/0999", "new", retain: true);
        subscriber.HoldAcknowledgements = false;
        foreach (Received message in subscriber.Messages.ToArray())
        {
            subscriber.Acknowledge(message.PacketId);
        }

        broker.Advance(5_000);
        Assert.Equal("new", Assert.Single(subscriber.Messages, message => message.Topic == "t/0999").Payload);
        Assert.Equal(1_000, subscriber.Messages.Count);
    }

    private sealed class MqttOptionsForSmallQueues
    {
        public Sessions.MqttOptions Value { get; } = new() { BacklogMessages = 150, MaximumInFlight = 20 };
    }
}
