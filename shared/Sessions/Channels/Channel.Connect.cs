using System.Globalization;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

public sealed partial class Channel
{
    /// <summary>
    /// Accepts the CONNECT: attaches the session, answers CONNACK before anything else [MQTT-3.2.0-1], then sends what
    /// the session has in flight and waiting.
    /// </summary>
    /// <param name="userProperties">Encoded user properties for CONNACK; a broker answers its links by them.</param>
    public void Open(ReadOnlySpan<byte> userProperties = default)
    {
        if (_state != State.Connecting)
        {
            return;
        }

        ConnectRequest request = Request!;
        uint expiry = request.ExpiryWithin(_context.Options);
        _state = State.Open;
        MqttOptions options = _context.Options;
        _keepAliveMs = 1500 * KeepAliveOf(request, options);
        _receiveMaximum = (ushort)options.ReceiveMaximum;
        _maximumPacketSize = request.MaximumPacketSize;
        _wantsProblemInformation = request.WantsProblemInformation;
        _sendQuota = (ushort)int.Min(request.ReceiveMaximum, options.MaximumInFlight);
        int outboundAliases = int.Min(request.TopicAliasMaximum, options.OutboundTopicAliasMaximum);
        _requestOrAliases = outboundAliases > 0 ? new Aliases { Outbound = new OutboundAliases(outboundAliases) } : null;

        _askedForExpiry = request.SessionExpirySeconds != 0;

        (Session session, bool isPresent) = _context.Registry.Attach(this, request, expiry);
        Session = session;
        WasSessionPresent = isPresent;
        _context.Counters.Add(SessionCounter.ConnectsAccepted);
        _context.Counters.Add(SessionCounter.ChannelsOpen);
        if (WriteConnAck(request, isPresent, expiry, userProperties) == 0)
        {
            // Nothing may be sent that is larger than the client takes [MQTT-3.1.2-24], and nothing before CONNACK.
            session.DropWill();
            Close(CloseCause.LimitExceeded, ReasonCode.PacketTooLarge, "CONNACK is larger than the client's Maximum Packet Size.");
            return;
        }

        _deadlineOrHeardMs = _context.Loop.NowMs;
        _context.Loop.Timers.Cancel(this);
        if (_keepAliveMs > 0)
        {
            _context.Loop.Timers.Schedule(this, _keepAliveMs);
        }

        session.Opened();
        Unpause(Pauses.Connecting);
    }

    /// <summary>Refuses the CONNECT with CONNACK where the version has a code for the reason, and closes [MQTT-3.2.2-7].</summary>
    public void Refuse(ReasonCode reason, string detail) => RefuseFor(CloseCause.ConnectRefused, reason, detail);

    private void RefuseFor(CloseCause cause, ReasonCode reason, string detail)
    {
        if (_state is State.Closed or State.Open)
        {
            return;
        }

        if (_version == ProtocolVersion.Mqtt50 || ReasonCodes.TryToConnectReturnCode(reason, out _))
        {
            PacketWriter.WriteConnAck(
                _host.Output,
                _version,
                new ConnAckPacket
                {
                    ReasonCode = _version == ProtocolVersion.Mqtt50 ? Sayable(PacketType.ConnAck, reason) : reason,
                    ReasonString = _wantsProblemInformation ? Encoding.UTF8.GetBytes(detail) : default,
                },
                _maximumPacketSize);
        }

        _context.Counters.Add(SessionCounter.ConnectsRefused);
        Close(cause, reason, detail);
    }

    private bool ReceiveConnect(in Frame frame, out ProtocolError error)
    {
        bool parsed = ConnectPacket.TryParse(frame, out ConnectPacket packet, out error);
        _version = parsed ? packet.Version : packet.AnswerVersion;
        if (!parsed)
        {
            AnswerBadConnect(error);
            return true;
        }

        _isBridge = packet.IsBridge;
        _wantsProblemInformation = packet.RequestProblemInformation;
        _maximumPacketSize = packet.MaximumPacketSize;
        var request = new ConnectRequest(packet);
        if (!CheckConnect(packet, out error))
        {
            // Kept for the log, which names who was refused.
            _requestOrAliases = request;
            Refuse(error.Code, Describe(error));
            return true;
        }

        if (request.ClientId.Length == 0)
        {
            request.ClientId = AssignClientId();
            request.IsClientIdAssigned = true;
        }

        _requestOrAliases = request;
        _state = State.Connecting;
        Pause(Pauses.Connecting);
        _context.Loop.Timers.Cancel(this);
        _context.Loop.Timers.Schedule(this, _context.Options.ClaimDeadlineMs);
        _host.BeginConnect(request);
        return true;
    }

    /// <summary>
    /// Before anything of CONNECT is acted on: a client identifier of another loop moves the connection there, where the
    /// same bytes are read again. Returns whether it moves.
    /// </summary>
    private bool MovesAway(in Frame frame)
    {
        if (!ConnectPacket.TryParse(frame, out ConnectPacket packet, out _) || packet.ClientId.IsEmpty)
        {
            return false;
        }

        if (_host.BelongsHere(packet.ClientId))
        {
            return false;
        }

        _host.MoveToOwner(Encoding.UTF8.GetString(packet.ClientId));
        return true;
    }

