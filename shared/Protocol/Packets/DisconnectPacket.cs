namespace Trunkline.Protocol;

/// <summary>
/// DISCONNECT: the sender ends the connection.
/// <code>
///   [5.0: reason code (1), [properties]]     nothing means Success
/// </code>
/// </summary>
public readonly ref struct DisconnectPacket
{
    /// <summary>Why; Success in 3.x.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>Seconds that replace the CONNECT's session expiry; null = unchanged. From a client only. Zero to non-zero is judged by the session.</summary>
    public uint? SessionExpiryInterval { get; init; }

    /// <summary>True when a reason string is there.</summary>
    public bool HasReasonString => Presence.IsPresent(ReasonString);

    /// <summary>The reason in words; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ReasonString { get; init; }

    /// <summary>The user properties.</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>True when a server reference is there.</summary>
    public bool HasServerReference => Presence.IsPresent(ServerReference);

    /// <summary>Another server to use; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ServerReference { get; init; }

    /// <summary>Reads a DISCONNECT.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="version">The connection's version.</param>
    /// <param name="sender">Who sent it: the sides have different codes, and a server must not send a session expiry ([MQTT-3.14.2-2]).</param>
    /// <param name="packet">The packet.</param>
    /// <param name="error">Why not.</param>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, PacketSender sender, out DisconnectPacket packet, out ProtocolError error)
    {
        packet = default;
        error = default;
        var reader = new WireReader(frame.Body);
        if (frame.Type != PacketType.Disconnect || (version != ProtocolVersion.Mqtt50 && !reader.IsAtEnd))
        {
            error = frame.Type != PacketType.Disconnect ? ProtocolErrors.WrongPacket : ProtocolErrors.BytesLeftOver;
            return false;
        }

        // A server's DISCONNECT exists in 5.0 only.
        if (version != ProtocolVersion.Mqtt50 && sender == PacketSender.Server)
        {
            error = ProtocolErrors.WrongPacket;
            return false;
        }

        if (reader.IsAtEnd)
        {
            return true;
        }

        if (!reader.TryReadByte(out var code, out error))
        {
            return false;
        }

        if (!ReasonCodes.IsAllowed(PacketType.Disconnect, sender, (ReasonCode)code))
        {
            error = ProtocolErrors.ReasonCodeNotAllowed;
            return false;
        }

        var properties = new PropertySet();
        if (!reader.IsAtEnd
            && (!reader.TryReadPropertyBlock(out var block, out error)
                || !properties.TryRead(block, PropertyTable.Disconnect, out error)
                || !reader.IsComplete(out error)))
        {
            return false;
        }

        if (sender == PacketSender.Server && properties.SessionExpiryInterval.HasValue)
        {
            error = ProtocolErrors.SessionExpiryFromServer;
            return false;
        }

        packet = new DisconnectPacket
        {
            ReasonCode = (ReasonCode)code,
            SessionExpiryInterval = properties.SessionExpiryInterval,
            ReasonString = properties.ReasonString,
            UserProperties = new UserPropertyList(properties.UserPropertyBlock),
            ServerReference = properties.ServerReference,
        };
        return true;
    }
}
