using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>
/// PUBLISH: one message. The hot path of everything: topic, properties and payload are slices of the frame.
/// <code>
///   flags: DUP(3) QoS(2,1) RETAIN(0)
///   topic (2 + n), [QoS 1, 2: packet id (2)], [5.0: properties], payload to the end
/// </code>
/// </summary>
public readonly ref struct PublishPacket
{
    private const int DuplicateFlag = 0b1000;
    private const int RetainFlag = 0b0001;

    /// <summary>True where the sender says that it may have sent this before.</summary>
    public bool Duplicate { get; init; }

    /// <summary>The quality of service.</summary>
    public QoS QoS { get; init; }

    /// <summary>The RETAIN flag.</summary>
    public bool Retain { get; init; }

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>The topic, well-formed UTF-8; empty only with a topic alias. Wildcards are judged in Topics.</summary>
    public ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>The properties; empty in 3.x.</summary>
    public PublishProperties Properties { get; init; }

    /// <summary>The message itself.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Reads a PUBLISH.</summary>
    /// <param name="frame">The frame from <see cref="FrameReader"/>, which has judged the flags.</param>
    /// <param name="version">The connection's version.</param>
    /// <param name="sender">Who sent it: a client must not send subscription identifiers ([MQTT-3.3.4-6]).</param>
    /// <param name="packet">The packet.</param>
    /// <param name="error">Why not.</param>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, PacketSender sender, out PublishPacket packet, out ProtocolError error)
    {
        var rest = frame.Body;
        var flags = frame.Flags;
        var qos = (flags >> 1) & 3;
        if (frame.Type != PacketType.Publish || qos == 3 || rest.Length < sizeof(ushort))
        {
            return Refuse(
                frame.Type != PacketType.Publish ? ProtocolErrors.WrongPacket
                    : qos == 3 ? ProtocolErrors.PublishQoSInvalid
                    : ProtocolErrors.FieldPastEnd,
                out packet,
                out error);
        }

        // The packet id counts as part of the first read: one length check covers topic and id.
        int topicLength = BinaryPrimitives.ReadUInt16BigEndian(rest);
        var idSize = qos == 0 ? 0 : sizeof(ushort);
        if (rest.Length - sizeof(ushort) - idSize < topicLength)
        {
            return Refuse(ProtocolErrors.FieldPastEnd, out packet, out error);
        }

        var topic = rest.Slice(sizeof(ushort), topicLength);
        rest = rest[(sizeof(ushort) + topicLength)..];
        ushort packetId = 0;
        if (qos != 0)
        {
            packetId = BinaryPrimitives.ReadUInt16BigEndian(rest);
            rest = rest[sizeof(ushort)..];
            if (packetId == 0)
            {
                return Refuse(ProtocolErrors.PacketIdZero, out packet, out error);
            }
        }

        PublishProperties properties = default;
        if (version == ProtocolVersion.Mqtt50 && !TryReadProperties(ref rest, sender, out properties, out error))
        {
            packet = default;
            return false;
        }

        if (topicLength == 0 ? properties.TopicAlias == 0 : !Utf8.IsValidMqttString(topic))
        {
            return Refuse(topicLength == 0 ? ProtocolErrors.TopicNameEmpty : ProtocolErrors.TextMalformed, out packet, out error);
        }

        packet = new PublishPacket
        {
            Duplicate = (flags & DuplicateFlag) != 0,
            QoS = (QoS)qos,
            Retain = (flags & RetainFlag) != 0,
            PacketId = packetId,
            Topic = topic,
            Properties = properties,
            Payload = rest,
        };
        error = default;
        return true;
    }

    /// <summary>Off the hot path, so that only a refused packet is cleared before it is returned.</summary>
    private static bool Refuse(ProtocolError why, out PublishPacket packet, out ProtocolError error)
    {
        packet = default;
        error = why;
        return false;
    }

    private static bool TryReadProperties(
        scoped ref ReadOnlySpan<byte> rest, PacketSender sender, out PublishProperties properties, out ProtocolError error)
    {
        // Most messages have no properties: one zero byte.
        if (!rest.IsEmpty && rest[0] == 0)
        {
            rest = rest[1..];
            properties = default;
            error = default;
            return true;
        }

        var reader = new WireReader(rest);
        if (!reader.TryReadPropertyBlock(out var block, out error))
        {
            properties = default;
            return false;
        }

        rest = reader.Rest;
        return PublishProperties.TryParse(block, sender, out properties, out error);
    }
}
