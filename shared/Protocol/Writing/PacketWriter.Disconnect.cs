using System.Buffers;

namespace Trunkline.Protocol;

/// <content>DISCONNECT and AUTH.</content>
public static partial class PacketWriter
{
    /// <summary>
    /// Writes a DISCONNECT ([MQTT-3.14.2-3], [MQTT-3.14.2-4]). In 3.x it has no contents, and only a client sends one.
    /// </summary>
    public static int WriteDisconnect(IBufferWriter<byte> output, ProtocolVersion version, in DisconnectPacket packet, uint maximumPacketSize = 0)
    {
        for (var detail = PropertyDetail.All; detail < PropertyDetail.End && version == ProtocolVersion.Mqtt50; detail++)
        {
            var size = default(PropertyMeasure);
            DisconnectProperties(ref size, packet, detail);
            if (size.Size == 0)
            {
                break;
            }

            if (PacketLayout.TryPlan(sizeof(byte), size, maximumPacketSize, out var layout))
            {
                var writer = layout.Begin(output, PacketType.Disconnect);
                writer.Byte((byte)packet.ReasonCode);
                writer.VariableInteger((uint)layout.Properties);
                var properties = new PropertyOutput(writer);
                DisconnectProperties(ref properties, packet, detail);
                return layout.End(output, properties.Writer);
            }

            if (detail == PropertyDetail.WithoutReasonString)
            {
                return 0;
            }
        }

        if (version != ProtocolVersion.Mqtt50 || packet.ReasonCode == ReasonCode.Success)
        {
            return maximumPacketSize is 0 or >= 2 ? WriteFixed(output, FixedFrames.Disconnect3) : 0;
        }

        return maximumPacketSize is 0 or >= 3 ? WriteFixed(output, [0xE0, 0x01, (byte)packet.ReasonCode]) : 0;
    }

    /// <summary>Writes an AUTH ([MQTT-3.15.2-2], [MQTT-3.15.2-3]); 0 before 5.0.</summary>
    public static int WriteAuth(IBufferWriter<byte> output, ProtocolVersion version, in AuthPacket packet, uint maximumPacketSize = 0)
    {
        for (var detail = PropertyDetail.All; detail < PropertyDetail.End && version == ProtocolVersion.Mqtt50; detail++)
        {
            var size = default(PropertyMeasure);
            AuthProperties(ref size, packet, detail);
            if (size.Size == 0 && packet.ReasonCode == ReasonCode.Success)
            {
                return maximumPacketSize is 0 or >= 2 ? WriteFixed(output, [0xF0, 0x00]) : 0;
            }

            if (PacketLayout.TryPlan(sizeof(byte), size, maximumPacketSize, out var layout))
            {
                var writer = layout.Begin(output, PacketType.Auth);
                writer.Byte((byte)packet.ReasonCode);
                writer.VariableInteger((uint)layout.Properties);
                var properties = new PropertyOutput(writer);
                AuthProperties(ref properties, packet, detail);
                return layout.End(output, properties.Writer);
            }
        }

        return 0;
    }

    private static void DisconnectProperties<TSink>(ref TSink sink, in DisconnectPacket packet, PropertyDetail detail)
        where TSink : IPropertySink, allows ref struct
    {
        if (packet.SessionExpiryInterval is { } sessionExpiry)
        {
            sink.UInt32(PropertyId.SessionExpiryInterval, sessionExpiry);
        }

        sink.Optional(PropertyId.ServerReference, packet.ServerReference);
        Diagnostics(ref sink, packet.ReasonString, packet.UserProperties, detail);
    }

    private static void AuthProperties<TSink>(ref TSink sink, in AuthPacket packet, PropertyDetail detail)
        where TSink : IPropertySink, allows ref struct
    {
        sink.Optional(PropertyId.AuthenticationMethod, packet.AuthenticationMethod);
        sink.Optional(PropertyId.AuthenticationData, packet.AuthenticationData);
        Diagnostics(ref sink, packet.ReasonString, packet.UserProperties, detail);
    }
}
