using System.Buffers;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>Packets of a client as byte arrays.</summary>
internal static class Packets
{
    public static byte[] Connect(DeviceOptions options)
    {
        ArrayBufferWriter<byte> output = new();
        PacketWriter.WriteConnect(output, new ConnectPacket
        {
            Version = options.Version,
            CleanStart = options.CleanStart,
            KeepAliveSeconds = options.KeepAliveSeconds,
            ClientId = Encoding.UTF8.GetBytes(options.ClientId),
            ReceiveMaximum = ushort.MaxValue,
            SessionExpiryInterval = options.SessionExpirySeconds,
        });
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Publish(ProtocolVersion version, string topic, ReadOnlySpan<byte> payload, QoS qos, ushort packetId, bool retain = false)
    {
        ArrayBufferWriter<byte> output = new();
        PublishEncoder encoder = new()
        {
            Version = version,
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = payload,
            QoS = qos,
            PacketId = packetId,
            Retain = retain,
        };
        Assert.NotEqual(0, encoder.Write(output));
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Subscribe(ProtocolVersion version, string filter, QoS qos, ushort packetId)
    {
        ArrayBufferWriter<byte> output = new();
        Assert.NotEqual(0, PacketWriter.WriteSubscribe(output, version, packetId, Encoding.UTF8.GetBytes(filter), new SubscriptionOptions((byte)qos)));
        return output.WrittenSpan.ToArray();
    }
}
