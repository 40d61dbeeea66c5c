using System.Buffers;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Benchmarks;

/// <summary>A device of MQTT 3.1.1 over memory that allocates nothing per message: it counts what comes and acknowledges it.</summary>
internal sealed class MemoryDevice(string clientId) : ITransportHandler, IConnectAttempt
{
    private const ProtocolVersion Version = ProtocolVersion.Mqtt311;

    private Transport? _transport;

    public bool IsConnected { get; private set; }

    public long Received { get; private set; }

    public void Publish(ReadOnlySpan<byte> frame) => _transport!.Output.Write(frame);

    public void Subscribe(string filter, QoS qos) =>
        PacketWriter.WriteSubscribe(_transport!.Output, Version, 1, Encoding.UTF8.GetBytes(filter), SubscriptionOptions.Create(qos));

    public void OnConnected(Transport transport)
    {
        _transport = transport;
        transport.Handler = this;
        PacketWriter.WriteConnect(transport.Output, new ConnectPacket { Version = Version, CleanStart = true, ClientId = Encoding.UTF8.GetBytes(clientId) });
    }

    public void OnConnectFailed(string reason) => throw new InvalidOperationException(reason);

    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        int used = 0;
        while (FrameReader.TryRead(bytes[used..], 0, Version, out Frame frame, out _) == FrameStatus.Complete)
        {
            used += frame.TotalLength;
            if (frame.Type == PacketType.ConnAck)
            {
                IsConnected = true;
            }
            else if (frame.Type == PacketType.Publish && PublishPacket.TryParse(frame, Version, PacketSender.Server, out PublishPacket packet, out _))
            {
                Received++;
                if (packet.QoS == QoS.AtLeastOnce)
                {
                    PacketWriter.WritePubAck(_transport!.Output, Version, packet.PacketId);
                }
            }
        }

        return used;
    }

    public void OnWritable()
    {
    }

    public void OnClosed(TransportCloseReason reason) => throw new InvalidOperationException($"{clientId} was closed: {reason}");
}
