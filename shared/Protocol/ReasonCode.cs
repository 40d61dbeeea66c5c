#pragma warning disable CA1069 // 0x00 has three names in the specification, one for each packet that uses it.
namespace Trunkline.Protocol;

/// <summary>The reason codes of MQTT 5.0 (table 2-6). Below 0x80 is success.</summary>
public enum ReasonCode : byte
{
    /// <summary>Success; also Normal disconnection and Granted QoS 0.</summary>
    Success = 0x00,

    /// <summary>DISCONNECT: the will is not published.</summary>
    NormalDisconnection = 0x00,

    /// <summary>SUBACK: granted at QoS 0.</summary>
    GrantedQoS0 = 0x00,

    /// <summary>SUBACK: granted at QoS 1.</summary>
    GrantedQoS1 = 0x01,

    /// <summary>SUBACK: granted at QoS 2.</summary>
    GrantedQoS2 = 0x02,

    /// <summary>DISCONNECT: the client wants its will published.</summary>
    DisconnectWithWillMessage = 0x04,

    /// <summary>Accepted, but nobody is subscribed.</summary>
    NoMatchingSubscribers = 0x10,

    /// <summary>UNSUBACK: no such filter.</summary>
    NoSubscriptionExisted = 0x11,

    /// <summary>AUTH: another step follows.</summary>
    ContinueAuthentication = 0x18,

    /// <summary>AUTH: the client starts again.</summary>
    ReAuthenticate = 0x19,

    /// <summary>The sender does not want to say, or no other code fits.</summary>
    UnspecifiedError = 0x80,

    /// <summary>The bytes do not conform to the specification.</summary>
    MalformedPacket = 0x81,

    /// <summary>Unexpected or out of order packet.</summary>
    ProtocolError = 0x82,

    /// <summary>Valid, but not accepted by this receiver.</summary>
    ImplementationSpecificError = 0x83,

    /// <summary>CONNACK: protocol level not supported.</summary>
    UnsupportedProtocolVersion = 0x84,

    /// <summary>CONNACK: client identifier not allowed.</summary>
    ClientIdentifierNotValid = 0x85,

    /// <summary>CONNACK: credentials refused.</summary>
    BadUserNameOrPassword = 0x86,

    /// <summary>Not authorized.</summary>
    NotAuthorized = 0x87,

    /// <summary>CONNACK: the server is not available.</summary>
    ServerUnavailable = 0x88,

    /// <summary>The server is busy; try again later.</summary>
    ServerBusy = 0x89,

    /// <summary>CONNACK: banned by administrative action.</summary>
    Banned = 0x8A,

    /// <summary>DISCONNECT: the server is shutting down.</summary>
    ServerShuttingDown = 0x8B,

    /// <summary>The authentication method is not supported or does not match.</summary>
    BadAuthenticationMethod = 0x8C,

    /// <summary>DISCONNECT: nothing received for 1.5 times the keep alive.</summary>
    KeepAliveTimeout = 0x8D,

    /// <summary>DISCONNECT: another connection uses the client identifier.</summary>
    SessionTakenOver = 0x8E,

    /// <summary>Well formed, but not accepted.</summary>
    TopicFilterInvalid = 0x8F,

    /// <summary>Well formed, but not accepted.</summary>
    TopicNameInvalid = 0x90,

    /// <summary>The packet identifier is in use.</summary>
    PacketIdentifierInUse = 0x91,

    /// <summary>PUBREL, PUBCOMP: the packet identifier is not known.</summary>
    PacketIdentifierNotFound = 0x92,

    /// <summary>DISCONNECT: more unacknowledged messages than Receive Maximum.</summary>
    ReceiveMaximumExceeded = 0x93,

    /// <summary>DISCONNECT: topic alias zero or above the maximum.</summary>
    TopicAliasInvalid = 0x94,

    /// <summary>Larger than Maximum Packet Size.</summary>
    PacketTooLarge = 0x95,

    /// <summary>DISCONNECT: too many messages.</summary>
    MessageRateTooHigh = 0x96,

    /// <summary>An implementation or administrative limit is exceeded.</summary>
    QuotaExceeded = 0x97,

    /// <summary>DISCONNECT: closed by an administrator.</summary>
    AdministrativeAction = 0x98,

    /// <summary>The payload does not match its format indicator.</summary>
    PayloadFormatInvalid = 0x99,

    /// <summary>Retained messages are not supported.</summary>
    RetainNotSupported = 0x9A,

    /// <summary>QoS above Maximum QoS.</summary>
    QoSNotSupported = 0x9B,

    /// <summary>Use another server for now.</summary>
    UseAnotherServer = 0x9C,

    /// <summary>Use another server from now on.</summary>
    ServerMoved = 0x9D,

    /// <summary>Shared subscriptions are not supported.</summary>
    SharedSubscriptionsNotSupported = 0x9E,

    /// <summary>The connection rate limit is exceeded.</summary>
    ConnectionRateExceeded = 0x9F,

    /// <summary>DISCONNECT: the maximum connection time is over.</summary>
    MaximumConnectTime = 0xA0,

    /// <summary>Subscription identifiers are not supported.</summary>
    SubscriptionIdentifiersNotSupported = 0xA1,

    /// <summary>Wildcard subscriptions are not supported.</summary>
    WildcardSubscriptionsNotSupported = 0xA2,
}
