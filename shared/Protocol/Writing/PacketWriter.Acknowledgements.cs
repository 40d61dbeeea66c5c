using System.Buffers;

namespace Trunkline.Protocol;

/// <content>PUBACK, PUBREC, PUBREL and PUBCOMP.</content>
public static partial class PacketWriter
{
    private const int PubRelFlags = 0b0010;

    /// <summary>Writes a PUBACK without properties: the hot path.</summary>
    public static int WritePubAck(IBufferWriter<byte> output, ProtocolVersion version, ushort packetId, ReasonCode code = ReasonCode.Success) =>
        WriteShort(output, PacketType.PubAck, 0, version, packetId, code);

    /// <summary>Writes a PUBREC without properties.</summary>
    public static int WritePubRec(IBufferWriter<byte> output, ProtocolVersion version, ushort packetId, ReasonCode code = ReasonCode.Success) =>
        WriteShort(output, PacketType.PubRec, 0, version, packetId, code);

    /// <summary>Writes a PUBREL without properties.</summary>
    public static int WritePubRel(IBufferWriter<byte> output, ProtocolVersion version, ushort packetId, ReasonCode code = ReasonCode.Success) =>
        WriteShort(output, PacketType.PubRel, PubRelFlags, version, packetId, code);

    /// <summary>Writes a PUBCOMP without properties.</summary>
    public static int WritePubComp(IBufferWriter<byte> output, ProtocolVersion version, ushort packetId, ReasonCode code = ReasonCode.Success) =>
        WriteShort(output, PacketType.PubComp, 0, version, packetId, code);

    /// <summary>Writes a PUBACK ([MQTT-3.4.2-2], [MQTT-3.4.2-3]).</summary>
    public static int WritePubAck(IBufferWriter<byte> output, ProtocolVersion version, in PubAckPacket packet, uint maximumPacketSize = 0) =>
        WriteLong(output, PacketType.PubAck, 0, version, packet.PacketId, packet.ReasonCode, packet.ReasonString, packet.UserProperties, maximumPacketSize);

    /// <summary>Writes a PUBREC ([MQTT-3.5.2-2], [MQTT-3.5.2-3]).</summary>
    public static int WritePubRec(IBufferWriter<byte> output, ProtocolVersion version, in PubRecPacket packet, uint maximumPacketSize = 0) =>
        WriteLong(output, PacketType.PubRec, 0, version, packet.PacketId, packet.ReasonCode, packet.ReasonString, packet.UserProperties, maximumPacketSize);

    /// <summary>Writes a PUBREL ([MQTT-3.6.2-2], [MQTT-3.6.2-3]).</summary>
    public static int WritePubRel(IBufferWriter<byte> output, ProtocolVersion version, in PubRelPacket packet, uint maximumPacketSize = 0) =>
        WriteLong(output, PacketType.PubRel, PubRelFlags, version, packet.PacketId, packet.ReasonCode, packet.ReasonString, packet.UserProperties, maximumPacketSize);

    /// <summary>Writes a PUBCOMP ([MQTT-3.7.2-2], [MQTT-3.7.2-3]).</summary>
    public static int WritePubComp(IBufferWriter<byte> output, ProtocolVersion version, in PubCompPacket packet, uint maximumPacketSize = 0) =>
        WriteLong(output, PacketType.PubComp, 0, version, packet.PacketId, packet.ReasonCode, packet.ReasonString, packet.UserProperties, maximumPacketSize);

    private static int WriteShort(
        IBufferWriter<byte> output, PacketType type, int flags, ProtocolVersion version, ushort packetId, ReasonCode code)
    {
        // The code is said only where it says something: 3.x has none, and nothing means Success.
        var length = version == ProtocolVersion.Mqtt50 && code != ReasonCode.Success ? 5 : 4;
        var span = output.GetSpan(length);
        span[3] = (byte)packetId;
        span[0] = (byte)(((int)type << 4) | flags);
        span[1] = (byte)(length - 2);
        span[2] = (byte)(packetId >> 8);
        if (length == 5)
        {
            span[4] = (byte)code;
        }

        output.Advance(length);
        return length;
    }

    private static int WriteLong(
        IBufferWriter<byte> output,
        PacketType type,
        int flags,
        ProtocolVersion version,
        ushort packetId,
        ReasonCode code,
        ReadOnlySpan<byte> reasonString,
        UserPropertyList userProperties,
        uint maximumPacketSize)
    {
        for (var detail = PropertyDetail.All; detail < PropertyDetail.End && version == ProtocolVersion.Mqtt50; detail++)
        {
            var size = default(PropertyMeasure);
            Diagnostics(ref size, reasonString, userProperties, detail);
            if (size.Size == 0)
            {
                break;
            }

            if (PacketLayout.TryPlan(sizeof(ushort) + sizeof(byte), size, maximumPacketSize, out var layout))
            {
                var writer = layout.Begin(output, type, flags);
                writer.UInt16(packetId);
                writer.Byte((byte)code);
                writer.VariableInteger((uint)layout.Properties);
                var properties = new PropertyOutput(writer);
                Diagnostics(ref properties, reasonString, userProperties, detail);
                return layout.End(output, properties.Writer);
            }
        }

        var shortest = version == ProtocolVersion.Mqtt50 && code != ReasonCode.Success ? 5u : 4u;
        return maximumPacketSize == 0 || shortest <= maximumPacketSize ? WriteShort(output, type, flags, version, packetId, code) : 0;
    }
}
