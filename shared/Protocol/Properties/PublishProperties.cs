using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>
/// The properties of a PUBLISH, validated. Numbers are decoded; text and data are found again by their place in
/// <see cref="Raw"/>, so that the struct stays small on the hot path.
/// </summary>
public readonly ref struct PublishProperties
{
    private const ulong Repeatable = PropertyTable.UserProperty | PropertyTable.SubscriptionIdentifier;

    private readonly ulong _present;
    private readonly uint _messageExpiryInterval;
    private readonly int _responseTopic;
    private readonly int _correlationData;
    private readonly int _contentType;
    private readonly int _firstUserProperty;
    private readonly int _firstSubscriptionIdentifier;
    private readonly int _subscriptionIdentifierCount;
    private readonly byte _payloadFormatIndicator;

    private PublishProperties(ReadOnlySpan<byte> block, PacketSender sender, out ProtocolError error)
    {
        Raw = block;
        var cursor = new PropertyCursor(block, PropertyTable.Publish, Repeatable);
        while (cursor.TryNext())
        {
            var bit = 1UL << (int)cursor.Id;
            switch (cursor.Id)
            {
                case PropertyId.PayloadFormatIndicator: _payloadFormatIndicator = (byte)cursor.Number; break;
                case PropertyId.MessageExpiryInterval: _messageExpiryInterval = cursor.Number; break;
                case PropertyId.TopicAlias: TopicAlias = (ushort)cursor.Number; break;
                case PropertyId.ResponseTopic: _responseTopic = cursor.Start + 1; break;
                case PropertyId.CorrelationData: _correlationData = cursor.Start + 1; break;
                case PropertyId.ContentType: _contentType = cursor.Start + 1; break;
                case PropertyId.UserProperty when (_present & bit) == 0: _firstUserProperty = cursor.Start; break;
                case PropertyId.SubscriptionIdentifier:
                    _firstSubscriptionIdentifier = _subscriptionIdentifierCount++ == 0 ? cursor.Start : _firstSubscriptionIdentifier;
                    break;
                default: break;
            }

            _present |= bit;
        }

        error = cursor.Error;
        if (!cursor.Failed && sender == PacketSender.Client && _subscriptionIdentifierCount != 0)
        {
            error = ProtocolErrors.SubscriptionIdentifierFromClient;
        }
    }

    /// <summary>The property block as received, without its length.</summary>
    public ReadOnlySpan<byte> Raw { get; }

    /// <summary>0 = bytes, 1 = UTF-8 text; null when absent. The payload is not checked against it.</summary>
    public byte? PayloadFormatIndicator => Has(PropertyTable.PayloadFormatIndicator) ? _payloadFormatIndicator : null;

    /// <summary>Seconds until the message expires; null when absent.</summary>
    public uint? MessageExpiryInterval => Has(PropertyTable.MessageExpiryInterval) ? _messageExpiryInterval : null;

    /// <summary>The topic alias; 0 when absent.</summary>
    public ushort TopicAlias { get; }

    /// <summary>True when a response topic is there.</summary>
    public bool HasResponseTopic => Has(PropertyTable.ResponseTopic);

    /// <summary>The response topic; its wildcards are judged in Topics ([MQTT-3.3.2-14]).</summary>
    public ReadOnlySpan<byte> ResponseTopic => DataAt(_responseTopic);

    /// <summary>True when correlation data is there.</summary>
    public bool HasCorrelationData => Has(PropertyTable.CorrelationData);

    /// <summary>The correlation data.</summary>
    public ReadOnlySpan<byte> CorrelationData => DataAt(_correlationData);

    /// <summary>True when a content type is there.</summary>
    public bool HasContentType => Has(PropertyTable.ContentType);

    /// <summary>The content type.</summary>
    public ReadOnlySpan<byte> ContentType => DataAt(_contentType);

    /// <summary>The subscription identifiers, from a server only.</summary>
    public SubscriptionIdentifierList SubscriptionIdentifiers => new(Raw[_firstSubscriptionIdentifier..], _subscriptionIdentifierCount);

    /// <summary>True when there is at least one user property.</summary>
    public bool HasUserProperties => Has(PropertyTable.UserProperty);

    /// <summary>The user properties in order.</summary>
    public UserPropertyList UserProperties => HasUserProperties ? new UserPropertyList(Raw[_firstUserProperty..]) : default;

    /// <summary>True when the block holds nothing but what is forwarded.</summary>
    internal bool IsAllForwardable => (_present & ~PropertyTable.Forwardable) == 0;

    /// <summary>Validates a property block without its length, also one made by <see cref="ForwardableProperties"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> block, PacketSender sender, out PublishProperties properties, out ProtocolError error)
    {
        if (block.IsEmpty)
        {
            properties = default;
            error = default;
            return true;
        }

        properties = new PublishProperties(block, sender, out error);
        return error.Code == ReasonCode.Success;
    }

    private bool Has(ulong bit) => (_present & bit) != 0;

    private ReadOnlySpan<byte> DataAt(int start) =>
        start == 0 ? default : Raw.Slice(start + sizeof(ushort), BinaryPrimitives.ReadUInt16BigEndian(Raw[start..]));
}
