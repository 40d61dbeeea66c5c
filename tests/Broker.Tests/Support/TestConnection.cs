using System.Buffers;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Support;

/// <summary>Joins a transport and a channel, as the host does.</summary>
internal sealed class TestConnection : ITransportHandler, IChannelHost
{
    private readonly Transport _transport;
    private readonly IConnectGate _gate;
    private readonly Channel _channel;

    public TestConnection(Transport transport, SessionContext context, IConnectGate gate)
    {
        _transport = transport;
        _gate = gate;
        _channel = new Channel(context, this, 10_000);
    }

    public IBufferWriter<byte> Output => _transport.Output;

    public bool IsCongested => _transport.UnsentBytes >= _transport.Settings.HighWaterBytes;

    public int OnReceived(ReadOnlySpan<byte> bytes) => _channel.Receive(bytes);

    public void OnWritable() => _channel.OnWritable();

    public void OnClosed(TransportCloseReason reason) => _channel.OnTransportClosed(null);

    public void BeginConnect(ConnectRequest request) => _gate.Ask(request, _channel);

    public bool BelongsHere(ReadOnlySpan<byte> clientId) => true;

    public void MoveToOwner(string clientId) => throw new NotSupportedException();

    public void PauseReading() => _transport.PauseReading();

    public void ResumeReading() => _transport.ResumeReading();

    public void MarkPermitted(long sinceMs) => _transport.MarkPermitted(sinceMs);

    public void SendWithheld(long sinceMs) => _transport.SendWithheld(sinceMs);

    public void DropPermitted() => _transport.DropPermitted();

    public void Close(in ChannelClose close)
    {
        _gate.Closed(_channel, close);
        _transport.Close(TransportClose.Graceful);
    }
}
