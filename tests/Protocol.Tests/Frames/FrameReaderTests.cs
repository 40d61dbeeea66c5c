using Trunkline.Clauses;
using Trunkline.Protocol.Tests.Support;
using Trunkline.Protocol.Tests.Vectors;

namespace Trunkline.Protocol.Tests.Frames;

public sealed class FrameReaderTests
{
    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-2.1.3-1", "MQTT-3.3.1-2", "MQTT-3.3.1-4", "MQTT-3.6.1-1", "MQTT-3.8.1-1", "MQTT-3.10.1-1", "MQTT-3.14.1-1", "MQTT-3.15.1-1")]
    [Clause(Specification.Mqtt311, "MQTT-2.2.2-1", "MQTT-2.2.2-2", "MQTT-3.3.1-2", "MQTT-3.3.1-4", "MQTT-3.6.1-1", "MQTT-3.8.1-1", "MQTT-3.10.1-1", "MQTT-3.14.1-1")]
    public void Every_first_byte_is_judged_before_anything_else_arrives()
    {
        foreach (var version in Enum.GetValues<ProtocolVersion>())
        {
            for (var first = 0; first <= 0xFF; first++)
            {
                var status = FrameReader.TryRead([(byte)first], 0, version, out _, out var error);
                var isAllowed = IsAllowed(first >> 4, first & 0xF, version);
                Assert.Equal(isAllowed ? FrameStatus.NeedMore : FrameStatus.Malformed, status);
                Assert.Equal(isAllowed, error == default);
            }
        }
    }

    [Theory]
    [InlineData("30 00", 0, 2)]
    [InlineData("30 7F", 127, 2)]
    [InlineData("30 80 01", 128, 3)]
    [InlineData("30 FF 7F", 16_383, 3)]
    [InlineData("30 80 80 01", 16_384, 4)]
    [InlineData("30 FF FF 7F", 2_097_151, 4)]
    [InlineData("30 80 80 80 01", 2_097_152, 5)]
    public void Remaining_length_has_one_to_four_bytes(string header, int remaining, int headerSize)
    {
        var buffer = new byte[headerSize + remaining];
        Assembler.Assemble(header).CopyTo(buffer, 0);
        Assert.Equal(FrameStatus.Complete, FrameReader.TryRead(buffer, 0, out var frame, out _));
        Assert.Equal(remaining, frame.Body.Length);
        Assert.Equal(buffer.Length, frame.TotalLength);
        Assert.Equal(PacketType.Publish, frame.Type);
        Assert.Equal(0, frame.Flags);
        Assert.Equal(FrameStatus.NeedMore, FrameReader.TryRead(buffer.AsSpan(0, buffer.Length - 1), 0, out _, out _));
    }

    [Fact]
    public void A_fifth_length_byte_is_malformed()
    {
        byte[] header = [0x30, 0xFF, 0xFF, 0xFF, 0xFF];
        Assert.Equal(FrameStatus.NeedMore, FrameReader.TryRead(header.AsSpan(0, 4), 0, out _, out _));
        Assert.Equal(FrameStatus.Malformed, FrameReader.TryRead(header, 0, out _, out var error));
        Assert.Equal(ProtocolErrors.RemainingLengthTooLong, error);
    }

    [Theory]
    [InlineData("C0 80 00")]
    [InlineData("C0 80 80 00")]
    [InlineData("C0 80 80 80 00")]
    [Clause(Specification.Mqtt50, "MQTT-1.5.5-1")]
    public void A_length_that_is_not_the_shortest_is_malformed_in_5_and_read_before(string packet)
    {
        var bytes = Assembler.Assemble(packet);
        Assert.Equal(FrameStatus.Malformed, FrameReader.TryRead(bytes, 0, out _, out var error));
        Assert.Equal(ProtocolErrors.VariableByteIntegerNotMinimal, error);
        Assert.Equal(FrameStatus.Complete, FrameReader.TryRead(bytes, 0, ProtocolVersion.Mqtt311, out var frame, out _));
        Assert.Equal(bytes.Length, frame.TotalLength);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.2.2-15")]
    public void The_limit_counts_header_and_body_and_is_judged_by_the_header_alone()
    {
        byte[] header = [0x30, 0x80, 0x01];
        Assert.Equal(FrameStatus.NeedMore, FrameReader.TryRead(header, 131, out _, out _));
        Assert.Equal(FrameStatus.TooLarge, FrameReader.TryRead(header, 130, out _, out var error));
        Assert.Equal(ProtocolErrors.PacketTooLarge, error);
        Assert.Equal(FrameStatus.NeedMore, FrameReader.TryRead([0x30, 0xFF, 0xFF, 0xFF, 0x7F], 0, out _, out _));
        Assert.Equal(FrameStatus.TooLarge, FrameReader.TryRead([0x30, 0xFF, 0xFF, 0xFF, 0x7F], 268_435_459, out _, out _));
        Assert.Equal(FrameStatus.NeedMore, FrameReader.TryRead([0x30, 0xFF, 0xFF, 0xFF, 0x7F], 268_435_460, out _, out _));
    }

    [Fact]
    public void Packets_back_to_back_are_read_one_after_the_other_at_any_split()
    {
        var vectors = VectorTable.Good.Where(vector => vector is { Version: ProtocolVersion.Mqtt50 }).ToList();
        var stream = vectors.SelectMany(vector => vector.Bytes).ToArray();
        foreach (var step in new[] { 1, 2, 3, 7, 64, 1000, stream.Length })
        {
            var start = 0;
            var next = 0;
            for (var end = 0; end <= stream.Length + step; end += step)
            {
                var available = Math.Min(end, stream.Length);
                while (FrameReader.TryRead(stream.AsSpan(start, available - start), 0, out var frame, out _) == FrameStatus.Complete)
                {
                    Assert.True(Codec.TryReadPacket(frame, ProtocolVersion.Mqtt50, vectors[next].Sender, null, out var text, out _));
                    Assert.Equal(vectors[next++].Description, text);
                    start += frame.TotalLength;
                }
            }

            Assert.Equal(vectors.Count, next);
        }
    }

    private static bool IsAllowed(int type, int flags, ProtocolVersion version) => type switch
    {
        0 => false,
        3 => flags is 0 or 1 or 2 or 3 or 4 or 5 or 10 or 11 or 12 or 13,
        6 or 8 or 10 => flags == 2 || (flags == 10 && version == ProtocolVersion.Mqtt31),
        15 => flags == 0 && version == ProtocolVersion.Mqtt50,
        _ => flags == 0,
    };
}
