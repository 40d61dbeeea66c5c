namespace Trunkline.Protocol;

/// <summary>
/// The options byte of a subscription.
/// <code>
///   bit  7 6        5 4               3                    2         1 0
///        reserved   retain handling   retain as published  no local  QoS        in 3.x only the QoS
/// </code>
/// </summary>
/// <param name="Value">The byte.</param>
public readonly record struct SubscriptionOptions(byte Value)
{
    private const int NoLocalBit = 0x04;
    private const int RetainAsPublishedBit = 0x08;
    private const int RetainHandlingShift = 4;
    private const int ReservedBits = 0xC0;
    private const int ReservedBitsBefore5 = 0xFC;

    /// <summary>The highest QoS at which messages may be sent.</summary>
    public QoS QoS => (QoS)(Value & 3);

    /// <summary>True where messages are not sent back to the client that published them.</summary>
    public bool NoLocal => (Value & NoLocalBit) != 0;

    /// <summary>True where messages keep the RETAIN flag they were published with.</summary>
    public bool RetainAsPublished => (Value & RetainAsPublishedBit) != 0;

    /// <summary>When retained messages are sent.</summary>
    public RetainHandling RetainHandling => (RetainHandling)((Value >> RetainHandlingShift) & 3);

    /// <summary>Makes the byte from its parts.</summary>
    public static SubscriptionOptions Create(
        QoS qos, bool noLocal = false, bool retainAsPublished = false, RetainHandling retainHandling = RetainHandling.SendAtSubscribe) =>
        new((byte)((int)qos
            | (noLocal ? NoLocalBit : 0)
            | (retainAsPublished ? RetainAsPublishedBit : 0)
            | ((int)retainHandling << RetainHandlingShift)));

    /// <summary>Checks the byte: reserved bits ([MQTT-3.8.3-5]; 3.1.1 [MQTT-3-8.3-4]), QoS 3, retain handling 3.</summary>
    internal bool IsValid(ProtocolVersion version, out ProtocolError error)
    {
        // 3.1 says only that the upper bits are not used.
        var reserved = version switch
        {
            ProtocolVersion.Mqtt50 => ReservedBits,
            ProtocolVersion.Mqtt311 => ReservedBitsBefore5,
            ProtocolVersion.Mqtt31 => 0,
            _ => ReservedBits,
        };
        error = (Value & reserved) != 0 ? ProtocolErrors.SubscriptionOptionsReserved
            : (Value & 3) == 3 ? ProtocolErrors.SubscriptionQoSInvalid
            : version == ProtocolVersion.Mqtt50 && (int)RetainHandling == 3 ? ProtocolErrors.RetainHandlingInvalid
            : default;
        return error.Code == ReasonCode.Success;
    }

    /// <summary>What the byte means in a version: before 5.0 only the QoS.</summary>
    internal SubscriptionOptions In(ProtocolVersion version) => version == ProtocolVersion.Mqtt50 ? this : new((byte)(Value & 3));
}
