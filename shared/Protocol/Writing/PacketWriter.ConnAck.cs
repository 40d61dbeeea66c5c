using System.Buffers;

namespace Trunkline.Protocol;

/// <content>CONNACK.</content>
public static partial class PacketWriter
{
    /// <summary>
    /// Writes a CONNACK. In 3.x the reason code becomes a return code; 0 where none applies. Session Present is written
    /// with Success only ([MQTT-3.2.2-6]; 3.1.1 [MQTT-3.2.2-4]), and not in 3.1. To fit, user properties and then the
    /// reason string are left out ([MQTT-3.2.2-19], [MQTT-3.2.2-20]).
    /// </summary>
    public static int WriteConnAck(IBufferWriter<byte> output, ProtocolVersion version, in ConnAckPacket packet, uint maximumPacketSize = 0)
    {
        var sessionPresent = packet.SessionPresent && packet.ReasonCode == ReasonCode.Success;
        if (version != ProtocolVersion.Mqtt50)
        {
            if (!ReasonCodes.TryToConnectReturnCode(packet.ReasonCode, out var returnCode))
            {
                return 0;
            }

            sessionPresent &= version == ProtocolVersion.Mqtt311;
            return WriteFixed(output, [0x20, 0x02, sessionPresent ? (byte)1 : (byte)0, (byte)returnCode]);
        }

        for (var detail = PropertyDetail.All; detail < PropertyDetail.End; detail++)
        {
            var size = default(PropertyMeasure);
            ConnAckProperties(ref size, packet, detail);
            if (PacketLayout.TryPlan(2, size, maximumPacketSize, out var layout))
            {
                var writer = layout.Begin(output, PacketType.ConnAck);
                writer.Byte(sessionPresent ? (byte)1 : (byte)0);
                writer.Byte((byte)packet.ReasonCode);
                writer.VariableInteger((uint)layout.Properties);
                var properties = new PropertyOutput(writer);
                ConnAckProperties(ref properties, packet, detail);
                return layout.End(output, properties.Writer);
            }
        }

        return 0;
    }

    private static void ConnAckProperties<TSink>(ref TSink sink, in ConnAckPacket packet, PropertyDetail detail)
        where TSink : IPropertySink, allows ref struct
    {
        if (packet.SessionExpiryInterval is { } sessionExpiry)
        {
            sink.UInt32(PropertyId.SessionExpiryInterval, sessionExpiry);
        }

        if (packet.ReceiveMaximum is not ushort.MaxValue and not 0)
        {
            sink.UInt16(PropertyId.ReceiveMaximum, packet.ReceiveMaximum);
        }

        if (packet.MaximumQoS < QoS.ExactlyOnce)
        {
            sink.Byte(PropertyId.MaximumQoS, (byte)packet.MaximumQoS);
        }

        if (packet.MaximumPacketSize != 0)
        {
            sink.UInt32(PropertyId.MaximumPacketSize, packet.MaximumPacketSize);
        }

        if (packet.TopicAliasMaximum != 0)
        {
            sink.UInt16(PropertyId.TopicAliasMaximum, packet.TopicAliasMaximum);
        }

        if (packet.ServerKeepAliveSeconds is { } keepAlive)
        {
            sink.UInt16(PropertyId.ServerKeepAlive, keepAlive);
        }

        Unavailable(ref sink, PropertyId.RetainAvailable, packet.RetainAvailable);
        Unavailable(ref sink, PropertyId.WildcardSubscriptionAvailable, packet.WildcardSubscriptionAvailable);
        Unavailable(ref sink, PropertyId.SubscriptionIdentifiersAvailable, packet.SubscriptionIdentifiersAvailable);
        Unavailable(ref sink, PropertyId.SharedSubscriptionAvailable, packet.SharedSubscriptionAvailable);
        sink.Optional(PropertyId.AssignedClientIdentifier, packet.AssignedClientId);
        sink.Optional(PropertyId.ResponseInformation, packet.ResponseInformation);
        sink.Optional(PropertyId.ServerReference, packet.ServerReference);
        sink.Optional(PropertyId.AuthenticationMethod, packet.AuthenticationMethod);
        sink.Optional(PropertyId.AuthenticationData, packet.AuthenticationData);
        Diagnostics(ref sink, packet.ReasonString, packet.UserProperties, detail);
    }

    /// <summary>What is available is the default and not said.</summary>
    private static void Unavailable<TSink>(ref TSink sink, PropertyId id, bool available)
        where TSink : IPropertySink, allows ref struct
    {
        if (!available)
        {
            sink.Byte(id, 0);
        }
    }
}
