namespace Trunkline.Protocol;

/// <summary>Which reason codes a packet may carry, and how they are said in 3.x.</summary>
public static class ReasonCodes
{
    // A set is two words: codes 0x00..0x3F in the first, 0x80..0xBF in the second. No code lies elsewhere.
    private const ulong Zero = 1;
    private const ulong AckLow = Zero | (1UL << 0x10);
    private static readonly ulong AckHigh = High(0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99);
    private static readonly ulong ReleaseHigh = High(0x92);
    private static readonly ulong ConnAckHigh = High(
        0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F);

    private static readonly ulong SubAckHigh = High(0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2);
    private static readonly ulong UnsubAckHigh = High(0x80, 0x83, 0x87, 0x8F, 0x91);
    private static readonly ulong ClientDisconnectHigh = High(0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99);

    // 0x8C stands in table 2-6 for DISCONNECT and is missing in table 3-10; we take it from a server.
    private static readonly ulong ServerDisconnectHigh = High(
        0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
        0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2);

    /// <summary>True for codes of 0x80 and above: a failure.</summary>
    public static bool IsError(ReasonCode code) => (byte)code >= 0x80;

    /// <summary>
    /// True where the specification lets this sender put the code in this packet: [MQTT-3.2.2-8], [MQTT-3.4.2-1],
    /// [MQTT-3.5.2-1], [MQTT-3.6.2-1], [MQTT-3.7.2-1], [MQTT-3.9.3-2], [MQTT-3.11.3-2], [MQTT-3.14.2-1], [MQTT-3.15.2-1].
    /// </summary>
    public static bool IsAllowed(PacketType type, PacketSender sender, ReasonCode code)
    {
        var (low, high) = type switch
        {
            PacketType.ConnAck => (Zero, ConnAckHigh),
            PacketType.PubAck or PacketType.PubRec => (AckLow, AckHigh),
            PacketType.PubRel or PacketType.PubComp => (Zero, ReleaseHigh),
            PacketType.SubAck => (0b111UL, SubAckHigh),
            PacketType.UnsubAck => (Zero | (1UL << 0x11), UnsubAckHigh),
            PacketType.Disconnect => sender == PacketSender.Client
                ? (Zero | (1UL << 0x04), ClientDisconnectHigh)
                : (Zero, ServerDisconnectHigh),
            PacketType.Auth => sender == PacketSender.Client
                ? ((1UL << 0x18) | (1UL << 0x19), 0UL)
                : (Zero | (1UL << 0x18), 0UL),
            _ => (0UL, 0UL),
        };
        var value = (byte)code;
        var set = value < 0x80 ? low : high;
        return (value & 0x40) == 0 && ((set >> (value & 0x3F)) & 1) != 0;
    }

    /// <summary>Whether a server's list of codes, one for each filter, is there and holds nothing else.</summary>
    internal static bool AreAllowed(PacketType type, ReadOnlySpan<ReasonCode> codes, out ProtocolError error)
    {
        error = codes.IsEmpty ? ProtocolErrors.AcknowledgementEmpty : default;
        foreach (var code in codes)
        {
            if (!IsAllowed(type, PacketSender.Server, code))
            {
                error = ProtocolErrors.ReasonCodeNotAllowed;
            }
        }

        return error.Code == ReasonCode.Success;
    }

    /// <summary>
    /// The CONNACK return code of 3.1 and 3.1.1 for a reason code. False where none applies: then the server closes
    /// without a CONNACK ([MQTT-3.2.2-6] of 3.1.1).
    /// </summary>
    public static bool TryToConnectReturnCode(ReasonCode code, out ConnectReturnCode returnCode)
    {
        ConnectReturnCode? mapped = code switch
        {
            ReasonCode.Success => ConnectReturnCode.Accepted,
            ReasonCode.UnsupportedProtocolVersion => ConnectReturnCode.UnacceptableProtocolVersion,
            ReasonCode.ClientIdentifierNotValid => ConnectReturnCode.IdentifierRejected,
            ReasonCode.ServerUnavailable or ReasonCode.ServerBusy or ReasonCode.QuotaExceeded or ReasonCode.UnspecifiedError
                or ReasonCode.ImplementationSpecificError or ReasonCode.UseAnotherServer or ReasonCode.ServerMoved
                or ReasonCode.ConnectionRateExceeded => ConnectReturnCode.ServerUnavailable,
            ReasonCode.BadUserNameOrPassword => ConnectReturnCode.BadUserNameOrPassword,
            ReasonCode.NotAuthorized or ReasonCode.Banned or ReasonCode.BadAuthenticationMethod => ConnectReturnCode.NotAuthorized,
            _ => null,
        };
        returnCode = mapped.GetValueOrDefault();
        return mapped.HasValue;
    }

    /// <summary>The reason code that says the same as a return code of 3.x.</summary>
    public static ReasonCode FromConnectReturnCode(ConnectReturnCode returnCode) => returnCode switch
    {
        ConnectReturnCode.Accepted => ReasonCode.Success,
        ConnectReturnCode.UnacceptableProtocolVersion => ReasonCode.UnsupportedProtocolVersion,
        ConnectReturnCode.IdentifierRejected => ReasonCode.ClientIdentifierNotValid,
        ConnectReturnCode.ServerUnavailable => ReasonCode.ServerUnavailable,
        ConnectReturnCode.BadUserNameOrPassword => ReasonCode.BadUserNameOrPassword,
        ConnectReturnCode.NotAuthorized => ReasonCode.NotAuthorized,
        _ => ReasonCode.UnspecifiedError,
    };

    private static ulong High(params ReadOnlySpan<byte> codes)
    {
        var set = 0UL;
        foreach (var code in codes)
        {
            set |= 1UL << (code & 0x3F);
        }

        return set;
    }
}
