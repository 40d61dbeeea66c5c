namespace Trunkline.Protocol;

/// <summary>How a property's value is encoded.</summary>
internal enum PropertyKind : byte
{
    Unknown,
    Byte,
    UInt16,
    UInt32,
    VariableInteger,
    Text,
    Binary,
    TextPair,
}

/// <summary>Table 2-4 of MQTT 5.0 as bits: bit n of a mask stands for the property identifier n. All are below 64.</summary>
internal static class PropertyTable
{
    public const ulong PayloadFormatIndicator = 1UL << (int)PropertyId.PayloadFormatIndicator;
    public const ulong MessageExpiryInterval = 1UL << (int)PropertyId.MessageExpiryInterval;
    public const ulong ContentType = 1UL << (int)PropertyId.ContentType;
    public const ulong ResponseTopic = 1UL << (int)PropertyId.ResponseTopic;
    public const ulong CorrelationData = 1UL << (int)PropertyId.CorrelationData;
    public const ulong SubscriptionIdentifier = 1UL << (int)PropertyId.SubscriptionIdentifier;
    public const ulong SessionExpiryInterval = 1UL << (int)PropertyId.SessionExpiryInterval;
    public const ulong ServerReference = 1UL << (int)PropertyId.ServerReference;
    public const ulong ReasonString = 1UL << (int)PropertyId.ReasonString;
    public const ulong UserProperty = 1UL << (int)PropertyId.UserProperty;
    public const ulong WillDelayInterval = 1UL << (int)PropertyId.WillDelayInterval;
    public const ulong TopicAlias = 1UL << (int)PropertyId.TopicAlias;

    private const ulong Authentication = (1UL << (int)PropertyId.AuthenticationMethod) | (1UL << (int)PropertyId.AuthenticationData);
    private const ulong Limits = SessionExpiryInterval | (1UL << (int)PropertyId.ReceiveMaximum)
        | (1UL << (int)PropertyId.MaximumPacketSize) | (1UL << (int)PropertyId.TopicAliasMaximum);

    /// <summary>What travels with a message from its publisher to its subscribers, unaltered and in order.</summary>
    public const ulong Forwardable = PayloadFormatIndicator | ContentType | ResponseTopic | CorrelationData | UserProperty;

    public const ulong Connect = Limits | Authentication | UserProperty
        | (1UL << (int)PropertyId.RequestResponseInformation) | (1UL << (int)PropertyId.RequestProblemInformation);

    public const ulong Will = Forwardable | MessageExpiryInterval | WillDelayInterval;

    public const ulong ConnAck = Limits | Authentication | UserProperty | ReasonString | ServerReference
        | (1UL << (int)PropertyId.MaximumQoS) | (1UL << (int)PropertyId.RetainAvailable)
        | (1UL << (int)PropertyId.AssignedClientIdentifier) | (1UL << (int)PropertyId.WildcardSubscriptionAvailable)
        | (1UL << (int)PropertyId.SubscriptionIdentifiersAvailable) | (1UL << (int)PropertyId.SharedSubscriptionAvailable)
        | (1UL << (int)PropertyId.ServerKeepAlive) | (1UL << (int)PropertyId.ResponseInformation);

    public const ulong Publish = Forwardable | MessageExpiryInterval | TopicAlias | SubscriptionIdentifier;
    public const ulong Acknowledgement = ReasonString | UserProperty;
    public const ulong Subscribe = SubscriptionIdentifier | UserProperty;
    public const ulong Unsubscribe = UserProperty;
    public const ulong Disconnect = SessionExpiryInterval | ReasonString | UserProperty | ServerReference;
    public const ulong Auth = Authentication | ReasonString | UserProperty;

    /// <summary>Properties whose value is 0 or 1.</summary>
    public const ulong ZeroOrOne = PayloadFormatIndicator
        | (1UL << (int)PropertyId.RequestProblemInformation) | (1UL << (int)PropertyId.RequestResponseInformation)
        | (1UL << (int)PropertyId.MaximumQoS) | (1UL << (int)PropertyId.RetainAvailable)
        | (1UL << (int)PropertyId.WildcardSubscriptionAvailable) | (1UL << (int)PropertyId.SubscriptionIdentifiersAvailable)
        | (1UL << (int)PropertyId.SharedSubscriptionAvailable);

    /// <summary>Properties whose value is not 0.</summary>
    public const ulong NotZero = SubscriptionIdentifier | TopicAlias
        | (1UL << (int)PropertyId.ReceiveMaximum) | (1UL << (int)PropertyId.MaximumPacketSize);

    private static ReadOnlySpan<PropertyKind> Kinds =>
    [
        PropertyKind.Unknown, PropertyKind.Byte, PropertyKind.UInt32, PropertyKind.Text, // 0x00
        PropertyKind.Unknown, PropertyKind.Unknown, PropertyKind.Unknown, PropertyKind.Unknown, // 0x04
        PropertyKind.Text, PropertyKind.Binary, PropertyKind.Unknown, PropertyKind.VariableInteger, // 0x08
        PropertyKind.Unknown, PropertyKind.Unknown, PropertyKind.Unknown, PropertyKind.Unknown, // 0x0C
        PropertyKind.Unknown, PropertyKind.UInt32, PropertyKind.Text, PropertyKind.UInt16, // 0x10
        PropertyKind.Unknown, PropertyKind.Text, PropertyKind.Binary, PropertyKind.Byte, // 0x14
        PropertyKind.UInt32, PropertyKind.Byte, PropertyKind.Text, PropertyKind.Unknown, // 0x18
        PropertyKind.Text, PropertyKind.Unknown, PropertyKind.Unknown, PropertyKind.Text, // 0x1C
        PropertyKind.Unknown, PropertyKind.UInt16, PropertyKind.UInt16, PropertyKind.UInt16, // 0x20
        PropertyKind.Byte, PropertyKind.Byte, PropertyKind.TextPair, PropertyKind.UInt32, // 0x24
        PropertyKind.Byte, PropertyKind.Byte, PropertyKind.Byte, // 0x28
    ];

    /// <summary>The encoding of a property; <see cref="PropertyKind.Unknown"/> for what the specification does not name.</summary>
    public static PropertyKind KindOf(byte id) => id < Kinds.Length ? Kinds[id] : PropertyKind.Unknown;
}
