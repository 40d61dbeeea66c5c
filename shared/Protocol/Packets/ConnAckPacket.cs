namespace Trunkline.Protocol;

/// <summary>
/// CONNACK: the server's answer to CONNECT. In 3.x the return code stands as the reason code that says the same.
/// <code>
///   acknowledge flags (bit 0: session present), reason code, [5.0: properties]
/// </code>
/// </summary>
public readonly ref struct ConnAckPacket
{
    private const int BodySizeBefore5 = 2;

    private readonly ushort _receiveMaximumComplement;
    private readonly byte _maximumQoSComplement;
    private readonly bool _retainUnavailable;
    private readonly bool _wildcardSubscriptionUnavailable;
    private readonly bool _subscriptionIdentifiersUnavailable;
    private readonly bool _sharedSubscriptionUnavailable;

    /// <summary>True where the server has a session; not in 3.1.</summary>
    public bool SessionPresent { get; init; }

    /// <summary>Success, or why not.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>Seconds the server chose; null = as the client asked.</summary>
    public uint? SessionExpiryInterval { get; init; }

    /// <summary>How many QoS 1 and 2 messages the server takes unacknowledged; 65,535 when absent.</summary>
    public ushort ReceiveMaximum
    {
        get => (ushort)~_receiveMaximumComplement;
        init => _receiveMaximumComplement = (ushort)~value;
    }

    /// <summary>The highest QoS the server takes; 2 when absent.</summary>
    public QoS MaximumQoS
    {
        get => (QoS)((int)QoS.ExactlyOnce - _maximumQoSComplement);
        init => _maximumQoSComplement = (byte)(QoS.ExactlyOnce - value);
    }

    /// <summary>True where the server keeps retained messages.</summary>
    public bool RetainAvailable
    {
        get => !_retainUnavailable;
        init => _retainUnavailable = !value;
    }

    /// <summary>The largest packet the server takes, in bytes; 0 = no limit.</summary>
    public uint MaximumPacketSize { get; init; }

    /// <summary>True where the server assigned a client identifier.</summary>
    public bool HasAssignedClientId => Presence.IsPresent(AssignedClientId);

    /// <summary>The client identifier the server assigned; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> AssignedClientId { get; init; }

    /// <summary>The highest topic alias the server takes; 0 = none.</summary>
    public ushort TopicAliasMaximum { get; init; }

    /// <summary>True when a reason string is there.</summary>
    public bool HasReasonString => Presence.IsPresent(ReasonString);

    /// <summary>The reason in words; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ReasonString { get; init; }

    /// <summary>The user properties.</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>True where filters may have wildcards.</summary>
    public bool WildcardSubscriptionAvailable
    {
        get => !_wildcardSubscriptionUnavailable;
        init => _wildcardSubscriptionUnavailable = !value;
    }

    /// <summary>True where subscriptions may have identifiers.</summary>
    public bool SubscriptionIdentifiersAvailable
    {
        get => !_subscriptionIdentifiersUnavailable;
        init => _subscriptionIdentifiersUnavailable = !value;
    }

    /// <summary>True where subscriptions may be shared.</summary>
    public bool SharedSubscriptionAvailable
    {
        get => !_sharedSubscriptionUnavailable;
        init => _sharedSubscriptionUnavailable = !value;
    }

    /// <summary>Seconds the client must use instead of its own keep alive; null = its own.</summary>
    public ushort? ServerKeepAliveSeconds { get; init; }

    /// <summary>True when response information is there.</summary>
    public bool HasResponseInformation => Presence.IsPresent(ResponseInformation);

    /// <summary>What response topics are made from; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ResponseInformation { get; init; }

    /// <summary>True when a server reference is there.</summary>
    public bool HasServerReference => Presence.IsPresent(ServerReference);

    /// <summary>Another server to use; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ServerReference { get; init; }

    /// <summary>True when an authentication method is there.</summary>
    public bool HasAuthenticationMethod => Presence.IsPresent(AuthenticationMethod);

    /// <summary>The authentication method; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> AuthenticationMethod { get; init; }

    /// <summary>True when authentication data is there.</summary>
    public bool HasAuthenticationData => Presence.IsPresent(AuthenticationData);

    /// <summary>The authentication data; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> AuthenticationData { get; init; }

    /// <summary>Reads a CONNACK.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out ConnAckPacket packet, out ProtocolError error)
    {
        packet = default;
        if (frame.Type != PacketType.ConnAck)
        {
            error = ProtocolErrors.WrongPacket;
            return false;
        }

        var reader = new WireReader(frame.Body);
        if (!reader.TryReadByte(out var flags, out error) || !reader.TryReadByte(out var code, out error))
        {
            return false;
        }

        return version == ProtocolVersion.Mqtt50
            ? TryParse5(flags, (ReasonCode)code, ref reader, out packet, out error)
            : TryParse3(flags, code, version, frame.Body.Length, out packet, out error);
    }

    private static bool TryParse3(
        byte flags, byte code, ProtocolVersion version, int length, out ConnAckPacket packet, out ProtocolError error)
    {
        // In 3.1 the first byte is unused and its value is not ours to judge.
        flags = version == ProtocolVersion.Mqtt31 ? (byte)0 : flags;
        packet = new ConnAckPacket
        {
            SessionPresent = (flags & 1) != 0,
            ReasonCode = ReasonCodes.FromConnectReturnCode((ConnectReturnCode)code),
        };
        error = length != BodySizeBefore5 ? ProtocolErrors.BytesLeftOver
            : flags > 1 ? ProtocolErrors.ConnAckFlagsInvalid
            : code > (byte)ConnectReturnCode.NotAuthorized ? ProtocolErrors.ConnectReturnCodeInvalid
            : flags == 1 && code != 0 ? ProtocolErrors.SessionPresentOnFailure
            : default;
        return error.Code == ReasonCode.Success;
    }

    private static bool TryParse5(byte flags, ReasonCode code, scoped ref WireReader reader, out ConnAckPacket packet, out ProtocolError error)
    {
        packet = default;
        error = flags > 1 ? ProtocolErrors.ConnAckFlagsInvalid
            : !ReasonCodes.IsAllowed(PacketType.ConnAck, PacketSender.Server, code) ? ProtocolErrors.ReasonCodeNotAllowed
            : flags == 1 && code != ReasonCode.Success ? ProtocolErrors.SessionPresentOnFailure
            : default;
        var properties = new PropertySet();
        if (error.Code != ReasonCode.Success
            || !reader.TryReadPropertyBlock(out var block, out error)
            || !properties.TryRead(block, PropertyTable.ConnAck, out error)
            || !reader.IsComplete(out error))
        {
            return false;
        }

        packet = new ConnAckPacket
        {
            SessionPresent = flags == 1,
            ReasonCode = code,
            SessionExpiryInterval = properties.SessionExpiryInterval,
            ReceiveMaximum = properties.ReceiveMaximum,
            MaximumQoS = properties.MaximumQoS,
            RetainAvailable = properties.RetainAvailable,
            MaximumPacketSize = properties.MaximumPacketSize,
            AssignedClientId = properties.AssignedClientId,
            TopicAliasMaximum = properties.TopicAliasMaximum,
            ReasonString = properties.ReasonString,
            UserProperties = new UserPropertyList(properties.UserPropertyBlock),
            WildcardSubscriptionAvailable = properties.WildcardSubscriptionAvailable,
            SubscriptionIdentifiersAvailable = properties.SubscriptionIdentifiersAvailable,
            SharedSubscriptionAvailable = properties.SharedSubscriptionAvailable,
            ServerKeepAliveSeconds = properties.ServerKeepAlive,
            ResponseInformation = properties.ResponseInformation,
            ServerReference = properties.ServerReference,
            AuthenticationMethod = properties.AuthenticationMethod,
            AuthenticationData = properties.AuthenticationData,
        };
        return true;
    }
}
