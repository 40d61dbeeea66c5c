using System.Globalization;
using System.Text;

namespace Trunkline.Protocol.Tests.Support;

/// <summary>
/// Writes packets as one reads them: hex digits are bytes, <c>[text]</c> is a text with its two length bytes,
/// <c>'text'</c> the bare characters, <c>{ ... }</c> a part with its variable byte integer length; <c>_</c> is space.
/// </summary>
internal static class Assembler
{
    public static byte[] Assemble(string source)
    {
        var position = 0;
        return Part(source, ref position, '\0');
    }

    private static byte[] Part(string source, ref int position, char end)
    {
        var bytes = new List<byte>();
        while (position < source.Length && source[position] != end)
        {
            var current = source[position++];
            switch (current)
            {
                case ' ' or '_':
                    break;
                case '[':
                    var text = Until(source, ref position, ']');
                    bytes.AddRange([(byte)(text.Length >> 8), (byte)text.Length, .. text]);
                    break;
                case '\'':
                    bytes.AddRange(Until(source, ref position, '\''));
                    break;
                case '{':
                    var part = Part(source, ref position, '}');
                    position++;
                    var length = new byte[4];
                    bytes.AddRange(length.AsSpan(0, VariableByteInteger.Write(length, (uint)part.Length)));
                    bytes.AddRange(part);
                    break;
                default:
                    bytes.Add(byte.Parse(source.AsSpan(position - 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    position++;
                    break;
            }
        }

        return [.. bytes];
    }

    private static byte[] Until(string source, ref int position, char end)
    {
        var stop = source.IndexOf(end, position);
        var text = Encoding.UTF8.GetBytes(source[position..stop]);
        position = stop + 1;
        return text;
    }
}
