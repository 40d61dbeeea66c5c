using System.Text;

namespace Trunkline.Sessions.Tests.Harness;

/// <summary>One packet the server wrote, read by the client's side of the codec and copied out of its buffer.</summary>
public sealed record Packet(PacketType Type)
{
    public int Length { get; init; }

    public ushort Id { get; init; }

    public ReasonCode Reason { get; init; }

    public IReadOnlyList<ReasonCode> Codes { get; init; } = [];

    public string? ReasonString { get; init; }

    public IReadOnlyList<(string Key, string Value)> UserProperties { get; init; } = [];

    public QoS QoS { get; init; }

    public bool Duplicate { get; init; }

    public bool Retain { get; init; }

    public string Topic { get; init; } = "";

    public string Payload { get; init; } = "";

    public ushort Alias { get; init; }

    public uint? Expiry { get; init; }

    public byte? PayloadFormat { get; init; }

    public string? ResponseTopic { get; init; }

    public string? CorrelationData { get; init; }

    public string? ContentType { get; init; }

    public IReadOnlyList<uint> Identifiers { get; init; } = [];

    public bool SessionPresent { get; init; }

    public uint? SessionExpiry { get; init; }

    public string? AssignedClientId { get; init; }

    public ushort? ServerKeepAlive { get; init; }

    public ushort ReceiveMaximum { get; init; }

    public ushort TopicAliasMaximum { get; init; }

    public uint MaximumPacketSize { get; init; }

    public QoS MaximumQoS { get; init; }

    public bool RetainAvailable { get; init; }

    public string? ResponseInformation { get; init; }

    public bool HasAuthenticationMethod { get; init; }

    /// <summary>Reads every packet in <paramref name="bytes"/>; the server must have written whole, valid ones.</summary>
    public static List<Packet> ReadAll(ReadOnlySpan<byte> bytes, ProtocolVersion version)
    {
        var packets = new List<Packet>();
        while (!bytes.IsEmpty)
        {
            FrameStatus status = FrameReader.TryRead(bytes, 0, version, out Frame frame, out ProtocolError error);
            Assert.True(status == FrameStatus.Complete, $"{status}: {error.Message}");
            packets.Add(Read(frame, version) with { Length = frame.TotalLength });
            bytes = bytes[frame.TotalLength..];
        }

        return packets;
    }

    private static Packet Read(in Frame frame, ProtocolVersion version)
    {
        ProtocolError error;
        switch (frame.Type)
        {
            case PacketType.ConnAck:
                Assert.True(ConnAckPacket.TryParse(frame, version, out ConnAckPacket connAck, out error), error.Message);
                return Of(connAck);
            case PacketType.Publish:
                Assert.True(PublishPacket.TryParse(frame, version, PacketSender.Server, out PublishPacket publish, out error), error.Message);
                return Of(publish);
            case PacketType.PubAck:
                Assert.True(PubAckPacket.TryParse(frame, version, out PubAckPacket pubAck, out error), error.Message);
                return Acknowledgement(frame.Type, pubAck.PacketId, pubAck.ReasonCode, pubAck.ReasonString, pubAck.UserProperties);
            case PacketType.PubRec:
                Assert.True(PubRecPacket.TryParse(frame, version, out PubRecPacket pubRec, out error), error.Message);
                return Acknowledgement(frame.Type, pubRec.PacketId, pubRec.ReasonCode, pubRec.ReasonString, pubRec.UserProperties);
            case PacketType.PubRel:
                Assert.True(PubRelPacket.TryParse(frame, version, out PubRelPacket pubRel, out error), error.Message);
                return Acknowledgement(frame.Type, pubRel.PacketId, pubRel.ReasonCode, pubRel.ReasonString, pubRel.UserProperties);
            case PacketType.PubComp:
                Assert.True(PubCompPacket.TryParse(frame, version, out PubCompPacket pubComp, out error), error.Message);
                return Acknowledgement(frame.Type, pubComp.PacketId, pubComp.ReasonCode, pubComp.ReasonString, pubComp.UserProperties);
            case PacketType.SubAck:
                Assert.True(SubAckPacket.TryParse(frame, version, out SubAckPacket subAck, out error), error.Message);
                return Acknowledgement(frame.Type, subAck.PacketId, default, subAck.ReasonString, subAck.UserProperties)
                    with
                { Codes = subAck.ReasonCodes.ToArray() };
            case PacketType.UnsubAck:
                Assert.True(UnsubAckPacket.TryParse(frame, version, out UnsubAckPacket unsubAck, out error), error.Message);
                return Acknowledgement(frame.Type, unsubAck.PacketId, default, unsubAck.ReasonString, unsubAck.UserProperties)
                    with
                { Codes = unsubAck.ReasonCodes.ToArray() };
            case PacketType.PingResp:
                Assert.True(PingRespPacket.TryParse(frame, out _, out error), error.Message);
                return new Packet(frame.Type);
            case PacketType.Disconnect:
                Assert.True(DisconnectPacket.TryParse(frame, version, PacketSender.Server, out DisconnectPacket disconnect, out error), error.Message);
                return Acknowledgement(frame.Type, 0, disconnect.ReasonCode, disconnect.ReasonString, disconnect.UserProperties)
                    with
                { SessionExpiry = disconnect.SessionExpiryInterval };
            default:
                throw new InvalidOperationException($"The server wrote {frame.Type}.");
        }
    }

