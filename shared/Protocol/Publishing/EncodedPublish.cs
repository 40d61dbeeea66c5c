using System.Buffers;
using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>
/// A PUBLISH encoded once for many receivers of one shape: each gets a copy in which only the packet id and DUP differ.
/// </summary>
/// <param name="Frame">The bytes; may be longer than the frame.</param>
/// <param name="Length">The bytes that belong to the frame.</param>
/// <param name="PacketIdOffset">Where the packet id stands; -1 at QoS 0.</param>
public readonly record struct EncodedPublish(byte[] Frame, int Length, int PacketIdOffset)
{
    private const byte DuplicateFlag = 0b1000;

    /// <summary>The frame, with whatever packet id it was encoded with.</summary>
    public ReadOnlySpan<byte> Bytes => Frame.AsSpan(0, Length);

    /// <summary>Copies the frame to an output; the packet id is ignored at QoS 0. Returns the bytes written.</summary>
    public int Write(IBufferWriter<byte> output, ushort packetId, bool duplicate = false) =>
        Write(output, Bytes, PacketIdOffset, packetId, duplicate);

    /// <summary>Copies a frame to an output with another packet id and DUP flag; an offset of -1 means QoS 0. Returns the bytes written.</summary>
    public static int Write(IBufferWriter<byte> output, ReadOnlySpan<byte> frame, int packetIdOffset, ushort packetId, bool duplicate = false)
    {
        var destination = output.GetSpan(frame.Length);
        frame.CopyTo(destination);
        Patch(destination, packetIdOffset, packetId, duplicate);
        output.Advance(frame.Length);
        return frame.Length;
    }

    /// <summary>Sets packet id and DUP of a frame in place; an offset of -1 means QoS 0 and changes nothing.</summary>
    public static void Patch(Span<byte> frame, int packetIdOffset, ushort packetId, bool duplicate = false)
    {
        if (packetIdOffset < 0)
        {
            return;
        }

        frame[0] = (byte)((frame[0] & ~DuplicateFlag) | (duplicate ? DuplicateFlag : 0));
        BinaryPrimitives.WriteUInt16BigEndian(frame[packetIdOffset..], packetId);
    }
}
