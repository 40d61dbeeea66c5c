namespace Trunkline.Protocol;

/// <summary>The variable byte integer of MQTT: seven bits a byte, lowest first, at most four bytes.</summary>
public static class VariableByteInteger
{
    /// <summary>The greatest value that can be written.</summary>
    public const uint MaxValue = 268_435_455;

    /// <summary>The bytes that <paramref name="value"/> takes, 1 to 4; values above <see cref="MaxValue"/> cannot be written.</summary>
    public static int SizeOf(uint value) => value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;

    /// <summary>Writes <paramref name="value"/> in its shortest form ([MQTT-1.5.5-1]) and returns the bytes written.</summary>
    public static int Write(Span<byte> destination, uint value)
    {
        var position = 0;
        while (value >= 0x80)
        {
            destination[position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[position++] = (byte)value;
        return position;
    }

    /// <summary>Reads a value. False where the bytes are cut off, have more than four bytes, or are not the shortest form.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out uint value, out int length)
    {
        if (source.Length > 0 && source[0] < 0x80)
        {
            value = source[0];
            length = 1;
            return true;
        }

        return TryReadLong(source, out value, out length);
    }

    private static bool TryReadLong(ReadOnlySpan<byte> source, out uint value, out int length)
    {
        value = 0;
        for (length = 0; length < 4 && length < source.Length;)
        {
            uint current = source[length];
            value |= (current & 0x7F) << (7 * length);
            length++;
            if (current < 0x80)
            {
                return length == 1 || current != 0;
            }
        }

        return false;
    }
}
