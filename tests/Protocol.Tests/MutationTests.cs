using System.Buffers;
using Trunkline.Protocol.Tests.Support;
using Trunkline.Protocol.Tests.Vectors;

namespace Trunkline.Protocol.Tests;

/// <summary>Seeded noise: no input throws, and what is read is written and read again as the same packet.</summary>
public sealed class MutationTests
{
    private const int Rounds = 300_000;
    private static readonly byte[] Interesting = [0x00, 0x01, 0x02, 0x03, 0x7F, 0x80, 0xFF, 0x0B, 0x26, 0xC3, 0xED, 0x10, 0x30, 0x82];

    [Fact]
    public void Mutated_frames_are_refused_or_survive_being_written()
    {
        var seed = Environment.TickCount;
        var vectors = VectorTable.Good.ToArray();
        var output = new ArrayBufferWriter<byte>();
        var read = 0;
        for (var round = 0; round < Rounds; round++)
        {
            // One generator a round: a failure names all that is needed to see it again.
            var random = new Random(unchecked(seed + round));
            var vector = vectors[random.Next(vectors.Length)];
            var bytes = Mutate(vector.Bytes, random);
            try
            {
                read += Survives(bytes, vector, output) ? 1 : 0;
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException(
                    $"seed {seed + round}, {vector.Version} from {vector.Sender}: {Convert.ToHexString(bytes)}: {exception.Message}", exception);
            }
        }

        // Were nothing ever read, the test would prove little.
        Assert.True(read > Rounds / 50, $"only {read} mutated frames were read, seed {seed}");
    }

    private static bool Survives(byte[] bytes, Vector vector, ArrayBufferWriter<byte> output)
    {
        var status = FrameReader.TryRead(bytes, 0, vector.Version, out var frame, out _);
        if (status != FrameStatus.Complete)
        {
            return false;
        }

        output.ResetWrittenCount();
        if (!Codec.TryReadPacket(frame, vector.Version, vector.Sender, output, out var text, out _))
        {
            return false;
        }

        // A CONNECT carries its own version, whatever the vector's was.
        var version = frame.Type == PacketType.Connect ? ProtocolVersion.Mqtt50 : vector.Version;
        Assert.True(Codec.TryRead(output.WrittenSpan, version, vector.Sender, null, out var again, out var error), error.Message);
        Assert.Equal(text, again);
        return true;
    }

    private static byte[] Mutate(byte[] source, Random random)
    {
        var bytes = source.ToList();
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = Interesting[random.Next(Interesting.Length)]; break;
                case 3: bytes.Insert(at, Interesting[random.Next(Interesting.Length)]); break;
                case 4 when bytes.Count > 2: bytes.RemoveAt(at); break;
                default:
                    var length = random.Next(bytes.Count - at + 1);
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
            }
        }

        // Half of them with a header that fits, so that the packet parsers see most of the noise.
        if (random.Next(2) == 0 && bytes.Count is > 2 and < 130)
        {
            bytes[1] = (byte)(bytes.Count - 2);
        }

        return [.. bytes];
    }
}
