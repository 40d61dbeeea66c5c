using System.Buffers;

namespace Trunkline.Protocol;

/// <content>PUBLISH.</content>
public static partial class PacketWriter
{
    /// <summary>
    /// Writes a PUBLISH with its property block as it stands. For messages that are sent on, with an expiry, alias or
    /// identifiers of their own, use <see cref="PublishEncoder"/>. 0 also for a packet id of 0 above QoS 0.
    /// </summary>
    public static int WritePublish(IBufferWriter<byte> output, ProtocolVersion version, in PublishPacket packet, uint maximumPacketSize = 0)
    {
        if (packet.QoS != QoS.AtMostOnce && packet.PacketId == 0)
        {
            return 0;
        }

        // The encoder takes its block as it is, so that a whole block may stand where the forwardable one does.
        var encoder = new PublishEncoder
        {
            Version = version,
            Topic = packet.Topic,
            Payload = packet.Payload,
            ForwardableProperties = packet.Properties.Raw,
            QoS = packet.QoS,
            Retain = packet.Retain,
            Duplicate = packet.Duplicate,
            PacketId = packet.PacketId,
        };
        return encoder.Write(output, maximumPacketSize);
    }
}
