namespace Trunkline.Protocol;

/// <summary>The property identifiers of MQTT 5.0 (table 2-4).</summary>
public enum PropertyId : byte
{
    /// <summary>Byte: PUBLISH, will.</summary>
    PayloadFormatIndicator = 0x01,

    /// <summary>Four bytes, seconds: PUBLISH, will.</summary>
    MessageExpiryInterval = 0x02,

    /// <summary>Text: PUBLISH, will.</summary>
    ContentType = 0x03,

    /// <summary>Text: PUBLISH, will.</summary>
    ResponseTopic = 0x08,

    /// <summary>Bytes: PUBLISH, will.</summary>
    CorrelationData = 0x09,

    /// <summary>Variable byte integer: PUBLISH, SUBSCRIBE.</summary>
    SubscriptionIdentifier = 0x0B,

    /// <summary>Four bytes, seconds: CONNECT, CONNACK, DISCONNECT.</summary>
    SessionExpiryInterval = 0x11,

    /// <summary>Text: CONNACK.</summary>
    AssignedClientIdentifier = 0x12,

    /// <summary>Two bytes, seconds: CONNACK.</summary>
    ServerKeepAlive = 0x13,

    /// <summary>Text: CONNECT, CONNACK, AUTH.</summary>
    AuthenticationMethod = 0x15,

    /// <summary>Bytes: CONNECT, CONNACK, AUTH.</summary>
    AuthenticationData = 0x16,

    /// <summary>Byte: CONNECT.</summary>
    RequestProblemInformation = 0x17,

    /// <summary>Four bytes, seconds: will.</summary>
    WillDelayInterval = 0x18,

    /// <summary>Byte: CONNECT.</summary>
    RequestResponseInformation = 0x19,

    /// <summary>Text: CONNACK.</summary>
    ResponseInformation = 0x1A,

    /// <summary>Text: CONNACK, DISCONNECT.</summary>
    ServerReference = 0x1C,

    /// <summary>Text: every answer, DISCONNECT, AUTH.</summary>
    ReasonString = 0x1F,

    /// <summary>Two bytes: CONNECT, CONNACK.</summary>
    ReceiveMaximum = 0x21,

    /// <summary>Two bytes: CONNECT, CONNACK.</summary>
    TopicAliasMaximum = 0x22,

    /// <summary>Two bytes: PUBLISH.</summary>
    TopicAlias = 0x23,

    /// <summary>Byte: CONNACK.</summary>
    MaximumQoS = 0x24,

    /// <summary>Byte: CONNACK.</summary>
    RetainAvailable = 0x25,

    /// <summary>Pair of texts, may repeat: every packet that has properties.</summary>
    UserProperty = 0x26,

    /// <summary>Four bytes: CONNECT, CONNACK.</summary>
    MaximumPacketSize = 0x27,

    /// <summary>Byte: CONNACK.</summary>
    WildcardSubscriptionAvailable = 0x28,

    /// <summary>Byte: CONNACK.</summary>
    SubscriptionIdentifiersAvailable = 0x29,

    /// <summary>Byte: CONNACK.</summary>
    SharedSubscriptionAvailable = 0x2A,
}
