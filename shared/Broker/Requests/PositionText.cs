using System.Buffers.Text;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>Positions in the lines of a request, separated by spaces: <c>term:offset</c>, then <c>offset</c> alone for others of the same term.</summary>
internal static class PositionText
{
    /// <summary>Reads one of them.</summary>
    /// <param name="text">The position.</param>
    /// <param name="term">The term of the one before; 0 before the first.</param>
    /// <param name="position">What it says.</param>
    public static bool TryRead(ReadOnlySpan<byte> text, ref ulong term, out LogPosition position)
    {
        int colon = text.IndexOf((byte)':');
        position = default;
        if (colon >= 0 && (!Utf8Parser.TryParse(text[..colon], out term, out int length) || length != colon))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = text[(colon + 1)..];
        bool isRight = Utf8Parser.TryParse(rest, out ulong offset, out int used) && used == rest.Length && term > 0;
        position = new LogPosition(term, offset);
        return isRight;
    }
}
