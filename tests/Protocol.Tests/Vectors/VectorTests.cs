using System.Buffers;
using System.Reflection;
using Trunkline.Clauses;
using Trunkline.Protocol.Tests.Support;

namespace Trunkline.Protocol.Tests.Vectors;

/// <summary>One table checks reading and writing, at every split point and every truncation.</summary>
public sealed class VectorTests
{
    [Fact]
    [Clause(
        Specification.Mqtt50,
        "MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-1.5.4-3", "MQTT-1.5.7-1", "MQTT-2.1.3-1", "MQTT-2.2.1-2", "MQTT-2.2.2-1",
        "MQTT-3.1.2-1", "MQTT-3.1.2-2", "MQTT-3.1.2-3", "MQTT-3.1.2-9", "MQTT-3.1.2-11", "MQTT-3.1.2-12", "MQTT-3.1.2-13",
        "MQTT-3.1.2-16", "MQTT-3.1.2-17", "MQTT-3.1.2-18", "MQTT-3.1.2-19", "MQTT-3.1.3-1", "MQTT-3.1.3-3", "MQTT-3.1.3-4",
        "MQTT-3.1.3-11", "MQTT-3.1.3-12", "MQTT-3.2.2-1", "MQTT-3.2.2-6", "MQTT-3.2.2-8", "MQTT-3.3.1-2", "MQTT-3.3.1-4",
        "MQTT-3.3.2-1", "MQTT-3.3.2-8", "MQTT-3.3.2-13", "MQTT-3.3.2-19", "MQTT-3.3.4-6", "MQTT-3.4.2-1", "MQTT-3.5.2-1",
        "MQTT-3.6.1-1", "MQTT-3.6.2-1", "MQTT-3.7.2-1", "MQTT-3.8.1-1", "MQTT-3.8.3-1", "MQTT-3.8.3-2", "MQTT-3.8.3-5",
        "MQTT-3.9.3-2", "MQTT-3.10.1-1", "MQTT-3.10.3-1", "MQTT-3.10.3-2", "MQTT-3.11.3-2", "MQTT-3.14.1-1", "MQTT-3.14.2-1",
        "MQTT-3.14.2-2", "MQTT-3.15.1-1", "MQTT-3.15.2-1", "MQTT-4.7.3-1", "MQTT-4.7.3-2")]
    [Clause(
        Specification.Mqtt311,
        "MQTT-1.5.3-1", "MQTT-1.5.3-2", "MQTT-1.5.3-3", "MQTT-2.2.2-1", "MQTT-2.2.2-2", "MQTT-2.3.1-1", "MQTT-2.3.1-5",
        "MQTT-3.1.2-1", "MQTT-3.1.2-2", "MQTT-3.1.2-3", "MQTT-3.1.2-9", "MQTT-3.1.2-11", "MQTT-3.1.2-13", "MQTT-3.1.2-14",
        "MQTT-3.1.2-15", "MQTT-3.1.2-18", "MQTT-3.1.2-19", "MQTT-3.1.2-20", "MQTT-3.1.2-21", "MQTT-3.1.2-22", "MQTT-3.1.3-1",
        "MQTT-3.1.3-3", "MQTT-3.1.3-4", "MQTT-3.1.3-10", "MQTT-3.1.3-11", "MQTT-3.2.2-4", "MQTT-3.3.1-2", "MQTT-3.3.1-4",
        "MQTT-3.3.2-1", "MQTT-3.6.1-1", "MQTT-3.8.1-1", "MQTT-3.8.3-1", "MQTT-3.8.3-3", "MQTT-3.8.3-4", "MQTT-3.9.3-2",
        "MQTT-3.10.1-1", "MQTT-3.10.3-1", "MQTT-3.10.3-2", "MQTT-3.14.1-1", "MQTT-4.7.3-1", "MQTT-4.7.3-2")]
    public void Each_vector_reads_as_the_table_says()
    {
        Each(VectorTable.All, vector =>
        {
            var ok = Codec.TryRead(vector.Bytes, vector.Version, vector.Sender, null, out var text, out var error);
            Assert.Equal(vector.Description, ok ? text : NameOf(error));
            Assert.Equal(!vector.IsError, ok);
        });
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-1.5.5-1", "MQTT-2.1.3-1", "MQTT-2.2.1-2", "MQTT-2.2.2-1")]
    [Clause(Specification.Mqtt311, "MQTT-2.2.2-1", "MQTT-2.3.1-5")]
    public void Each_packet_that_is_read_is_written_as_the_same_packet_and_mostly_the_same_bytes()
    {
        Each(VectorTable.Good, vector =>
        {
            var output = new ArrayBufferWriter<byte>();
            Assert.True(Codec.TryRead(vector.Bytes, vector.Version, vector.Sender, output, out _, out _));
            if (vector.IsWrittenAlike)
            {
                Assert.Equal(Convert.ToHexString(vector.Bytes), Convert.ToHexString(output.WrittenSpan));
            }

            Assert.True(Codec.TryRead(output.WrittenSpan, vector.Version, vector.Sender, null, out var again, out var error), error.Message);
            Assert.Equal(vector.Description, again);
        });
    }

    [Fact]
    public void Each_prefix_needs_more_and_the_whole_is_complete_with_bytes_behind_it()
    {
        Each(VectorTable.Good, vector =>
        {
            byte[] followed = [.. vector.Bytes, 0xFF, 0xFF];
            for (var length = 0; length < vector.Bytes.Length; length++)
            {
                Assert.Equal(FrameStatus.NeedMore, FrameReader.TryRead(followed.AsSpan(0, length), 0, vector.Version, out _, out var none));
                Assert.Equal(default, none);
            }

            Assert.Equal(FrameStatus.Complete, FrameReader.TryRead(followed, 0, vector.Version, out var frame, out _));
            Assert.Equal(vector.Bytes.Length, frame.TotalLength);
            Assert.True(Codec.TryReadPacket(frame, vector.Version, vector.Sender, null, out var text, out _));
            Assert.Equal(vector.Description, text);
        });
    }

    [Fact]
    public void Each_truncated_body_is_an_error_or_another_whole_packet_and_nothing_behind_it_is_read()
    {
        Each(VectorTable.Good, vector =>
        {
            FrameReader.TryRead(vector.Bytes, 0, vector.Version, out var frame, out _);
            var body = frame.Body.ToArray();
            for (var length = 0; length < body.Length; length++)
            {
                // What lies behind the body differs; what is read must not.
                var (okWithZeros, textWithZeros) = ReadBody(vector, body.AsSpan(0, length), 0x00);
                var (ok, text) = ReadBody(vector, body.AsSpan(0, length), 0xFF);
                Assert.Equal((okWithZeros, textWithZeros), (ok, text));
                Assert.True(!ok || MayBeShorter(vector, frame.Type, length), $"{length} of {body.Length} bytes read as {text}");
            }
        });
    }

    [Fact]
    public void Each_error_but_the_frame_readers_own_is_held_by_a_vector()
    {
        string[] heldElsewhere =
        [
            nameof(ProtocolErrors.RemainingLengthTooLong), nameof(ProtocolErrors.VariableByteIntegerNotMinimal), nameof(ProtocolErrors.PacketTooLarge),
        ];
        var held = VectorTable.All.Where(vector => vector.IsError).Select(vector => vector.Description).Concat(heldElsewhere).Order().Distinct();
        Assert.Equal(Errors().Select(field => field.Name).Order(), held);
    }

    [Fact]
    public void Each_error_names_a_failure_a_clause_and_a_reason_of_its_own()
    {
        var errors = Errors().Select(field => (ProtocolError)field.GetValue(null)!).ToList();
        Assert.All(errors, error => Assert.True(ReasonCodes.IsError(error.Code) && error.Clause.Length > 0 && error.Message.Length > 0));
        Assert.Equal(errors.Count, errors.Select(error => error.Message).Distinct().Count());
    }

    internal static string NameOf(ProtocolError error) => Errors().Single(field => error.Equals(field.GetValue(null))).Name;

    private static FieldInfo[] Errors() => typeof(ProtocolErrors).GetFields(BindingFlags.Public | BindingFlags.Static);

    private static (bool Ok, string Text) ReadBody(Vector vector, ReadOnlySpan<byte> body, byte poison)
    {
        Span<byte> length = stackalloc byte[4];
        byte[] bytes = [vector.Bytes[0], .. length[..VariableByteInteger.Write(length, (uint)body.Length)], .. body, .. Enumerable.Repeat(poison, 64)];
        var ok = Codec.TryRead(bytes, vector.Version, vector.Sender, null, out var text, out var error);
        return (ok, ok ? text : NameOf(error));
    }

    /// <summary>Where the protocol lets a packet end early: payloads, lists, and what may be left out.</summary>
    private static bool MayBeShorter(Vector vector, PacketType type, int length) => type switch
    {
        PacketType.Publish or PacketType.Subscribe or PacketType.Unsubscribe or PacketType.SubAck or PacketType.UnsubAck => true,
        PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp => length is 2 or 3,
        PacketType.Disconnect => length is 0 or 1,
        PacketType.Auth => length == 0,
        PacketType.Connect => vector.Version == ProtocolVersion.Mqtt31,
        _ => false,
    };

    private static void Each(IEnumerable<Vector> vectors, Action<Vector> check)
    {
        foreach (var vector in vectors)
        {
            try
            {
                check(vector);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"{vector.Version} from {vector.Sender}: {vector.Source}: {exception.Message}", exception);
            }
        }
    }
}
