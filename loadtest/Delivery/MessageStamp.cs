using System.Buffers.Binary;

namespace Trunkline.Loadtest;

/// <summary>
/// The first bytes of every payload: whose message it is, its place in that publisher's order, and when it was due.
/// <code>
/// | run 4 | publisher 4 | sequence 4 | due, ns of the monotonic clock 8 | filler ...      little endian
/// </code>
/// </summary>
/// <param name="Run">Names the run: messages of another one are foreign.</param>
/// <param name="Publisher">Number of the publisher, from 0.</param>
/// <param name="Sequence">Number of the message, from 0.</param>
/// <param name="DueNs">When the rate wanted it sent, which is what latency is measured from.</param>
internal readonly record struct MessageStamp(uint Run, uint Publisher, uint Sequence, long DueNs)
{
    /// <summary>Bytes it takes.</summary>
    public const int Length = 20;

    /// <summary>Writes it over the start of a payload.</summary>
    public void Write(Span<byte> payload)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(payload, Run);
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], Publisher);
        BinaryPrimitives.WriteUInt32LittleEndian(payload[8..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(payload[12..], DueNs);
    }

    /// <summary>Reads it; false when the payload is too short to be ours.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out MessageStamp stamp)
    {
        if (payload.Length < Length)
        {
            stamp = default;
            return false;
        }

        stamp = new MessageStamp(
            BinaryPrimitives.ReadUInt32LittleEndian(payload),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(payload[12..]));
        return true;
    }
}
