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
    /// <param name="payloadLength">Bytes of the message.</param>
    public static int MeasurePlainPublish(ReadOnlySpan<byte> topicField, int payloadLength)
    {
        long remaining = (long)topicField.Length + 1 + payloadLength;
        return remaining > VariableByteInteger.MaxValue ? 0 : 1 + VariableByteInteger.SizeOf((uint)remaining) + (int)remaining;
    }

    /// <summary>
    /// Writes 5.0 PUBLISH packets at QoS 0 without flags and properties, each of the size that was measured.
    /// <code>
    ///   0x30, remaining length, topic (2 + n), 0 (no properties), payload
    /// </code>
    /// </summary>
    public static void WritePlainPublishes(IBufferWriter<byte> output, ReadOnlySpan<byte> topicField, in PlainPublishRun run, int size)
    {
        var destination = output.GetSpan(size * run.Count);
        destination[0] = (byte)PacketType.Publish << 4;
        var position = 1 + VariableByteInteger.Write(destination[1..], (uint)(topicField.Length + 1 + run.PayloadLength));
        topicField.CopyTo(destination[position..]);
        position += topicField.Length;
        destination[position++] = 0;
        if (size * run.Count == run.Frames.Length && run.Frames.StartsWith(destination[..position]))
        {
            // A device that speaks 5.0 wrote the very bytes.
            run.Frames.CopyTo(destination);
        }
        else
        {
            run[0].CopyTo(destination[position..]);
            for (var i = 1; i < run.Count; i++)
            {
                var next = destination.Slice(i * size, size);
                destination[..position].CopyTo(next);
                run[i].CopyTo(next[position..]);
            }
        }

        output.Advance(size * run.Count);
    }
}
