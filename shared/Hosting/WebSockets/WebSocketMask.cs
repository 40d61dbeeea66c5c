using System.Numerics;
using System.Runtime.InteropServices;

namespace Trunkline.Hosting;

/// <summary>Takes a client's mask off.</summary>
internal static class WebSocketMask
{
    /// <summary>Unmasks <paramref name="source"/> into <paramref name="destination"/>; <paramref name="offset"/> is the payload's position modulo 4.</summary>
    public static void Apply(ReadOnlySpan<byte> source, Span<byte> destination, uint mask, int offset)
    {
        // The key as it stands from this position on, in memory order.
        uint key = BitConverter.IsLittleEndian
            ? BitOperations.RotateRight(mask, 8 * (offset & 3))
            : BitOperations.RotateLeft(mask, 8 * (offset & 3));
        int i = 0;
        if (Vector.IsHardwareAccelerated && source.Length >= Vector<byte>.Count)
        {
            Vector<byte> keys = Vector.AsVectorByte(new Vector<uint>(key));
            for (; i <= source.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            {
                (new Vector<byte>(source[i..]) ^ keys).CopyTo(destination[i..]);
            }
        }

        Span<byte> bytes = stackalloc byte[4];
        MemoryMarshal.Write(bytes, in key);
        for (; i < source.Length; i++)
        {
            destination[i] = (byte)(source[i] ^ bytes[i & 3]);
        }
    }
}
