using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Trunkline.Topics;

/// <summary>
/// SipHash-1-3 under a key drawn once per process: devices choose topics and filters, so a hash they can predict would
/// let them put all of theirs into one bucket. The key shows in no output and no order, so tests need no seed for it.
/// </summary>
internal static class KeyHash
{
    private static readonly ulong Key0 = Draw();
    private static readonly ulong Key1 = Draw();

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        ulong v0 = Key0 ^ 0x736f6d6570736575, v1 = Key1 ^ 0x646f72616e646f6d;
        ulong v2 = Key0 ^ 0x6c7967656e657261, v3 = Key1 ^ 0x7465646279746573;
        ulong tail = (ulong)bytes.Length << 56;
        while (bytes.Length >= sizeof(ulong))
        {
            Absorb(BinaryPrimitives.ReadUInt64LittleEndian(bytes), ref v0, ref v1, ref v2, ref v3);
            bytes = bytes[sizeof(ulong)..];
        }
        for (int i = 0; i < bytes.Length; i++)
        {
            tail |= (ulong)bytes[i] << (8 * i);
        }
        Absorb(tail, ref v0, ref v1, ref v2, ref v3);
        v2 ^= 0xff;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    /// <summary>The hash of a level below a certain node, from the level's own hash.</summary>
    public static uint OfChild(int parent, ulong level)
    {
        ulong high = Math.BigMul(level ^ Key1, ((ulong)(uint)parent * 0x9E3779B97F4A7C15) ^ Key0, out ulong low);
        return (uint)((high ^ low) >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Absorb(ulong word, ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }

    private static ulong Draw() => MemoryMarshal.Read<ulong>(RandomNumberGenerator.GetBytes(sizeof(ulong)));
}
