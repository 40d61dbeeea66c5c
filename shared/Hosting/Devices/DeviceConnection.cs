using System.Buffers;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Hosting.Devices;

/// <summary>
/// One device's connection: joins a transport, which knows bytes, and a channel, which knows MQTT. On the loop that owns
/// the transport.
/// </summary>
public sealed class DeviceConnection : ITransportHandler, IChannelHost
{
    private readonly DeviceServer _server;
    private readonly Channel _channel;
    private bool _isMoving;
    private bool _isAsking;

    internal DeviceConnection(DeviceServer server, Transport transport, long connectDeadlineMs)
    {
        _server = server;
        Transport = transport;
        SessionContext context = server.ContextOf(transport.Loop);
        _channel = new Channel(context, this, connectDeadlineMs);
        server.ConnectionsOf(context).Add(this);
    }

    /// <summary>Neighbours in <see cref="LoopConnections"/>.</summary>
    internal DeviceConnection? Next { get; set; }

    internal DeviceConnection? Previous { get; set; }

    /// <summary>MQTT's side.</summary>
    internal Channel Channel => _channel;

    /// <summary>The bytes' side.</summary>
    public Transport Transport { get; }

    /// <inheritdoc/>
    public IBufferWriter<byte> Output => Transport.Output;

    /// <inheritdoc/>
    public bool IsCongested => Transport.UnsentBytes >= Transport.Settings.HighWaterBytes;

    /// <inheritdoc/>
    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        Arrive();
        if (_server.IsShuttingDown && !_channel.IsClosed)
        {
            // It was between two loops when they were told.
            ShutDown();
        }

        return _channel.Receive(bytes);
    }

    /// <inheritdoc/>
    public void OnWritable() => _channel.OnWritable();

    /// <inheritdoc/>
    public void OnWithheld() => _channel.OnWithheld();

    /// <inheritdoc/>
    public void OnClosed(TransportCloseReason reason)
    {
        Arrive();
        _server.ConnectionsOf(_server.ContextOf(Transport.Loop)).Remove(this);
        _channel.OnTransportClosed(Describe(reason));
    }

    /// <inheritdoc/>
    public void BeginConnect(ConnectRequest request)
    {
        _isAsking = true;
        Gate.Ask(request, _channel);
    }

    /// <inheritdoc/>
    public bool BelongsHere(ReadOnlySpan<byte> clientId) => ReferenceEquals(_server.OwnerOf(clientId).Loop, Transport.Loop);

    /// <inheritdoc/>
    public void MoveToOwner(string clientId)
    {
        _channel.Leave();
        _isMoving = true;
        _server.ConnectionsOf(_server.ContextOf(Transport.Loop)).Remove(this);
        Transport.MoveTo(_server.OwnerOf(clientId).Loop);
    }

    /// <inheritdoc/>
    public void PauseReading() => Transport.PauseReading();

    /// <inheritdoc/>
    public void ResumeReading() => Transport.ResumeReading();

    /// <inheritdoc/>
    public void MarkPermitted(long sinceMs) => Transport.MarkPermitted(sinceMs);

    /// <inheritdoc/>
    public void SendWithheld(long sinceMs) => Transport.SendWithheld(sinceMs);

    /// <inheritdoc/>
    public void DropPermitted() => Transport.DropPermitted();

    /// <inheritdoc/>
    public void Close(in ChannelClose close)
    {
        Gate.Closed(_channel, close);
        Transport.Close(TransportClose.Graceful);
    }

    /// <summary>
    /// Ends it because the server shuts down: DISCONNECT 0x8B (5.0); who still waits for CONNACK gets one; who has not
    /// sent CONNECT may be sent nothing [MQTT-3.2.0-1].
    /// </summary>
    internal void ShutDown()
    {
        if (_isAsking && !_channel.IsOpen)
        {
            _channel.Refuse(ReasonCode.ServerUnavailable, "The server is shutting down.");
        }
        else
        {
            _channel.Disconnect(CloseCause.ServerShutdown, ReasonCode.ServerShuttingDown, null);
        }
    }

    private IConnectGate Gate => _server.GateOf(_server.ContextOf(Transport.Loop));

    /// <summary>The first call after a move: from now on the channel lives on the new loop.</summary>
    private void Arrive()
    {
        if (_isMoving)
        {
            _isMoving = false;
            SessionContext context = _server.ContextOf(Transport.Loop);
            _server.ConnectionsOf(context).Add(this);
            _channel.Enter(context);
        }
    }

    private static string? Describe(TransportCloseReason reason) => reason switch
    {
        TransportCloseReason.PeerClosed => null,
        TransportCloseReason.Reset => "The peer reset the connection.",
        TransportCloseReason.SendTimeout => "The device took no byte within the listener's SendTimeoutMs.",
        TransportCloseReason.OutputLimit => "More was waiting for the device than its connection may hold.",
        _ => reason.ToString(),
    };
}
