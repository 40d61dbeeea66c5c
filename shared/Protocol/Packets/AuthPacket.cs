namespace Trunkline.Protocol;

/// <summary>
/// AUTH: a step of enhanced authentication; 5.0.
/// <code>
///   [reason code (1), properties]     nothing means Success
/// </code>
/// </summary>
public readonly ref struct AuthPacket
{
    /// <summary>Success (server), ContinueAuthentication, or ReAuthenticate (client).</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>True but for the empty AUTH of a server.</summary>
    public bool HasAuthenticationMethod => Presence.IsPresent(AuthenticationMethod);

    /// <summary>The authentication method; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> AuthenticationMethod { get; init; }

    /// <summary>True when authentication data is there.</summary>
    public bool HasAuthenticationData => Presence.IsPresent(AuthenticationData);

    /// <summary>The authentication data; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> AuthenticationData { get; init; }

    /// <summary>True when a reason string is there.</summary>
    public bool HasReasonString => Presence.IsPresent(ReasonString);

    /// <summary>The reason in words; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ReasonString { get; init; }

    /// <summary>The user properties.</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>Reads an AUTH.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="version">The connection's version; before 5.0 there is no AUTH.</param>
    /// <param name="sender">Who sent it: Success is the server's, ReAuthenticate the client's.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="error">Why not.</param>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, PacketSender sender, out AuthPacket packet, out ProtocolError error)
    {
        packet = default;
        if (frame.Type != PacketType.Auth || version != ProtocolVersion.Mqtt50)
        {
            error = frame.Type != PacketType.Auth ? ProtocolErrors.WrongPacket : ProtocolErrors.PacketTypeReserved;
            return false;
        }

        // 3.15.2.1: a remaining length of 0 is Success without properties.
        var reader = new WireReader(frame.Body);
        error = default;
        byte code = 0;
        if (!reader.IsAtEnd && !reader.TryReadByte(out code, out error))
        {
            return false;
        }

        if (!ReasonCodes.IsAllowed(PacketType.Auth, sender, (ReasonCode)code))
        {
            error = ProtocolErrors.ReasonCodeNotAllowed;
            return false;
        }

        if (frame.Body.IsEmpty)
        {
            return true;
        }

        var properties = new PropertySet();
        if (!reader.TryReadPropertyBlock(out var block, out error)
            || !properties.TryRead(block, PropertyTable.Auth, out error)
            || !reader.IsComplete(out error))
        {
            return false;
        }

        if (!Presence.IsPresent(properties.AuthenticationMethod))
        {
            error = ProtocolErrors.AuthenticationMethodMissing;
            return false;
        }

        packet = new AuthPacket
        {
            ReasonCode = (ReasonCode)code,
            AuthenticationMethod = properties.AuthenticationMethod,
            AuthenticationData = properties.AuthenticationData,
            ReasonString = properties.ReasonString,
            UserProperties = new UserPropertyList(properties.UserPropertyBlock),
        };
        return true;
    }
}
