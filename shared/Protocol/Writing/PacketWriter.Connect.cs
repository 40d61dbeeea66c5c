using System.Buffers;

namespace Trunkline.Protocol;

/// <content>CONNECT.</content>
public static partial class PacketWriter
{
    private const int BridgeBit = 0x80;

    /// <summary>
    /// Writes a CONNECT in <see cref="ConnectPacket.Version"/>, with the bridge bit where <see cref="ConnectPacket.IsBridge"/>
    /// (3.x only). A password without a user name is 5.0 only: 0 before.
    /// </summary>
    public static int WriteConnect(IBufferWriter<byte> output, in ConnectPacket packet, uint maximumPacketSize = 0)
    {
        var is5 = packet.Version == ProtocolVersion.Mqtt50;
        if ((!is5 && packet.HasPassword && !packet.HasUserName) || !TryPlanConnect(packet, maximumPacketSize, out var layout, out var willSize))
        {
            return 0;
        }

        var writer = layout.Begin(output, PacketType.Connect);
        writer.Bytes(packet.Version == ProtocolVersion.Mqtt31 ? "MQIsdp"u8 : "MQTT"u8);
        writer.Byte((byte)((int)packet.Version | (packet.IsBridge && !is5 ? BridgeBit : 0)));
        writer.Byte(ConnectFlags(packet));
        writer.UInt16(packet.KeepAliveSeconds);
        if (is5)
        {
            writer.VariableInteger((uint)layout.Properties);
            var properties = new PropertyOutput(writer);
            ConnectProperties(ref properties, packet);
            writer = properties.Writer;
        }

        writer.Bytes(packet.ClientId);
        if (packet.HasWill)
        {
            if (is5)
            {
                writer.VariableInteger((uint)willSize);
                var properties = new PropertyOutput(writer);
                WillLayout(ref properties, packet.WillProperties);
                writer = properties.Writer;
            }

            writer.Bytes(packet.WillTopic);
            writer.Bytes(packet.WillPayload);
        }

        if (packet.HasUserName)
        {
            writer.Bytes(packet.UserName);
        }

        if (packet.HasPassword)
        {
            writer.Bytes(packet.Password);
        }

        return layout.End(output, writer);
    }

    private static bool TryPlanConnect(in ConnectPacket packet, uint maximumPacketSize, out PacketLayout layout, out long willSize)
    {
        layout = default;
        willSize = 0;
        if (IsTooLong(packet.ClientId) || IsTooLong(packet.WillTopic) || IsTooLong(packet.WillPayload)
            || IsTooLong(packet.UserName) || IsTooLong(packet.Password))
        {
            return false;
        }

        long size = packet.Version == ProtocolVersion.Mqtt31 ? 8 + 4 : 6 + 4;
        size += sizeof(ushort) + packet.ClientId.Length;
        size += packet.HasUserName ? sizeof(ushort) + packet.UserName.Length : 0;
        size += packet.HasPassword ? sizeof(ushort) + packet.Password.Length : 0;
        size += packet.HasWill ? sizeof(ushort) + packet.WillTopic.Length + sizeof(ushort) + packet.WillPayload.Length : 0;
        if (packet.Version != ProtocolVersion.Mqtt50)
        {
            return PacketLayout.TryPlan(size, maximumPacketSize, out layout);
        }

        var will = default(PropertyMeasure);
        if (packet.HasWill)
        {
            WillLayout(ref will, packet.WillProperties);
            willSize = will.Size;
            if (will.IsTooLong || will.Size > VariableByteInteger.MaxValue)
            {
                return false;
            }

            size += VariableByteInteger.SizeOf((uint)will.Size) + will.Size;
        }

        var properties = default(PropertyMeasure);
        ConnectProperties(ref properties, packet);
        return PacketLayout.TryPlan(size, properties, maximumPacketSize, out layout);
    }

    private static byte ConnectFlags(in ConnectPacket packet)
    {
        var will = packet.HasWill ? 0x04 | ((int)packet.WillQoS << 3) | (packet.WillRetain ? 0x20 : 0) : 0;
        return (byte)(will | (packet.CleanStart ? 0x02 : 0) | (packet.HasPassword ? 0x40 : 0) | (packet.HasUserName ? 0x80 : 0));
    }

    private static void ConnectProperties<TSink>(ref TSink sink, in ConnectPacket packet)
        where TSink : IPropertySink, allows ref struct
    {
        if (packet.SessionExpiryInterval != 0)
        {
            sink.UInt32(PropertyId.SessionExpiryInterval, packet.SessionExpiryInterval);
        }

        if (packet.ReceiveMaximum is not ushort.MaxValue and not 0)
        {
            sink.UInt16(PropertyId.ReceiveMaximum, packet.ReceiveMaximum);
        }

        if (packet.MaximumPacketSize != 0)
        {
            sink.UInt32(PropertyId.MaximumPacketSize, packet.MaximumPacketSize);
        }

        if (packet.TopicAliasMaximum != 0)
        {
            sink.UInt16(PropertyId.TopicAliasMaximum, packet.TopicAliasMaximum);
        }

        if (packet.RequestResponseInformation)
        {
            sink.Byte(PropertyId.RequestResponseInformation, 1);
        }

        if (!packet.RequestProblemInformation)
        {
            sink.Byte(PropertyId.RequestProblemInformation, 0);
        }

        sink.Optional(PropertyId.AuthenticationMethod, packet.AuthenticationMethod);
        sink.Optional(PropertyId.AuthenticationData, packet.AuthenticationData);
        sink.UserProperties(packet.UserProperties);
    }

    private static void WillLayout<TSink>(ref TSink sink, in WillProperties will)
        where TSink : IPropertySink, allows ref struct
    {
        if (will.DelayInterval != 0)
        {
            sink.UInt32(PropertyId.WillDelayInterval, will.DelayInterval);
        }

        if (will.PayloadFormatIndicator is { } format)
        {
            sink.Byte(PropertyId.PayloadFormatIndicator, format);
        }

        if (will.MessageExpiryInterval is { } expiry)
        {
            sink.UInt32(PropertyId.MessageExpiryInterval, expiry);
        }

        sink.Optional(PropertyId.ContentType, will.ContentType);
        sink.Optional(PropertyId.ResponseTopic, will.ResponseTopic);
        sink.Optional(PropertyId.CorrelationData, will.CorrelationData);
        sink.UserProperties(will.UserProperties);
    }
}
