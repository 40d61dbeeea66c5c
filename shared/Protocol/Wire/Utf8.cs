using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Trunkline.Protocol;

/// <summary>The rules for text in MQTT packets. Text stays UTF-8 bytes everywhere.</summary>
public static class Utf8
{
    private const ulong LowBits = 0x0101_0101_0101_0101;
    private const ulong HighBits = 0x8080_8080_8080_8080;

    /// <summary>
    /// True for well-formed UTF-8 without surrogates and without U+0000 ([MQTT-1.5.4-1], [MQTT-1.5.4-2]; 3.1.1
    /// [MQTT-1.5.3-1], [MQTT-1.5.3-2]). U+FEFF is text like any other ([MQTT-1.5.4-3]).
    /// </summary>
    public static bool IsValidMqttString(ReadOnlySpan<byte> text)
    {
        // Nearly all topics are ASCII: one pass proves "no byte is 0 and none is above 0x7F". The rest takes two.
        return IsAsciiWithoutNull(text)
            || (System.Text.Unicode.Utf8.IsValid(text) && !text.Contains((byte)0));
    }

    private static bool IsAsciiWithoutNull(ReadOnlySpan<byte> text)
    {
        var length = text.Length;
        if (length >= Vector128<byte>.Count && Vector128.IsHardwareAccelerated)
        {
            ref var start = ref MemoryMarshal.GetReference(text);
            var last = (nuint)(length - Vector128<byte>.Count);
            for (nuint i = 0; i < last; i += (nuint)Vector128<byte>.Count)
            {
                // As signed bytes 0x01..0x7F are exactly those greater than zero.
                if (!Vector128.GreaterThanAll(Vector128.LoadUnsafe(ref start, i).AsSByte(), Vector128<sbyte>.Zero))
                {
                    return false;
                }
            }

            // The last vector overlaps the one before it, so that no tail is left.
            return Vector128.GreaterThanAll(Vector128.LoadUnsafe(ref start, last).AsSByte(), Vector128<sbyte>.Zero);
        }

        while (text.Length >= sizeof(ulong))
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(text);

            // A zero byte borrows and sets its high bit; a byte of 1..0x7F does neither.
            if ((((word - LowBits) | word) & HighBits) != 0)
            {
                return false;
            }

            text = text[sizeof(ulong)..];
        }

        foreach (var value in text)
        {
            if ((sbyte)value <= 0)
            {
                return false;
            }
        }

        return true;
    }
}
