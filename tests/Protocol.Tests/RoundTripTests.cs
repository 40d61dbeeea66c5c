using System.Buffers;
using Trunkline.Clauses;
using Trunkline.Protocol.Tests.Support;

namespace Trunkline.Protocol.Tests;

/// <summary>Random packets are written and read again as they were.</summary>
public sealed class RoundTripTests
{
    private const int Rounds = 20_000;

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.1.3-1", "MQTT-3.1.3-10", "MQTT-3.3.2-18")]
    [Clause(Specification.Mqtt311, "MQTT-3.1.3-1")]
    public void Random_packets_survive()
    {
        var seed = Environment.TickCount;
        var output = new ArrayBufferWriter<byte>();
        for (var round = 0; round < Rounds; round++)
        {
            var source = new RandomSource(unchecked(seed + round));
            output.ResetWrittenCount();
            var version = source.Version();
            var (sender, expected) = Write(source, version, output);
            try
            {
                Assert.True(Codec.TryRead(output.WrittenSpan, version, sender, null, out var text, out var error), error.Message);
                Assert.Equal(expected, text);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"seed {seed + round}, {version}: {expected}: {exception.Message}", exception);
            }
        }
    }

    private static (PacketSender Sender, string Text) Write(RandomSource s, ProtocolVersion version, IBufferWriter<byte> output)
    {
        var is5 = version == ProtocolVersion.Mqtt50;
        switch (s.Next(is5 ? 9 : 5))
        {
            case 0:
                var connect = Connect(s, version);
                PacketWriter.WriteConnect(output, connect);
                return (PacketSender.Client, Describe.Connect(connect));
            case 1:
                return (PacketSender.Server, Publish(s, version, output));
            case 2:
                var filters = new SubscriptionListBuilder(new byte[1000]);
                for (var i = s.Next(1, 5); i > 0; i--)
                {
                    filters.TryAdd(s.Topic(), is5
                        ? SubscriptionOptions.Create((QoS)s.Next(3), s.Coin(), s.Coin(), (RetainHandling)s.Next(3))
                        : SubscriptionOptions.Create((QoS)s.Next(3)));
                }

                var subscribe = new SubscribePacket
                {
                    PacketId = s.Id(),
                    Subscriptions = filters.List,
                    SubscriptionIdentifier = is5 ? (uint)s.Next((int)VariableByteInteger.MaxValue) : 0,
                    UserProperties = s.User(is5),
                };
                PacketWriter.WriteSubscribe(output, version, subscribe);
                return (PacketSender.Client, Describe.Subscribe(subscribe));
            case 3:
                var topics = new TopicFilterListBuilder(new byte[1000]);
                for (var i = s.Next(1, 5); i > 0; i--)
                {
                    topics.TryAdd(s.Topic());
                }

                var unsubscribe = new UnsubscribePacket { PacketId = s.Id(), Filters = topics.List, UserProperties = s.User(is5) };
                PacketWriter.WriteUnsubscribe(output, version, unsubscribe);
                return (PacketSender.Client, Describe.Unsubscribe(unsubscribe));
            case 4:
                var ack = new PubRecPacket
                {
                    PacketId = s.Id(),
                    ReasonCode = is5 && s.Coin() ? ReasonCode.QuotaExceeded : 0,
                    ReasonString = s.Text(is5),
                    UserProperties = s.User(is5),
                };
                PacketWriter.WritePubRec(output, version, ack);
                return (PacketSender.Client, Describe.Acknowledgement("PUBREC", ack.PacketId, ack.ReasonCode, ack.ReasonString, ack.HasReasonString, ack.UserProperties));
            case 5:
                var connAck = ConnAck(s);
                PacketWriter.WriteConnAck(output, version, connAck);
                return (PacketSender.Server, Describe.ConnAck(connAck));
            case 6:
                ReadOnlySpan<ReasonCode> codes = new ReasonCode[s.Next(1, 9)];
                var subAck = new SubAckPacket { PacketId = s.Id(), ReasonCodes = codes, ReasonString = s.Text(), UserProperties = s.User() };
                PacketWriter.WriteSubAck(output, version, subAck);
                return (PacketSender.Server, Describe.Codes("SUBACK", subAck.PacketId, codes, subAck.ReasonString, subAck.HasReasonString, subAck.UserProperties));
            case 7:
                var disconnect = new DisconnectPacket
                {
                    ReasonCode = ReasonCode.ServerMoved,
                    ServerReference = s.Text(),
                    ReasonString = s.Text(),
                    UserProperties = s.User(),
                };
                PacketWriter.WriteDisconnect(output, version, disconnect);
                return (PacketSender.Server, Describe.Disconnect(disconnect));
            default:
                var auth = new AuthPacket
                {
                    ReasonCode = ReasonCode.ContinueAuthentication,
                    AuthenticationMethod = "M"u8,
                    AuthenticationData = s.Bytes(s.Coin()),
                    ReasonString = s.Text(),
                    UserProperties = s.User(),
                };
                PacketWriter.WriteAuth(output, version, auth);
                return (PacketSender.Server, Describe.Auth(auth));
        }
    }

    private static ConnectPacket Connect(RandomSource s, ProtocolVersion version)
    {
        var is5 = version == ProtocolVersion.Mqtt50;
        var hasWill = s.Coin();
        var user = s.Text();
        return new ConnectPacket
        {
            Version = version,
            IsBridge = !is5 && s.Coin(),
            CleanStart = s.Coin(),
            KeepAliveSeconds = (ushort)s.Next(65_536),
            ClientId = s.Topic(),
            UserName = user,
            Password = s.Bytes(is5 || user != null),
            HasWill = hasWill,
            WillTopic = hasWill ? s.Topic() : default,
            WillPayload = hasWill ? s.Bytes(true) : default,
            WillQoS = hasWill ? (QoS)s.Next(3) : 0,
            WillRetain = hasWill && s.Coin(),
            WillProperties = is5 && hasWill
                ? new WillProperties
                {
                    DelayInterval = s.Number().GetValueOrDefault(),
                    PayloadFormatIndicator = s.Coin() ? (byte)s.Next(2) : null,
                    MessageExpiryInterval = s.Number(),
                    ContentType = s.Text(),
                    ResponseTopic = s.Text(),
                    CorrelationData = s.Bytes(s.Coin()),
                    UserProperties = s.User(),
                }
                : default,
            SessionExpiryInterval = is5 ? s.Number().GetValueOrDefault() : 0,
            ReceiveMaximum = is5 ? s.Id() : ushort.MaxValue,
            MaximumPacketSize = is5 ? s.Number().GetValueOrDefault() : 0,
            TopicAliasMaximum = is5 ? (ushort)s.Next(65_536) : (ushort)0,
            RequestResponseInformation = is5 && s.Coin(),
            RequestProblemInformation = !is5 || s.Coin(),
            UserProperties = s.User(is5),
        };
    }

    private static ConnAckPacket ConnAck(RandomSource s) => new()
    {
        SessionPresent = s.Coin(),
        SessionExpiryInterval = s.Number(),
        ReceiveMaximum = s.Id(),
        MaximumQoS = (QoS)s.Next(3),
        RetainAvailable = s.Coin(),
        MaximumPacketSize = s.Number().GetValueOrDefault(),
        AssignedClientId = s.Text(),
        TopicAliasMaximum = (ushort)s.Next(65_536),
        ReasonString = s.Text(),
        UserProperties = s.User(),
        WildcardSubscriptionAvailable = s.Coin(),
        SubscriptionIdentifiersAvailable = s.Coin(),
        SharedSubscriptionAvailable = s.Coin(),
        ServerKeepAliveSeconds = s.Coin() ? s.Id() : null,
        ResponseInformation = s.Text(),
        ServerReference = s.Text(),
    };

    private static string Publish(RandomSource s, ProtocolVersion version, IBufferWriter<byte> output)
    {
        var is5 = version == ProtocolVersion.Mqtt50;
        var block = new UserPropertyBuilder(new byte[400]);
        block.TryAdd(s.Topic(), s.Topic());
        uint[] identifiers = is5 ? [.. Enumerable.Range(0, s.Next(4)).Select(_ => (uint)s.Next(1, (int)VariableByteInteger.MaxValue))] : [];
        var qos = (QoS)s.Next(3);
        var encoder = new PublishEncoder
        {
            Version = version,
            Topic = s.Topic(),
            Payload = s.Bytes(true),
            ForwardableProperties = block.Block,
            QoS = qos,
            Retain = s.Coin(),
            Duplicate = qos != 0 && s.Coin(),
            PacketId = qos != 0 ? s.Id() : (ushort)0,
            TopicAlias = is5 && s.Coin() ? s.Id() : (ushort)0,
            RemainingExpirySeconds = is5 ? s.Number() : null,
            SubscriptionIdentifiers = identifiers,
        };
        Assert.Equal(encoder.Measure(), encoder.Write(output));

        // What it must read as, said from the fields and not from the bytes.
        var expected = new DescribedPublish(encoder, block.List, identifiers);
        return expected.Text;
    }

    private readonly ref struct DescribedPublish
    {
        public DescribedPublish(in PublishEncoder e, UserPropertyList user, uint[] identifiers)
        {
            static string Escaped(ReadOnlySpan<byte> value) =>
                string.Concat(value.ToArray().Select(b => b is > 0x20 and < 0x7F and not (byte)'%' ? $"{(char)b}" : $"%{b:X2}"));

            var text = $"PUBLISH{(e.Duplicate ? " dup" : "")}{(e.QoS != 0 ? $" qos={(int)e.QoS}" : "")}{(e.Retain ? " retain" : "")}"
                + $" topic={Escaped(e.Topic)}{(e.QoS != 0 ? $" id={e.PacketId}" : "")}";
            if (e.Version == ProtocolVersion.Mqtt50)
            {
                text += $"{(e.RemainingExpirySeconds is { } x ? $" expiry={x}" : "")}{(e.TopicAlias != 0 ? $" alias={e.TopicAlias}" : "")}";
                text += string.Concat(identifiers.Select(identifier => $" identifier={identifier}"));
                foreach (var property in user)
                {
                    text += $" u={Escaped(property.Key)}:{Escaped(property.Value)}";
                }
            }

            Text = text + $" payload={Escaped(e.Payload)}";
        }

        public string Text { get; }
    }
}