    /// <summary>An identifier of our making that this loop owns [MQTT-3.1.3-6] [MQTT-3.2.2-16].</summary>
    private string AssignClientId()
    {
        while (true)
        {
            string clientId = "trunkline-" + Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
            if (_host.BelongsHere(Encoding.UTF8.GetBytes(clientId)))
            {
                return clientId;
            }
        }
    }

    private bool CheckConnect(in ConnectPacket packet, out ProtocolError error)
    {
        MqttOptions options = _context.Options;
        error = default;
        if (packet.HasAuthenticationMethod)
        {
            error = ChannelErrors.AuthenticationMethod;
        }
        else if (packet.ClientId.Length > options.MaximumClientIdBytes)
        {
            error = ChannelErrors.ClientIdTooLong;
        }
        else if (packet.ClientId.IsEmpty && packet.Version != ProtocolVersion.Mqtt50
            && (!packet.CleanStart || packet.Version == ProtocolVersion.Mqtt31))
        {
            error = ChannelErrors.EmptyClientId;
        }
        else if (!_context.Registry.HasRoomFor(packet.ClientId))
        {
            error = ChannelErrors.TooManySessions;
        }
        else if (packet.HasWill && packet.WillQoS > options.MaximumQoS)
        {
            error = ChannelErrors.WillQoSNotSupported;
        }
        else if (packet.HasWill && packet.WillRetain && !options.RetainAvailable)
        {
            error = ChannelErrors.WillRetainNotSupported;
        }
        else if (packet.HasWill && !CheckWill(packet, out error))
        {
            return false;
        }

        return error.Message is null;
    }

    private bool CheckWill(in ConnectPacket packet, out ProtocolError error)
    {
        if (!TopicName.IsValid(packet.WillTopic, _context.Options.TopicLimits, out error))
        {
            return false;
        }

        WillProperties properties = packet.WillProperties;
        return !properties.HasResponseTopic || TopicName.IsValid(properties.ResponseTopic, _context.Options.TopicLimits, out error);
    }

    /// <summary>A CONNECT that does not parse: 5.0 may be told why, 3.x only of a version or identifier we do not take,
    /// and who does not even say MQTT gets no answer [MQTT-3.1.2-1].</summary>
    private void AnswerBadConnect(in ProtocolError error)
    {
        if (_version == ProtocolVersion.Mqtt50
            || (_version != 0 && error.Code is ReasonCode.UnsupportedProtocolVersion or ReasonCode.ClientIdentifierNotValid))
        {
            Refuse(error.Code, Describe(error));
            return;
        }

        _context.Counters.Add(SessionCounter.ConnectsRefused);
        Close(CloseCause.ProtocolError, error.Code, Describe(error));
    }

    private int WriteConnAck(ConnectRequest request, bool isPresent, uint expiry, ReadOnlySpan<byte> userProperties)
    {
        MqttOptions options = _context.Options;
        Span<byte> clientId = stackalloc byte[64];
        int clientIdLength = request.IsClientIdAssigned ? Encoding.UTF8.GetBytes(request.ClientId, clientId) : 0;
        int keepAlive = KeepAliveSeconds;
        return PacketWriter.WriteConnAck(_host.Output, _version, new ConnAckPacket
        {
            SessionPresent = isPresent,
            ReasonCode = ReasonCode.Success,
            SessionExpiryInterval = expiry != request.SessionExpirySeconds ? expiry : null,
            ReceiveMaximum = _receiveMaximum,
            MaximumQoS = options.MaximumQoS,
            RetainAvailable = options.RetainAvailable,
            MaximumPacketSize = (uint)options.MaximumPacketSize,
            AssignedClientId = request.IsClientIdAssigned ? clientId[..clientIdLength] : default,
            TopicAliasMaximum = (ushort)options.TopicAliasMaximum,
            UserProperties = new UserPropertyList(userProperties),
            WildcardSubscriptionAvailable = true,
            SubscriptionIdentifiersAvailable = true,
            SharedSubscriptionAvailable = true,
            ServerKeepAliveSeconds = keepAlive != request.KeepAliveSeconds ? (ushort)keepAlive : null,
            ResponseInformation = request.WantsResponseInformation && options.ResponseInformation.Length > 0
                ? Encoding.UTF8.GetBytes(options.ResponseInformation)
                : default,
        }, _maximumPacketSize);
    }

    /// <summary>
    /// Keep alive in force, in seconds. A 5.0 client is told when it differs from what it asked [MQTT-3.2.2-21] [MQTT-3.2.2-22]; a 3.x
    /// client cannot be told, so it is held to what it asked [MQTT-3.1.2-24] (3.1.1).
    /// </summary>
    private static int KeepAliveOf(ConnectRequest request, MqttOptions options)
    {
        int wanted = request.KeepAliveSeconds;
        if (request.Version == ProtocolVersion.Mqtt50)
        {
            return wanted == 0 || wanted > options.KeepAliveCapSeconds ? options.KeepAliveCapSeconds : wanted;
        }

        return wanted;
    }

    private static string Describe(in ProtocolError error) => $"{error.Message} [{error.Clause}]";
}
