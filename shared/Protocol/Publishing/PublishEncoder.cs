using System.Buffers;

namespace Trunkline.Protocol;

/// <summary>
/// Encodes one outgoing PUBLISH: the message as it is, and around it what is this receiver's own. Measures first, so
/// that the receiver's maximum packet size can be judged before a byte is written, then writes in one span.
/// <code>
///   0x3_, remaining length, topic, [packet id],
///   5.0: property length, [expiry], [alias], {subscription identifier}*, [extra user property], forwardable block
///   payload
/// </code>
/// In 3.x all properties are left out. The extra user property stands before the message's own, so that finding it is cheap.
/// The measure is kept until a field is set: a <c>with</c> copy measures anew.
/// </summary>
public ref struct PublishEncoder
{
    private const int ExpirySize = 5;
    private const int AliasSize = 3;

    private int _total;
    private int _properties;
    private int _remaining;

    /// <summary>The receiver's version.</summary>
    public required ProtocolVersion Version { get; init { field = value; _total = 0; } }

    /// <summary>The topic.</summary>
    public ReadOnlySpan<byte> Topic { get; init { field = value; _total = 0; } }

    /// <summary>True to send an empty topic, where the receiver knows the alias.</summary>
    public bool OmitTopic { get; init { field = value; _total = 0; } }

    /// <summary>The message.</summary>
    public ReadOnlySpan<byte> Payload { get; init { field = value; _total = 0; } }

    /// <summary>A block made by <see cref="Trunkline.Protocol.ForwardableProperties"/>.</summary>
    public ReadOnlySpan<byte> ForwardableProperties { get; init { field = value; _total = 0; } }

    /// <summary>The quality of service.</summary>
    public QoS QoS { get; init { field = value; _total = 0; } }

    /// <summary>The RETAIN flag.</summary>
    public bool Retain { get; init { field = value; _total = 0; } }

    /// <summary>The DUP flag; ignored at QoS 0 ([MQTT-3.3.1-2]).</summary>
    public bool Duplicate { get; init { field = value; _total = 0; } }

    /// <summary>The packet identifier; ignored at QoS 0 ([MQTT-2.2.1-2]).</summary>
    public ushort PacketId { get; init { field = value; _total = 0; } }

    /// <summary>The topic alias; 0 = none.</summary>
    public ushort TopicAlias { get; init { field = value; _total = 0; } }

    /// <summary>Seconds that the message still lives; null = no limit.</summary>
    public uint? RemainingExpirySeconds { get; init { field = value; _total = 0; } }

    /// <summary>The subscription identifiers that matched.</summary>
    public ReadOnlySpan<uint> SubscriptionIdentifiers { get; init { field = value; _total = 0; } }

    /// <summary>The name of one user property that is added; <c>default</c> = none.</summary>
    public ReadOnlySpan<byte> ExtraKey { get; init { field = value; _total = 0; } }

    /// <summary>The value of the added user property.</summary>
    public ReadOnlySpan<byte> ExtraValue { get; init { field = value; _total = 0; } }

    /// <summary>Where the packet id stands in the frame, after a successful <see cref="Measure"/>; -1 at QoS 0.</summary>
    public readonly int PacketIdOffset => QoS == QoS.AtMostOnce
        ? -1
        : 1 + VariableByteInteger.SizeOf((uint)_remaining) + sizeof(ushort) + TopicLength;

    private readonly int TopicLength => OmitTopic ? 0 : Topic.Length;

    private readonly bool HasExtra => Presence.IsPresent(ExtraKey);

    /// <summary>The size of the whole packet in bytes; 0 where it cannot be encoded: too long for MQTT. A packet id of 0 is measured, for frames that are patched later.</summary>
    public int Measure()
    {
        if (_total != 0)
        {
            return _total;
        }

        if (Topic.Length > ushort.MaxValue || ExtraKey.Length > ushort.MaxValue || ExtraValue.Length > ushort.MaxValue)
        {
            return 0;
        }

        long remaining = sizeof(ushort) + TopicLength + (QoS == QoS.AtMostOnce ? 0 : sizeof(ushort)) + (long)Payload.Length;
        if (Version == ProtocolVersion.Mqtt50)
        {
            long properties = MeasureProperties();
            if (properties > VariableByteInteger.MaxValue)
            {
                return 0;
            }

            _properties = (int)properties;
            remaining += VariableByteInteger.SizeOf((uint)_properties) + properties;
        }

        if (remaining > VariableByteInteger.MaxValue)
        {
            return 0;
        }

        _remaining = (int)remaining;
        _total = 1 + VariableByteInteger.SizeOf((uint)_remaining) + _remaining;
        return _total;
    }

    /// <summary>Writes the packet. Returns the bytes written; 0 where it is larger than <paramref name="maximumPacketSize"/> (0 = no limit) or cannot be encoded.</summary>
    public int Write(IBufferWriter<byte> output, uint maximumPacketSize = 0)
    {
        var total = Measure();
        if (total == 0 || (maximumPacketSize != 0 && (uint)total > maximumPacketSize))
        {
            return 0;
        }

        WriteMeasured(output.GetSpan(total));
        output.Advance(total);
        return total;
    }

    /// <summary>Writes the packet into a span of at least <see cref="Measure"/> bytes. Returns the bytes written; 0 where it cannot be encoded.</summary>
    public int Write(Span<byte> destination)
    {
        var total = Measure();
        if (total != 0)
        {
            WriteMeasured(destination);
        }

        return total;
    }

    /// <summary>Encodes into an array of its own; <c>default</c> where it cannot be encoded.</summary>
    public EncodedPublish Encode()
    {
        var total = Measure();
        if (total == 0)
        {
            return default;
        }

        var frame = GC.AllocateUninitializedArray<byte>(total);
        WriteMeasured(frame);
        return new EncodedPublish(frame, total, PacketIdOffset);
    }

    private readonly void WriteMeasured(Span<byte> destination)
    {
        var writer = new WireWriter(destination);
        var duplicate = Duplicate && QoS != QoS.AtMostOnce;
        writer.Byte((byte)(((int)PacketType.Publish << 4) | (duplicate ? 8 : 0) | ((int)QoS << 1) | (Retain ? 1 : 0)));
        writer.VariableInteger((uint)_remaining);
        writer.Bytes(OmitTopic ? default : Topic);
        if (QoS != QoS.AtMostOnce)
        {
            writer.UInt16(PacketId);
        }

        if (Version == ProtocolVersion.Mqtt50)
        {
            writer.VariableInteger((uint)_properties);
            if (_properties != 0)
            {
                WriteProperties(ref writer);
            }
        }

        writer.Raw(Payload);
    }

    private readonly long MeasureProperties()
    {
        long size = ForwardableProperties.Length;
        size += RemainingExpirySeconds.HasValue ? ExpirySize : 0;
        size += TopicAlias != 0 ? AliasSize : 0;
        size += HasExtra ? 5 + ExtraKey.Length + ExtraValue.Length : 0;
        foreach (var identifier in SubscriptionIdentifiers)
        {
            size += 1 + VariableByteInteger.SizeOf(identifier);
        }

        return size;
    }

    private readonly void WriteProperties(ref WireWriter writer)
    {
        if (RemainingExpirySeconds is { } expiry)
        {
            writer.Byte((byte)PropertyId.MessageExpiryInterval);
            writer.UInt32(expiry);
        }

        if (TopicAlias != 0)
        {
            writer.Byte((byte)PropertyId.TopicAlias);
            writer.UInt16(TopicAlias);
        }

        foreach (var identifier in SubscriptionIdentifiers)
        {
            writer.Byte((byte)PropertyId.SubscriptionIdentifier);
            writer.VariableInteger(identifier);
        }

        if (HasExtra)
        {
            writer.Byte((byte)PropertyId.UserProperty);
            writer.Bytes(ExtraKey);
            writer.Bytes(ExtraValue);
        }

        writer.Raw(ForwardableProperties);
    }
}