    private static Packet Of(in ConnAckPacket packet) =>
        Acknowledgement(PacketType.ConnAck, 0, packet.ReasonCode, packet.ReasonString, packet.UserProperties) with
        {
            SessionPresent = packet.SessionPresent,
            SessionExpiry = packet.SessionExpiryInterval,
            AssignedClientId = packet.HasAssignedClientId ? Text(packet.AssignedClientId) : null,
            ServerKeepAlive = packet.ServerKeepAliveSeconds,
            ReceiveMaximum = packet.ReceiveMaximum,
            TopicAliasMaximum = packet.TopicAliasMaximum,
            MaximumPacketSize = packet.MaximumPacketSize,
            MaximumQoS = packet.MaximumQoS,
            RetainAvailable = packet.RetainAvailable,
            ResponseInformation = packet.HasResponseInformation ? Text(packet.ResponseInformation) : null,
            HasAuthenticationMethod = packet.HasAuthenticationMethod,
        };

    private static Packet Of(in PublishPacket packet)
    {
        PublishProperties properties = packet.Properties;
        var identifiers = new List<uint>();
        foreach (uint identifier in properties.SubscriptionIdentifiers)
        {
            identifiers.Add(identifier);
        }

        return new Packet(PacketType.Publish)
        {
            Id = packet.PacketId,
            QoS = packet.QoS,
            Duplicate = packet.Duplicate,
            Retain = packet.Retain,
            Topic = Text(packet.Topic),
            Payload = Text(packet.Payload),
            Alias = properties.TopicAlias,
            Expiry = properties.MessageExpiryInterval,
            PayloadFormat = properties.PayloadFormatIndicator,
            ResponseTopic = properties.HasResponseTopic ? Text(properties.ResponseTopic) : null,
            CorrelationData = properties.HasCorrelationData ? Text(properties.CorrelationData) : null,
            ContentType = properties.HasContentType ? Text(properties.ContentType) : null,
            Identifiers = identifiers,
            UserProperties = Pairs(properties.UserProperties),
        };
    }

    private static Packet Acknowledgement(
        PacketType type, ushort id, ReasonCode reason, ReadOnlySpan<byte> reasonString, UserPropertyList userProperties) => new(type)
        {
            Id = id,
            Reason = reason,
            ReasonString = reasonString.IsEmpty ? null : Text(reasonString),
            UserProperties = Pairs(userProperties),
        };

    private static List<(string Key, string Value)> Pairs(UserPropertyList list)
    {
        var pairs = new List<(string Key, string Value)>();
        foreach (UserProperty property in list)
        {
            pairs.Add((Text(property.Key), Text(property.Value)));
        }

        return pairs;
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);
}
