using Trunkline.Protocol;

namespace Trunkline.Topics;

/// <summary>
/// Every answer to a bad topic name or filter. The code says what the caller may do: 0x81 and 0x82 mean that the
/// packet breaks the specification, so the connection closes; 0x8F and 0x90 mean well-formed but not accepted here, so
/// the one filter or message is refused (SUBACK, PUBACK, PUBREC) and the connection stays.
/// </summary>
public static class TopicErrors
{
    /// <summary>Not well-formed UTF-8, or it encodes a surrogate.</summary>
    public static readonly ProtocolError NotUtf8 =
        new(ReasonCode.MalformedPacket, "MQTT-1.5.4-1; 3.1.1 MQTT-1.5.3-1", "topic is not well-formed UTF-8");

    /// <summary>U+0000 in the text.</summary>
    public static readonly ProtocolError NullCharacter =
        new(ReasonCode.MalformedPacket, "MQTT-4.7.3-2", "topic contains the null character U+0000");

    /// <summary>An empty topic name: without a topic alias a protocol error.</summary>
    public static readonly ProtocolError EmptyName = ProtocolErrors.TopicNameEmpty;

    /// <summary>An empty topic filter.</summary>
    public static readonly ProtocolError EmptyFilter = ProtocolErrors.TopicFilterEmpty;

    /// <summary>Longer than the protocol can carry; only text that did not come from a packet can be.</summary>
    public static readonly ProtocolError TooLongForProtocol =
        new(ReasonCode.MalformedPacket, "MQTT-4.7.3-3", "topic is longer than 65,535 bytes");

    /// <summary>A topic name with + or #.</summary>
    public static readonly ProtocolError WildcardInName =
        new(ReasonCode.MalformedPacket, "MQTT-3.3.2-2", "topic name contains a wildcard character");

    /// <summary># that is not a whole last level.</summary>
    public static readonly ProtocolError MisplacedMultiLevelWildcard =
        new(ReasonCode.MalformedPacket, "MQTT-4.7.1-1; 3.1.1 MQTT-4.7.1-2", "wildcard # is not a whole level at the end of the topic filter");

    /// <summary>+ that is not a whole level.</summary>
    public static readonly ProtocolError MisplacedSingleLevelWildcard =
        new(ReasonCode.MalformedPacket, "MQTT-4.7.1-2; 3.1.1 MQTT-4.7.1-3", "wildcard + is not a whole level of the topic filter");

    /// <summary><c>$share//filter</c>.</summary>
    public static readonly ProtocolError EmptyShareName =
        new(ReasonCode.MalformedPacket, "MQTT-4.8.2-1", "share name is empty");

    /// <summary>A share name with + or #.</summary>
    public static readonly ProtocolError WildcardInShareName =
        new(ReasonCode.MalformedPacket, "MQTT-4.8.2-2", "share name contains a wildcard character");

    /// <summary><c>$share/name</c> or <c>$share/name/</c>.</summary>
    public static readonly ProtocolError ShareWithoutFilter =
        new(ReasonCode.MalformedPacket, "MQTT-4.8.2-2", "no topic filter follows the share name");

    /// <summary>Above <see cref="TopicLimits.MaximumBytes"/>.</summary>
    public static readonly ProtocolError NameTooLong =
        new(ReasonCode.TopicNameInvalid, "", "topic name has more bytes than this server accepts");

    /// <summary>Above <see cref="TopicLimits.MaximumLevels"/>.</summary>
    public static readonly ProtocolError NameTooDeep =
        new(ReasonCode.TopicNameInvalid, "", "topic name has more levels than this server accepts");

    /// <summary>Above <see cref="TopicLimits.MaximumBytes"/>.</summary>
    public static readonly ProtocolError FilterTooLong =
        new(ReasonCode.TopicFilterInvalid, "", "topic filter has more bytes than this server accepts");

    /// <summary>Above <see cref="TopicLimits.MaximumLevels"/>.</summary>
    public static readonly ProtocolError FilterTooDeep =
        new(ReasonCode.TopicFilterInvalid, "", "topic filter has more levels than this server accepts");

    /// <summary>Above <see cref="TopicLimits.MaximumSingleLevelWildcards"/>.</summary>
    public static readonly ProtocolError TooManyWildcards =
        new(ReasonCode.TopicFilterInvalid, "", "topic filter has more wildcards + than this server accepts");
}
