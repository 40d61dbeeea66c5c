using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Links.Tests;

/// <summary>The far side of links at its barest: says it is ours, acknowledges every PUBLISH, allocates nothing.</summary>
internal sealed class AckingPeer : IConnectionAcceptor
{
    public void OnAccepted(Transport transport) => transport.Handler = new Connection(transport);

    private sealed class Connection(Transport transport) : ITransportHandler
    {
        private readonly byte[] _buffer = new byte[64];

        public int OnReceived(ReadOnlySpan<byte> bytes)
        {
            int used = 0;
            while (FrameReader.TryRead(bytes[used..], 0, ProtocolVersion.Mqtt50, out Frame frame, out _) == FrameStatus.Complete)
            {
                used += frame.TotalLength;
                if (frame.Type == PacketType.Connect)
                {
                    var properties = new UserPropertyBuilder(_buffer);
                    properties.TryAdd("tl"u8, "v1;t2;iabc"u8);
                    PacketWriter.WriteConnAck(transport.Output, ProtocolVersion.Mqtt50, new ConnAckPacket
                    {
                        UserProperties = properties.List,
                        RetainAvailable = true,
                        ReceiveMaximum = 65_535,
                        MaximumQoS = QoS.ExactlyOnce,
                        WildcardSubscriptionAvailable = true,
                        SubscriptionIdentifiersAvailable = true,
                        SharedSubscriptionAvailable = true,
                    });
                }
                else if (frame.Type == PacketType.Publish
                    && PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Client, out PublishPacket packet, out _)
                    && packet.QoS != QoS.AtMostOnce)
                {
                    PacketWriter.WritePubAck(transport.Output, ProtocolVersion.Mqtt50, packet.PacketId);
                }
            }

            return used;
        }

        public void OnWritable()
        {
        }

        public void OnClosed(TransportCloseReason reason)
        {
        }
    }
}
