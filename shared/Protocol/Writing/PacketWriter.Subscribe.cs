using System.Buffers;

namespace Trunkline.Protocol;

/// <content>SUBSCRIBE and UNSUBSCRIBE.</content>
public static partial class PacketWriter
{
    private const int SubscribeFlags = 0b0010;

    /// <summary>Writes a SUBSCRIBE; 0 also without a filter ([MQTT-3.8.3-2]). In 3.x only the QoS of the options is written.</summary>
    public static int WriteSubscribe(IBufferWriter<byte> output, ProtocolVersion version, in SubscribePacket packet, uint maximumPacketSize = 0)
    {
        var payload = packet.Subscriptions.Payload;
        if (payload.IsEmpty || packet.PacketId == 0)
        {
            return 0;
        }

        var is5 = version == ProtocolVersion.Mqtt50;
        var size = default(PropertyMeasure);
        SubscribeProperties(ref size, packet);
        long others = sizeof(ushort) + payload.Length;
        if (!(is5
            ? PacketLayout.TryPlan(others, size, maximumPacketSize, out var layout)
            : PacketLayout.TryPlan(others, maximumPacketSize, out layout)))
        {
            return 0;
        }

        var writer = layout.Begin(output, PacketType.Subscribe, SubscribeFlags);
        writer.UInt16(packet.PacketId);
        if (is5)
        {
            writer.VariableInteger((uint)layout.Properties);
            var properties = new PropertyOutput(writer);
            SubscribeProperties(ref properties, packet);
            writer = properties.Writer;
            writer.Raw(payload);
            return layout.End(output, writer);
        }

        foreach (var subscription in packet.Subscriptions)
        {
            writer.Bytes(subscription.Filter);
            writer.Byte(subscription.Options.In(version).Value);
        }

        return layout.End(output, writer);
    }

    /// <summary>Writes a SUBSCRIBE of one filter; <paramref name="subscriptionIdentifier"/> 0 = none, and ignored in 3.x.</summary>
    public static int WriteSubscribe(
        IBufferWriter<byte> output,
        ProtocolVersion version,
        ushort packetId,
        ReadOnlySpan<byte> filter,
        SubscriptionOptions options,
        uint subscriptionIdentifier = 0)
    {
        if (filter.IsEmpty || IsTooLong(filter) || packetId == 0)
        {
            return 0;
        }

        var size = default(PropertyMeasure);
        if (subscriptionIdentifier != 0)
        {
            size.VariableInteger(PropertyId.SubscriptionIdentifier, subscriptionIdentifier);
        }

        long others = sizeof(ushort) + sizeof(ushort) + filter.Length + 1;
        var is5 = version == ProtocolVersion.Mqtt50;
        if (!(is5 ? PacketLayout.TryPlan(others, size, 0, out var layout) : PacketLayout.TryPlan(others, 0, out layout)))
        {
            return 0;
        }

        var writer = layout.Begin(output, PacketType.Subscribe, SubscribeFlags);
        writer.UInt16(packetId);
        if (is5)
        {
            writer.VariableInteger((uint)layout.Properties);
        }

        if (is5 && subscriptionIdentifier != 0)
        {
            writer.Byte((byte)PropertyId.SubscriptionIdentifier);
            writer.VariableInteger(subscriptionIdentifier);
        }

        writer.Bytes(filter);
        writer.Byte(options.In(version).Value);
        return layout.End(output, writer);
    }

    /// <summary>Writes an UNSUBSCRIBE; 0 also without a filter ([MQTT-3.10.3-2]).</summary>
    public static int WriteUnsubscribe(IBufferWriter<byte> output, ProtocolVersion version, in UnsubscribePacket packet, uint maximumPacketSize = 0)
    {
        var payload = packet.Filters.Payload;
        if (payload.IsEmpty || packet.PacketId == 0)
        {
            return 0;
        }

        var is5 = version == ProtocolVersion.Mqtt50;
        var size = default(PropertyMeasure);
        size.UserProperties(packet.UserProperties);
        long others = sizeof(ushort) + payload.Length;
        if (!(is5
            ? PacketLayout.TryPlan(others, size, maximumPacketSize, out var layout)
            : PacketLayout.TryPlan(others, maximumPacketSize, out layout)))
        {
            return 0;
        }

        var writer = layout.Begin(output, PacketType.Unsubscribe, SubscribeFlags);
        writer.UInt16(packet.PacketId);
        if (is5)
        {
            writer.VariableInteger((uint)layout.Properties);
            var properties = new PropertyOutput(writer);
            properties.UserProperties(packet.UserProperties);
            writer = properties.Writer;
        }

        writer.Raw(payload);
        return layout.End(output, writer);
    }

    /// <summary>Writes an UNSUBSCRIBE of one filter.</summary>
    public static int WriteUnsubscribe(IBufferWriter<byte> output, ProtocolVersion version, ushort packetId, ReadOnlySpan<byte> filter)
    {
        if (filter.IsEmpty || IsTooLong(filter) || packetId == 0)
        {
            return 0;
        }

        var is5 = version == ProtocolVersion.Mqtt50;
        if (!PacketLayout.TryPlan(sizeof(ushort) + (is5 ? 1 : 0) + sizeof(ushort) + filter.Length, 0, out var layout))
        {
            return 0;
        }

        var writer = layout.Begin(output, PacketType.Unsubscribe, SubscribeFlags);
        writer.UInt16(packetId);
        if (is5)
        {
            writer.Byte(0);
        }

        writer.Bytes(filter);
        return layout.End(output, writer);
    }

    private static void SubscribeProperties<TSink>(ref TSink sink, in SubscribePacket packet)
        where TSink : IPropertySink, allows ref struct
    {
        if (packet.SubscriptionIdentifier != 0)
        {
            sink.VariableInteger(PropertyId.SubscriptionIdentifier, packet.SubscriptionIdentifier);
        }

        sink.UserProperties(packet.UserProperties);
    }
}
