using System.Buffers;
using System.Runtime.InteropServices;

namespace Trunkline.Protocol;

/// <content>SUBACK and UNSUBACK.</content>
public static partial class PacketWriter
{
    /// <summary>
    /// Writes a SUBACK ([MQTT-3.9.2-1], [MQTT-3.9.2-2]). In 3.1.1 every failure is 0x80 ([MQTT-3.9.3-2]); 3.1 has no
    /// failure code, so that a refused filter is said to be granted at QoS 0 and never gets a message.
    /// </summary>
    public static int WriteSubAck(IBufferWriter<byte> output, ProtocolVersion version, in SubAckPacket packet, uint maximumPacketSize = 0)
    {
        if (packet.ReasonCodes.IsEmpty || packet.PacketId == 0)
        {
            return 0;
        }

        return version == ProtocolVersion.Mqtt50
            ? WriteCodes5(output, PacketType.SubAck, packet.PacketId, packet.ReasonCodes, packet.ReasonString, packet.UserProperties, maximumPacketSize)
            : WriteSubAck3(output, version, packet.PacketId, packet.ReasonCodes, maximumPacketSize);
    }

    /// <summary>Writes a SUBACK without properties.</summary>
    public static int WriteSubAck(IBufferWriter<byte> output, ProtocolVersion version, ushort packetId, ReadOnlySpan<ReasonCode> codes) =>
        WriteSubAck(output, version, new SubAckPacket { PacketId = packetId, ReasonCodes = codes });

    /// <summary>Writes an UNSUBACK ([MQTT-3.11.2-1], [MQTT-3.11.2-2]); in 3.x without codes.</summary>
    public static int WriteUnsubAck(IBufferWriter<byte> output, ProtocolVersion version, in UnsubAckPacket packet, uint maximumPacketSize = 0)
    {
        if (packet.PacketId == 0)
        {
            return 0;
        }

        if (version == ProtocolVersion.Mqtt50)
        {
            return packet.ReasonCodes.IsEmpty
                ? 0
                : WriteCodes5(output, PacketType.UnsubAck, packet.PacketId, packet.ReasonCodes, packet.ReasonString, packet.UserProperties, maximumPacketSize);
        }

        return maximumPacketSize is 0 or >= 4 ? WriteShort(output, PacketType.UnsubAck, 0, version, packet.PacketId, ReasonCode.Success) : 0;
    }

    /// <summary>Writes an UNSUBACK without properties; in 3.x without codes.</summary>
    public static int WriteUnsubAck(IBufferWriter<byte> output, ProtocolVersion version, ushort packetId, ReadOnlySpan<ReasonCode> codes) =>
        WriteUnsubAck(output, version, new UnsubAckPacket { PacketId = packetId, ReasonCodes = codes });

    private static int WriteCodes5(
        IBufferWriter<byte> output,
        PacketType type,
        ushort packetId,
        ReadOnlySpan<ReasonCode> codes,
        ReadOnlySpan<byte> reasonString,
        UserPropertyList userProperties,
        uint maximumPacketSize)
    {
        for (var detail = PropertyDetail.All; detail < PropertyDetail.End; detail++)
        {
            var size = default(PropertyMeasure);
            Diagnostics(ref size, reasonString, userProperties, detail);
            if (PacketLayout.TryPlan(sizeof(ushort) + codes.Length, size, maximumPacketSize, out var layout))
            {
                var writer = layout.Begin(output, type);
                writer.UInt16(packetId);
                writer.VariableInteger((uint)layout.Properties);
                var properties = new PropertyOutput(writer);
                Diagnostics(ref properties, reasonString, userProperties, detail);
                writer = properties.Writer;
                writer.Raw(MemoryMarshal.AsBytes(codes));
                return layout.End(output, writer);
            }
        }

        return 0;
    }

    private static int WriteSubAck3(
        IBufferWriter<byte> output, ProtocolVersion version, ushort packetId, ReadOnlySpan<ReasonCode> codes, uint maximumPacketSize)
    {
        if (!PacketLayout.TryPlan(sizeof(ushort) + codes.Length, maximumPacketSize, out var layout))
        {
            return 0;
        }

        var failure = version == ProtocolVersion.Mqtt31 ? (byte)0 : (byte)ReasonCode.UnspecifiedError;
        var writer = layout.Begin(output, PacketType.SubAck);
        writer.UInt16(packetId);
        foreach (var code in codes)
        {
            writer.Byte(ReasonCodes.IsError(code) ? failure : (byte)code);
        }

        return layout.End(output, writer);
    }
}
