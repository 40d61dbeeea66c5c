using System.Buffers;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// One connection to a broker, from dialling to its end: CONNECT and CONNACK, framing, keep alive. What outlives it is in
/// its owner. Loop thread only. It is its own timer: connect deadline first, keep alive after.
/// </summary>
internal sealed class LinkConnection : LoopTimer, ITransportHandler, IConnectAttempt
{
    private readonly Loop _loop;
    private readonly ITransportConnector _connector;
    private readonly LinkIdentity _identity;
    private readonly LinkOptions _options;
    private readonly ILinkOwner _owner;
    private Transport? _transport;
    private State _state;
    private long _keepAliveMs;
    private long _lastReceivedMs;
    private long _pingSentMs;
    private bool _isPingOpen;

    public LinkConnection(Loop loop, ITransportConnector connector, LinkIdentity identity, LinkOptions options, ILinkOwner owner)
    {
        _loop = loop;
        _connector = connector;
        _identity = identity;
        _options = options;
        _owner = owner;
    }

    private enum State : byte
    {
        Dialling,
        Handshaking,
        Open,
        Closed,
    }

    public bool IsOpen => _state == State.Open;

    public bool IsClosed => _state == State.Closed;

    /// <summary>When it was opened, on the loop's clock.</summary>
    public long OpenedAtMs { get; private set; }

    /// <summary>Whether the broker accepted it at all.</summary>
    public bool WasOpen { get; private set; }

    /// <summary>Where packets are written; only while open.</summary>
    public IBufferWriter<byte> Output => _transport!.Output;

    public int UnsentBytes => _transport!.UnsentBytes;

    /// <summary>Whether writers should wait for <see cref="ILinkOwner.OnWritable"/>.</summary>
    public bool IsCongested => _transport!.UnsentBytes > _transport.Settings.HighWaterBytes;

    public void Dial()
    {
        _loop.Timers.Schedule(this, _options.ConnectTimeoutMs);
        _connector.Connect(_loop, this);
    }

    public void PauseReading() => _transport?.PauseReading();

    public void ResumeReading()
    {
        if (_state == State.Open)
        {
            _lastReceivedMs = _loop.NowMs;
            _transport!.ResumeReading();
        }
    }

    /// <summary>Leaves in order: DISCONNECT, then the end of the stream. The owner is not told.</summary>
    public void Leave()
    {
        if (_state == State.Open)
        {
            PacketWriter.WriteDisconnect(Output, ProtocolVersion.Mqtt50, default);
        }

        End(TransportClose.Graceful);
    }

    /// <summary>Drops the connection and tells the owner why.</summary>
    public void Fail(string reason)
    {
        if (_state != State.Closed)
        {
            End(TransportClose.Abort);
            _owner.OnClosed(this, reason);
        }
    }

    /// <inheritdoc/>
    public void OnConnected(Transport transport)
    {
        if (_state != State.Dialling)
        {
            transport.Close(TransportClose.Abort);
            return;
        }

        _transport = transport;
        transport.Handler = this;
        _state = State.Handshaking;
        WriteConnect();
    }

    /// <inheritdoc/>
    public void OnConnectFailed(string reason) => Fail(reason);

    /// <inheritdoc/>
    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        _lastReceivedMs = _loop.NowMs;
        _isPingOpen = false;
        int used = 0;
        while (_state != State.Closed && used < bytes.Length && !_transport!.IsPaused)
        {
            FrameStatus status = FrameReader.TryRead(
                bytes[used..], (uint)_options.MaximumPacketBytes, ProtocolVersion.Mqtt50, out Frame frame, out ProtocolError error);
            if (status == FrameStatus.NeedMore)
            {
                return used;
            }

            if (status != FrameStatus.Complete)
            {
                Fail($"The broker sent what is not MQTT: {error.Message}");
                return bytes.Length;
            }

            used += frame.TotalLength;
            if (Dispatch(frame) is { } failure)
            {
                Fail(failure);
            }
        }

