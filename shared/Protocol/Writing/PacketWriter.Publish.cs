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

    /// <summary>
    /// The size of a 5.0 PUBLISH at QoS 0 without flags and properties; 0 where it is too long for MQTT.
    /// </summary>
    /// <param name="topicField">The topic with its two bytes of length in front.</param>
    /// <param name="payload">The message.</param>
    public static int MeasurePlainPublish(ReadOnlySpan<byte> topicField, ReadOnlySpan<byte> payload)
    {
        long remaining = (long)topicField.Length + 1 + payload.Length;
        return remaining > VariableByteInteger.MaxValue ? 0 : 1 + VariableByteInteger.SizeOf((uint)remaining) + (int)remaining;
    }

    /// <summary>
    /// Writes a 5.0 PUBLISH at QoS 0 without flags and properties, of the size that was measured.
    /// <code>
    ///   0x30, remaining length, topic (2 + n), 0 (no properties), payload
    /// </code>
    /// </summary>
    public static void WritePlainPublish(IBufferWriter<byte> output, ReadOnlySpan<byte> topicField, ReadOnlySpan<byte> payload, int size)
    {
        var destination = output.GetSpan(size);
        destination[0] = (byte)PacketType.Publish << 4;
        var position = 1 + VariableByteInteger.Write(destination[1..], (uint)(topicField.Length + 1 + payload.Length));
        topicField.CopyTo(destination[position..]);
        position += topicField.Length;
        destination[position++] = 0;
        payload.CopyTo(destination[position..]);
        output.Advance(size);
    }
}
