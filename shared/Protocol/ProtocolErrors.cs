namespace Trunkline.Protocol;

/// <summary>Every refusal this codec knows. Tests hold each by a vector.</summary>
public static class ProtocolErrors
{
    // ---- the frame

    /// <summary>A remaining length of more than four bytes.</summary>
    public static readonly ProtocolError RemainingLengthTooLong = Malformed("5.0 and 3.1.1: 1.5.5, 2.2.3", "remaining length takes more than four bytes");

    /// <summary>A variable byte integer with needless bytes.</summary>
    public static readonly ProtocolError VariableByteIntegerNotMinimal = Malformed("MQTT-1.5.5-1", "variable byte integer is not in its shortest form");

    /// <summary>A variable byte integer inside a packet with more than four bytes, or cut off.</summary>
    public static readonly ProtocolError VariableByteIntegerMalformed = Malformed("5.0: 1.5.5", "variable byte integer is malformed");

    /// <summary>Packet type 0, or AUTH before 5.0.</summary>
    public static readonly ProtocolError PacketTypeReserved = Malformed("5.0 and 3.1.1: 2.1.2, 2.2.1", "packet type is reserved");

    /// <summary>Reserved bits of the fixed header.</summary>
    public static readonly ProtocolError HeaderFlagsInvalid = Malformed("MQTT-2.1.3-1; 3.1.1 MQTT-2.2.2-2", "reserved flags of the fixed header are wrong");

    /// <summary>PUBREL header flags other than 2.</summary>
    public static readonly ProtocolError PubRelFlagsInvalid = Malformed("MQTT-3.6.1-1", "fixed header flags of PUBREL are not 0010");

    /// <summary>SUBSCRIBE header flags other than 2.</summary>
    public static readonly ProtocolError SubscribeFlagsInvalid = Malformed("MQTT-3.8.1-1", "fixed header flags of SUBSCRIBE are not 0010");

    /// <summary>UNSUBSCRIBE header flags other than 2.</summary>
    public static readonly ProtocolError UnsubscribeFlagsInvalid = Malformed("MQTT-3.10.1-1", "fixed header flags of UNSUBSCRIBE are not 0010");

    /// <summary>DISCONNECT header flags other than 0.</summary>
    public static readonly ProtocolError DisconnectFlagsInvalid = Malformed("MQTT-3.14.1-1", "fixed header flags of DISCONNECT are not 0000");

    /// <summary>AUTH header flags other than 0.</summary>
    public static readonly ProtocolError AuthFlagsInvalid = Malformed("MQTT-3.15.1-1", "fixed header flags of AUTH are not 0000");

    /// <summary>PUBLISH at QoS 3.</summary>
    public static readonly ProtocolError PublishQoSInvalid = Malformed("MQTT-3.3.1-4", "PUBLISH has both QoS bits set");

    /// <summary>DUP on QoS 0.</summary>
    public static readonly ProtocolError PublishDuplicateAtQoS0 = Malformed("MQTT-3.3.1-2", "DUP is set on a QoS 0 PUBLISH");

    /// <summary>The header announces more than the limit.</summary>
    public static readonly ProtocolError PacketTooLarge = new(ReasonCode.PacketTooLarge, "MQTT-3.2.2-15, MQTT-3.1.2-24", "packet is larger than the maximum packet size");

    // ---- fields

    /// <summary>A field runs past the end of the packet.</summary>
    public static readonly ProtocolError FieldPastEnd = Malformed("5.0: 4.13.1; 3.1.1: 4.8", "a field runs past the end of the packet");

    /// <summary>Bytes after the last field.</summary>
    public static readonly ProtocolError BytesLeftOver = Malformed("5.0: 4.13.1; 3.1.1: 4.8", "bytes are left after the last field");

    /// <summary>Ill-formed UTF-8 or U+0000.</summary>
    public static readonly ProtocolError TextMalformed = Malformed("MQTT-1.5.4-1, MQTT-1.5.4-2; 3.1.1 MQTT-1.5.3-1, MQTT-1.5.3-2", "text is not well-formed UTF-8 without U+0000");

    /// <summary>Packet identifier 0.</summary>
    public static readonly ProtocolError PacketIdZero = Protocol("MQTT-2.2.1-3, MQTT-2.2.1-4; 3.1.1 MQTT-2.3.1-1", "packet identifier is zero");

    /// <summary>A reason code the packet must not carry.</summary>
    public static readonly ProtocolError ReasonCodeNotAllowed = Protocol(
        "MQTT-3.2.2-8, 3.4.2-1, 3.5.2-1, 3.6.2-1, 3.7.2-1, 3.9.3-2, 3.11.3-2, 3.14.2-1, 3.15.2-1; 3.1.1 MQTT-3.9.3-2", "reason code is not one of this packet's");

    /// <summary>The packet is not of this protocol version.</summary>
    public static readonly ProtocolError WrongPacket = Protocol("5.0 and 3.1.1: 2.1.2, 2.2.1", "packet is of another type than expected");

    // ---- CONNECT and CONNACK

    /// <summary>A protocol name other than MQTT and MQIsdp.</summary>
    public static readonly ProtocolError ProtocolNameUnknown = new(ReasonCode.UnsupportedProtocolVersion, "MQTT-3.1.2-1", "protocol name is unknown");

    /// <summary>A protocol level we do not speak.</summary>
    public static readonly ProtocolError ProtocolLevelUnsupported = new(ReasonCode.UnsupportedProtocolVersion, "MQTT-3.1.2-2", "protocol level is not supported");

