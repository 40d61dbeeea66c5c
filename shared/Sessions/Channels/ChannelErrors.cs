using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>What a well-formed packet can do wrong at its place in the connection.</summary>
internal static class ChannelErrors
{
    public static readonly ProtocolError ConnectMustBeFirst = new(
        ReasonCode.ProtocolError, "MQTT-3.1.0-1", "The first packet is not CONNECT.");

    public static readonly ProtocolError SecondConnect = new(
        ReasonCode.ProtocolError, "MQTT-3.1.0-2", "A second CONNECT came on the same connection.");

    public static readonly ProtocolError UnexpectedAuth = new(
        ReasonCode.ProtocolError, "MQTT-4.12.0-7", "AUTH came although CONNECT named no authentication method.");

    public static readonly ProtocolError ServerPacketFromClient = new(
        ReasonCode.ProtocolError, "MQTT-4.13.1-1; 3.1.1 MQTT-4.8.0-1", "A packet came that only a server may send.");

    public static readonly ProtocolError AuthenticationMethod = new(
        ReasonCode.BadAuthenticationMethod, "MQTT-4.12.0-1", "The authentication method is not one of ours.");

    public static readonly ProtocolError ClientIdTooLong = new(
        ReasonCode.ClientIdentifierNotValid, "MQTT-3.1.3-8; 3.1.1 MQTT-3.1.3-9", "The client identifier is longer than Mqtt:MaximumClientIdBytes.");

    public static readonly ProtocolError EmptyClientId = new(
        ReasonCode.ClientIdentifierNotValid, "3.1.1 MQTT-3.1.3-8", "An empty client identifier needs Clean Session 1.");

    public static readonly ProtocolError TooManySessions = new(
        ReasonCode.QuotaExceeded, "5.0: 3.2.2.2; 3.1.1: 3.2.2.3", "This loop holds Mqtt:MaximumSessions sessions already.");

    public static readonly ProtocolError QoSNotSupported = new(
        ReasonCode.QoSNotSupported, "MQTT-3.2.2-11", "The QoS is higher than Mqtt:MaximumQoS.");

    public static readonly ProtocolError WillQoSNotSupported = new(
        ReasonCode.QoSNotSupported, "MQTT-3.2.2-12", "The will's QoS is higher than Mqtt:MaximumQoS.");

    public static readonly ProtocolError RetainNotSupported = new(
        ReasonCode.RetainNotSupported, "MQTT-3.2.2-14", "Retained messages are switched off by Mqtt:RetainAvailable.");

    public static readonly ProtocolError WillRetainNotSupported = new(
        ReasonCode.RetainNotSupported, "MQTT-3.2.2-13", "Retained messages are switched off by Mqtt:RetainAvailable.");

    public static readonly ProtocolError AliasTooHigh = new(
        ReasonCode.TopicAliasInvalid, "MQTT-3.3.2-9", "The topic alias is higher than the Topic Alias Maximum of CONNACK.");

    public static readonly ProtocolError AliasUnknown = new(
        ReasonCode.ProtocolError, "5.0: 3.3.2.3.4, MQTT-3.3.2-7", "The topic alias stands for no topic yet.");

    public static readonly ProtocolError ResponseTopicHasWildcard = new(
        ReasonCode.ProtocolError, "MQTT-3.3.2-14", "The response topic is not a topic name.");

    public static readonly ProtocolError ReceiveMaximumExceeded = new(
        ReasonCode.ReceiveMaximumExceeded, "MQTT-3.3.4-7", "More QoS 1 and 2 messages are open than CONNACK's Receive Maximum.");

    public static readonly ProtocolError TooManyExchanges = new(
        ReasonCode.QuotaExceeded, "5.0: 4.13.2", "More QoS 2 messages of this session wait for PUBREL than Mqtt:MaximumIncomingExchanges.");

    public static readonly ProtocolError NoLocalOnShared = new(
        ReasonCode.ProtocolError, "MQTT-3.8.3-4", "No Local is set on a shared subscription.");

    public static readonly ProtocolError ExpiryFromZero = new(
        ReasonCode.ProtocolError, "5.0: 3.14.2.2.2", "DISCONNECT sets a session expiry although CONNECT had none.");
}
