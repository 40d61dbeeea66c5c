using System.Buffers;
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

    internal DeviceConnection(DeviceServer server, Transport transport, long connectDeadlineMs)
    {
        _server = server;
        Transport = transport;
        _channel = new Channel(server.ContextOf(transport.Loop), this, connectDeadlineMs);
    }

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
        return _channel.Receive(bytes);
    }

    /// <inheritdoc/>
    public void OnWritable() => _channel.OnWritable();

    /// <inheritdoc/>
    public void OnClosed(TransportCloseReason reason)
    {
        Arrive();
        _channel.OnTransportClosed(Describe(reason));
    }

    /// <inheritdoc/>
    public void BeginConnect(ConnectRequest request) => Gate.Ask(request, _channel);

    /// <inheritdoc/>
    public bool BelongsHere(string clientId) => ReferenceEquals(_server.OwnerOf(clientId).Loop, Transport.Loop);

    /// <inheritdoc/>
    public void MoveToOwner(string clientId)
    {
        _channel.Leave();
        _isMoving = true;
        Transport.MoveTo(_server.OwnerOf(clientId).Loop);
    }

    /// <inheritdoc/>
    public void PauseReading() => Transport.PauseReading();

    /// <inheritdoc/>
    public void ResumeReading() => Transport.ResumeReading();

    /// <inheritdoc/>
    public void Close(in ChannelClose close)
    {
        Gate.Closed(_channel, close);
        Transport.Close(TransportClose.Graceful);
    }

    private IConnectGate Gate => _server.GateOf(_server.ContextOf(Transport.Loop));

    /// <summary>The first call after a move: from now on the channel lives on the new loop.</summary>
    private void Arrive()
    {
        if (_isMoving)
        {
            _isMoving = false;
            _channel.Enter(_server.ContextOf(Transport.Loop));
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