    /// <summary>The reserved bit of the connect flags.</summary>
    public static readonly ProtocolError ConnectFlagReserved = Malformed("MQTT-3.1.2-3", "reserved connect flag is set");

    /// <summary>Will QoS without a will.</summary>
    public static readonly ProtocolError WillQoSWithoutWill = Malformed("MQTT-3.1.2-11; 3.1.1 MQTT-3.1.2-13", "will QoS is set without a will");

    /// <summary>Will QoS 3.</summary>
    public static readonly ProtocolError WillQoSInvalid = Malformed("MQTT-3.1.2-12; 3.1.1 MQTT-3.1.2-14", "will QoS is 3");

    /// <summary>Will Retain without a will.</summary>
    public static readonly ProtocolError WillRetainWithoutWill = Malformed("MQTT-3.1.2-13; 3.1.1 MQTT-3.1.2-15", "will retain is set without a will");

    /// <summary>Password without user name, before 5.0.</summary>
    public static readonly ProtocolError PasswordWithoutUserName = Malformed("3.1.1 MQTT-3.1.2-22", "password flag is set without the user name flag");

    /// <summary>Reserved connect acknowledge flags.</summary>
    public static readonly ProtocolError ConnAckFlagsInvalid = Malformed("MQTT-3.2.2-1", "reserved connect acknowledge flags are set");

    /// <summary>Session present with a failure.</summary>
    public static readonly ProtocolError SessionPresentOnFailure = Protocol("MQTT-3.2.2-6; 3.1.1 MQTT-3.2.2-4", "session present is set with a failure");

    /// <summary>A return code above 5 in 3.x.</summary>
    public static readonly ProtocolError ConnectReturnCodeInvalid = Protocol("3.1.1: 3.2.2.3", "connect return code is reserved");

    // ---- properties

    /// <summary>Unknown property, or not of this packet.</summary>
    public static readonly ProtocolError PropertyNotAllowed = Malformed("5.0: 2.2.2.2", "property is unknown or not valid in this packet");

    /// <summary>A property that must not repeat.</summary>
    public static readonly ProtocolError PropertyRepeated = Protocol("5.0: 2.2.2.2, 3.x.2", "property is included more than once");

    /// <summary>A property value that is out of range.</summary>
    public static readonly ProtocolError PropertyValueInvalid = Protocol("5.0: 3.1.2.11, 3.2.2.3, 3.3.2.3, 3.8.2.1", "property has a value that is not allowed");

    /// <summary>Topic alias 0.</summary>
    public static readonly ProtocolError TopicAliasZero = new(ReasonCode.TopicAliasInvalid, "MQTT-3.3.2-8", "topic alias is zero");

    /// <summary>Authentication data without a method, or a method missing in AUTH.</summary>
    public static readonly ProtocolError AuthenticationMethodMissing = Protocol("5.0: 3.1.2.11.10, 3.15.2.2.2, MQTT-4.12.0-5", "authentication method is missing");

    /// <summary>A subscription identifier from a client.</summary>
    public static readonly ProtocolError SubscriptionIdentifierFromClient = Protocol("MQTT-3.3.4-6", "a client's PUBLISH has a subscription identifier");

    /// <summary>Session expiry in a server's DISCONNECT.</summary>
    public static readonly ProtocolError SessionExpiryFromServer = Protocol("MQTT-3.14.2-2", "a server's DISCONNECT has a session expiry interval");

    // ---- PUBLISH, SUBSCRIBE and the like

    /// <summary>Empty topic name without alias.</summary>
    public static readonly ProtocolError TopicNameEmpty = Protocol("5.0: 3.3.2.1, MQTT-4.7.3-1", "topic name is empty");

    /// <summary>SUBSCRIBE without a filter.</summary>
    public static readonly ProtocolError SubscribeEmpty = Protocol("MQTT-3.8.3-2; 3.1.1 MQTT-3.8.3-3", "SUBSCRIBE has no topic filter");

    /// <summary>Reserved bits of subscription options, or QoS 3 in 3.x.</summary>
    public static readonly ProtocolError SubscriptionOptionsReserved = Malformed("MQTT-3.8.3-5; 3.1.1 MQTT-3-8.3-4", "reserved bits of the subscription options are set");

    /// <summary>Requested QoS 3.</summary>
    public static readonly ProtocolError SubscriptionQoSInvalid = Protocol("5.0: 3.8.3.1; 3.1.1 MQTT-3-8.3-4", "requested QoS is 3");

    /// <summary>Retain handling 3.</summary>
    public static readonly ProtocolError RetainHandlingInvalid = Protocol("5.0: 3.8.3.1", "retain handling is 3");

    /// <summary>UNSUBSCRIBE without a filter.</summary>
    public static readonly ProtocolError UnsubscribeEmpty = Protocol("MQTT-3.10.3-2", "UNSUBSCRIBE has no topic filter");

    /// <summary>An empty topic filter.</summary>
    public static readonly ProtocolError TopicFilterEmpty = Protocol("MQTT-4.7.3-1", "topic filter is empty");

    /// <summary>SUBACK or UNSUBACK without reason codes.</summary>
    public static readonly ProtocolError AcknowledgementEmpty = Protocol("MQTT-3.8.4-6; 3.1.1 MQTT-3.8.4-5", "acknowledgement has no reason code");

    private static ProtocolError Malformed(string clause, string message) => new(ReasonCode.MalformedPacket, clause, message);

    private static ProtocolError Protocol(string clause, string message) => new(ReasonCode.ProtocolError, clause, message);
}
