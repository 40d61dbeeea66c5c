namespace Trunkline.Protocol;

/// <summary>
/// CONNECT: the first packet of a connection. Says itself which version it is.
/// <code>
///   protocol name, level, connect flags, keep alive, [5.0: properties]
///   client id, [5.0: will properties], [will topic, will payload], [user name], [password]
/// </code>
/// </summary>
public readonly ref partial struct ConnectPacket
{
    private readonly ushort _receiveMaximumComplement;
    private readonly bool _requestProblemInformationOff;

    /// <summary>The version asked for.</summary>
    public ProtocolVersion Version { get; init; }

    /// <summary>True with the bridge bit in the level (0x83, 0x84): the peer is a broker and wants retain as published and no local.</summary>
    public bool IsBridge { get; init; }

    /// <summary>The protocol level byte as received; a writer makes its own.</summary>
    public byte ProtocolLevel { get; init; }

    /// <summary>
    /// The version in which a CONNACK must be written so that the peer understands it; set as soon as name and level were
    /// read, also when parsing failed. 0 when not even those could be read: then close without an answer.
    /// </summary>
    public ProtocolVersion AnswerVersion { get; init; }

    /// <summary>Clean Start of 5.0, Clean Session of 3.x.</summary>
    public bool CleanStart { get; init; }

    /// <summary>Seconds; 0 = off.</summary>
    public ushort KeepAliveSeconds { get; init; }

    /// <summary>The client identifier; may be empty.</summary>
    public ReadOnlySpan<byte> ClientId { get; init; }

    /// <summary>True when a user name is there.</summary>
    public bool HasUserName => Presence.IsPresent(UserName);

    /// <summary>The user name; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> UserName { get; init; }

    /// <summary>True when a password is there.</summary>
    public bool HasPassword => Presence.IsPresent(Password);

    /// <summary>The password, any bytes; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> Password { get; init; }

    /// <summary>True when there is a will.</summary>
    public bool HasWill { get; init; }

    /// <summary>The will's topic; its content is judged in Topics.</summary>
    public ReadOnlySpan<byte> WillTopic { get; init; }

    /// <summary>The will's payload.</summary>
    public ReadOnlySpan<byte> WillPayload { get; init; }

    /// <summary>The will's QoS.</summary>
    public QoS WillQoS { get; init; }

    /// <summary>True where the will is to be retained.</summary>
    public bool WillRetain { get; init; }

    /// <summary>The will's properties; 5.0.</summary>
    public WillProperties WillProperties { get; init; }

    /// <summary>Seconds that the session outlives its connection; 0 = not, uint.MaxValue = for ever; 5.0.</summary>
    public uint SessionExpiryInterval { get; init; }

    /// <summary>How many QoS 1 and 2 messages the client takes unacknowledged; 65,535 when absent.</summary>
    public ushort ReceiveMaximum
    {
        get => (ushort)~_receiveMaximumComplement;
        init => _receiveMaximumComplement = (ushort)~value;
    }

    /// <summary>The largest packet the client takes, in bytes; 0 = no limit.</summary>
    public uint MaximumPacketSize { get; init; }

    /// <summary>The highest topic alias the client takes; 0 = none.</summary>
    public ushort TopicAliasMaximum { get; init; }

    /// <summary>True where the client asks for Response Information.</summary>
    public bool RequestResponseInformation { get; init; }

    /// <summary>False where the client wants no reason strings and user properties but in PUBLISH, CONNACK and DISCONNECT ([MQTT-3.1.2-29]).</summary>
    public bool RequestProblemInformation
    {
        get => !_requestProblemInformationOff;
        init => _requestProblemInformationOff = !value;
    }

    /// <summary>The user properties.</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>True where the client asks for enhanced authentication.</summary>
    public bool HasAuthenticationMethod => Presence.IsPresent(AuthenticationMethod);

    /// <summary>The authentication method; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> AuthenticationMethod { get; init; }

    /// <summary>True when authentication data is there.</summary>
    public bool HasAuthenticationData => Presence.IsPresent(AuthenticationData);

    /// <summary>The authentication data; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> AuthenticationData { get; init; }

    /// <summary>True where the client identifier has the 1 to 23 characters that 3.1 demands; what follows is policy.</summary>
    public bool HasClientIdOf31
    {
        get
        {
            // Characters, not bytes: count all but the continuation bytes 10xxxxxx.
            var characters = 0;
            foreach (var value in ClientId)
            {
                characters += (value & 0xC0) != 0x80 ? 1 : 0;
            }

            return characters is >= 1 and <= 23;
        }
    }
}
