using System.Buffers;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>Packets of every kind a client sends, each changed a little: by structure (lengths, flags) or at random.</summary>
public sealed class PacketMutations(int seed)
{
    private static readonly byte[][] Originals = MakeOriginals();
    private readonly Random _random = new(seed);

    /// <summary>The next packet; with the same seed the same ones come.</summary>
    public byte[] Next()
    {
        byte[] packet = [.. Originals[_random.Next(Originals.Length)]];
        switch (_random.Next(5))
        {
            case 0:
                // A packet whose header tells the truth about a body that was cut.
                int cut = _random.Next(2, packet.Length + 1);
                packet = packet[..cut];
                packet[1] = (byte)(cut - 2);
                return packet;
            case 1:
                packet[0] ^= (byte)(1 << _random.Next(8));
                return packet;
            case 2:
                packet[1] = (byte)_random.Next(256);
                return packet;
            case 3:
                for (int n = _random.Next(1, 6); n > 0; n--)
                {
                    packet[_random.Next(packet.Length)] = (byte)_random.Next(256);
                }

                return packet;
            default:
                byte[] noise = new byte[_random.Next(1, 200)];
                _random.NextBytes(noise);
                return [.. packet, .. noise];
        }
    }

    private static byte[][] MakeOriginals()
    {
        const ProtocolVersion version = ProtocolVersion.Mqtt50;
        List<byte[]> packets =
        [
            Packets.Connect(new DeviceOptions { ClientId = "again" }),
            Packets.Publish(version, "mutant/a", "payload"u8, QoS.AtMostOnce, 0),
            Packets.Publish(version, "mutant/b", "payload"u8, QoS.AtLeastOnce, 7),
            Packets.Publish(version, "mutant/c", "payload"u8, QoS.ExactlyOnce, 8),
            Packets.Publish(version, "mutant/d", "payload"u8, QoS.AtLeastOnce, 9, retain: true),
            Packets.Subscribe(version, "mutant/+/e", QoS.AtLeastOnce, 10),
            Packets.Subscribe(version, "$share/mutants/mutant/#", QoS.ExactlyOnce, 11),
        ];
        Add(output => PacketWriter.WriteUnsubscribe(output, version, 12, "mutant/#"u8));
        Add(output => PacketWriter.WritePubAck(output, version, 1));
        Add(output => PacketWriter.WritePubRec(output, version, 1));
        Add(output => PacketWriter.WritePubRel(output, version, 8));
        Add(output => PacketWriter.WritePubComp(output, version, 1));
        Add(output => PacketWriter.WritePingReq(output));
        Add(output => PacketWriter.WriteDisconnect(output, version, new DisconnectPacket
        {
            ReasonCode = ReasonCode.DisconnectWithWillMessage,
            ReasonString = Encoding.UTF8.GetBytes("mutant"),
        }));
        return [.. packets];

        void Add(Func<ArrayBufferWriter<byte>, int> write)
        {
            ArrayBufferWriter<byte> output = new();
            Assert.NotEqual(0, write(output));
            packets.Add(output.WrittenSpan.ToArray());
        }
    }
}
