namespace Trunkline.Protocol;

/// <content>How CONNECT is read.</content>
public readonly ref partial struct ConnectPacket
{
    private const byte BridgeBit = 0x80;
    private const int ReservedFlag = 0x01;
    private const int CleanStartFlag = 0x02;
    private const int WillFlag = 0x04;
    private const int WillQoSShift = 3;
    private const int WillRetainFlag = 0x20;
    private const int PasswordFlag = 0x40;
    private const int UserNameFlag = 0x80;

    /// <summary>Reads a CONNECT. On failure the packet still has <see cref="AnswerVersion"/> and <see cref="ProtocolLevel"/>.</summary>
    public static bool TryParse(scoped in Frame frame, out ConnectPacket packet, out ProtocolError error)
    {
        packet = default;
        if (frame.Type != PacketType.Connect)
        {
            error = ProtocolErrors.WrongPacket;
            return false;
        }

        var reader = new WireReader(frame.Body);
        if (!reader.TryReadBytes(out var name, out error) || !reader.TryReadByte(out var level, out error))
        {
            return false;
        }

        var identified = TryIdentify(name, level, out var version, out var answer, out error);
        packet = new ConnectPacket { ProtocolLevel = level, AnswerVersion = answer };
        if (!identified
            || !reader.TryReadByte(out var flags, out error)
            || !AreFlagsValid(flags, version, out error)
            || !reader.TryReadUInt16(out var keepAlive, out error))
        {
            return false;
        }

        var properties = new PropertySet();
        if (version == ProtocolVersion.Mqtt50
            && (!reader.TryReadPropertyBlock(out var block, out error) || !properties.TryRead(block, PropertyTable.Connect, out error)))
        {
            return false;
        }

        if (!TryReadPayload(ref reader, version, flags, out var payload, out error) || !reader.IsComplete(out error))
        {
            return false;
        }

        packet = new ConnectPacket
        {
            Version = version,
            AnswerVersion = answer,
            ProtocolLevel = level,
            IsBridge = (level & BridgeBit) != 0,
            CleanStart = (flags & CleanStartFlag) != 0,
            KeepAliveSeconds = keepAlive,
            ClientId = payload.ClientId,
            HasWill = (flags & WillFlag) != 0,
            WillTopic = payload.WillTopic,
            WillPayload = payload.WillPayload,
            WillProperties = payload.WillProperties,
            WillQoS = (flags & WillFlag) != 0 ? (QoS)((flags >> WillQoSShift) & 3) : QoS.AtMostOnce,
            WillRetain = (flags & (WillFlag | WillRetainFlag)) == (WillFlag | WillRetainFlag),
            UserName = payload.UserName,
            Password = payload.Password,
            SessionExpiryInterval = properties.SessionExpiryInterval.GetValueOrDefault(),
            ReceiveMaximum = properties.ReceiveMaximum,
            MaximumPacketSize = properties.MaximumPacketSize,
            TopicAliasMaximum = properties.TopicAliasMaximum,
            RequestResponseInformation = properties.RequestResponseInformation,
            RequestProblemInformation = properties.RequestProblemInformation,
            UserProperties = new UserPropertyList(properties.UserPropertyBlock),
            AuthenticationMethod = properties.AuthenticationMethod,
            AuthenticationData = properties.AuthenticationData,
        };
        return true;
    }

    /// <summary>[MQTT-3.1.2-1], [MQTT-3.1.2-2]: name and level are two names of one thing; every pair but four is refused.</summary>
    private static bool TryIdentify(
        ReadOnlySpan<byte> name, byte level, out ProtocolVersion version, out ProtocolVersion answer, out ProtocolError error)
    {
        error = default;
        var isMqtt = name.SequenceEqual("MQTT"u8);
        if (!isMqtt && !name.SequenceEqual("MQIsdp"u8))
        {
            version = default;
            answer = default;
            error = ProtocolErrors.ProtocolNameUnknown;
            return false;
        }

        var known = isMqtt ? level is 4 or 5 or (4 | BridgeBit) : level is 3 or (3 | BridgeBit);
        if (known)
        {
            version = (ProtocolVersion)(level & ~BridgeBit);
            answer = version;
            return true;
        }

        // A version from the future understands 5.0 best, one from the past 3.1.1, whose CONNACK 3.1 shares.
        version = default;
        answer = isMqtt && (level & ~BridgeBit) >= 5 ? ProtocolVersion.Mqtt50 : ProtocolVersion.Mqtt311;
        error = ProtocolErrors.ProtocolLevelUnsupported;
        return false;
    }

    private static bool AreFlagsValid(int flags, ProtocolVersion version, out ProtocolError error)
    {
        var willQoS = (flags >> WillQoSShift) & 3;
        var hasWill = (flags & WillFlag) != 0;
        error = default;
        if (hasWill && willQoS == 3)
        {
            error = ProtocolErrors.WillQoSInvalid;
        }
        else if (version == ProtocolVersion.Mqtt31)
        {
            // 3.1 leaves bit 0 unused and disregards the will bits without a will flag; it forbids a lone password.
            error = (flags & (UserNameFlag | PasswordFlag)) == PasswordFlag ? ProtocolErrors.PasswordWithoutUserName : default;
        }
        else if ((flags & ReservedFlag) != 0)
        {
            error = ProtocolErrors.ConnectFlagReserved;
        }
        else if (!hasWill && willQoS != 0)
        {
            error = ProtocolErrors.WillQoSWithoutWill;
        }
        else if (!hasWill && (flags & WillRetainFlag) != 0)
        {
            error = ProtocolErrors.WillRetainWithoutWill;
        }
        else if (version == ProtocolVersion.Mqtt311 && (flags & (UserNameFlag | PasswordFlag)) == PasswordFlag)
        {
            error = ProtocolErrors.PasswordWithoutUserName;
        }

        return error.Code == ReasonCode.Success;
    }

    private static bool TryReadPayload(
        scoped ref WireReader reader, ProtocolVersion version, int flags, out ConnectPayload payload, out ProtocolError error)
    {
        payload = default;
        if (!reader.TryReadText(out payload.ClientId, out error))
        {
            return false;
        }

        if ((flags & WillFlag) != 0)
        {
            if (version == ProtocolVersion.Mqtt50
                && (!reader.TryReadPropertyBlock(out var block, out error) || !WillProperties.TryParse(block, out payload.WillProperties, out error)))
            {
                return false;
            }

            if (!reader.TryReadText(out payload.WillTopic, out error) || !reader.TryReadBytes(out payload.WillPayload, out error))
            {
                return false;
            }
        }

        // 3.1: the remaining length takes precedence over the flags, for devices of MQTT 3, which knew no credentials.
        var mayBeMissing = version == ProtocolVersion.Mqtt31;
        if ((flags & UserNameFlag) != 0 && !(mayBeMissing && reader.IsAtEnd) && !reader.TryReadText(out payload.UserName, out error))
        {
            return false;
        }

        return (flags & PasswordFlag) == 0 || (mayBeMissing && reader.IsAtEnd) || reader.TryReadBytes(out payload.Password, out error);
    }

    private ref struct ConnectPayload
    {
        public ReadOnlySpan<byte> ClientId;
        public WillProperties WillProperties;
        public ReadOnlySpan<byte> WillTopic;
        public ReadOnlySpan<byte> WillPayload;
        public ReadOnlySpan<byte> UserName;
        public ReadOnlySpan<byte> Password;
    }
}