        return _state == State.Closed ? bytes.Length : used;
    }

    /// <inheritdoc/>
    public void OnWritable()
    {
        if (_state == State.Open)
        {
            _owner.OnWritable(this);
        }
    }

    /// <inheritdoc/>
    public void OnClosed(TransportCloseReason reason) => Fail($"The connection ended ({reason}).");

    /// <inheritdoc/>
    protected override void OnDue()
    {
        if (_state != State.Open)
        {
            Fail($"{_connector.Address} did not answer CONNECT within {_options.ConnectTimeoutMs} ms.");
            return;
        }

        // A link that we do not read now proves nothing by its silence.
        long now = _loop.NowMs;
        _isPingOpen &= !_transport!.IsPaused;
        if (_isPingOpen && now - _pingSentMs >= _keepAliveMs)
        {
            Fail($"The broker answered nothing for {now - _lastReceivedMs} ms: the connection is half-open or the broker is stopped.");
            return;
        }

        if (!_isPingOpen)
        {
            // One at each half keep alive keeps the broker's side alive too [MQTT-3.1.2-20].
            PacketWriter.WritePingReq(Output);
            _pingSentMs = now;
            _isPingOpen = true;
        }

        _loop.Timers.Schedule(this, _keepAliveMs / 2);
    }

    private void WriteConnect()
    {
        Span<byte> buffer = stackalloc byte[512];
        var properties = new UserPropertyBuilder(buffer);
        if (_identity.Announcement is not null)
        {
            properties.TryAdd(ForwardableProperties.TrunklineKey, _identity.Announcement);
        }

        PacketWriter.WriteConnect(_transport!.Output, new ConnectPacket
        {
            Version = ProtocolVersion.Mqtt50,
            CleanStart = true,
            KeepAliveSeconds = (ushort)_options.KeepAliveSeconds,
            ClientId = _identity.ClientId,
            UserName = _identity.UserName is null ? default : _identity.UserName,
            Password = _identity.Password is null ? default : _identity.Password,
            SessionExpiryInterval = 0,
            ReceiveMaximum = ushort.MaxValue,
            MaximumPacketSize = (uint)_options.MaximumPacketBytes,
            RequestProblemInformation = true,
            UserProperties = properties.List,
        });
    }

    private string? Dispatch(in Frame frame)
    {
        switch (frame.Type)
        {
            case PacketType.ConnAck when _state == State.Handshaking:
                return ReceiveConnAck(frame);
            case PacketType.PingResp when _state == State.Open:
                return null;
            case PacketType.Disconnect when _state == State.Open:
                return DisconnectPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out DisconnectPacket packet, out ProtocolError error)
                    ? $"The broker disconnected: {packet.ReasonCode} {Encoding.UTF8.GetString(packet.ReasonString)}".TrimEnd()
                    : error.Message;
            default:
                return _state == State.Open ? _owner.OnPacket(this, frame) : $"The broker sent {frame.Type} before CONNACK.";
        }
    }

    private string? ReceiveConnAck(in Frame frame)
    {
        if (!ConnAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out ConnAckPacket packet, out ProtocolError error))
        {
            return $"The broker's CONNACK is not one of MQTT 5: {error.Message}";
        }

        if (packet.ReasonCode != ReasonCode.Success)
        {
            return $"The broker refused the connection: {packet.ReasonCode} {Encoding.UTF8.GetString(packet.ReasonString)}".TrimEnd();
        }

        if (packet.SessionPresent)
        {
            // We asked for a clean start and keep no state of that session [MQTT-3.2.2-4].
            return "The broker says Session Present 1 to a clean start.";
        }

        var peer = new LinkPeer(packet);
        _state = State.Open;
        OpenedAtMs = _loop.NowMs;
        WasOpen = true;
        _keepAliveMs = 1000L * (peer.ServerKeepAliveSeconds is { } seconds and > 0 ? int.Min(seconds, _options.KeepAliveSeconds) : _options.KeepAliveSeconds);
        _loop.Timers.Schedule(this, _keepAliveMs / 2);
        return _owner.OnOpened(this, peer);
    }

    private void End(TransportClose how)
    {
        if (_state == State.Closed)
        {
            return;
        }

        _state = State.Closed;
        _loop.Timers.Cancel(this);
        _transport?.Close(how);
    }
}
