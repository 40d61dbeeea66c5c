using System.Buffers.Text;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>
/// What the user property <c>tl</c> says: ASCII fields separated by <c>;</c>, each a letter and its value. Unknown letters
/// are passed over, so that a newer broker can say more. Spans live as long as the packet.
/// </summary>
internal readonly ref struct TrunklineFields
{
    private TrunklineFields(ReadOnlySpan<byte> text)
    {
        foreach (Range range in text.Split((byte)';'))
        {
            ReadOnlySpan<byte> field = text[range];
            if (field.IsEmpty)
            {
                continue;
            }

            ReadOnlySpan<byte> value = field[1..];
            switch (field[0])
            {
                case (byte)'v': Version = Number(value); break;
                case (byte)'t': Term = Number(value); break;
                case (byte)'i': Incarnation = value; break;
                case (byte)'q': OriginalQoS = (int)Number(value); break;
                case (byte)'r': Retain = true; break;
                case (byte)'g': IsLogged = true; break;
                case (byte)'h': IsHandout = true; break;
                case (byte)'o': Origin = Hex(value); break;
                case (byte)'p': Position = ParsePosition(value); break;
                case (byte)'x': LostPosition = ParsePosition(value); break;
                case (byte)'u': NewerUpTo = ParsePosition(value); break;
                case (byte)'s': RetainedSequence = Number(value); break;
                case (byte)'a': (IsAged, Aged) = (true, Number(value)); break;
                case (byte)'k': Skipped = Number(value); break;
                case (byte)'l': Left = Number(value); break;
                case (byte)'c': Cursor = value; break;
                case (byte)'e': Error = value; break;
            }
        }
    }

    public ulong Version { get; }

    public ulong Term { get; }

    public ReadOnlySpan<byte> Incarnation { get; }

    /// <summary>The QoS it was published with, or 0 when it is the packet's own.</summary>
    public int OriginalQoS { get; }

    public bool Retain { get; }

    /// <summary>Whether a share hands it to this node: out of the log's order, to be reported on.</summary>
    public bool IsHandout { get; }

    public ulong Origin { get; }

    /// <summary>Whether the log beside a foreign broker has it: it came through the tier at QoS 1 or 2.</summary>
    public bool IsLogged { get; }

    public LogPosition Position { get; }

    /// <summary>Of a retained message: its place in the log, which does not have it any more.</summary>
    public LogPosition LostPosition { get; }

    /// <summary>Of a page of retained messages: those it leaves out, because they are newer than the first page, lie up to here.</summary>
    public LogPosition NewerUpTo { get; }

    public ulong RetainedSequence { get; }

    /// <summary>Whether the message is older than was asked for; it comes without what it says.</summary>
    public bool IsAged { get; }

    /// <summary>Matching messages passed over because they are older than was asked for.</summary>
    public ulong Aged { get; }

    /// <summary>Matching messages passed over.</summary>
    public ulong Skipped { get; }

    /// <summary>Messages left behind a page, or matching ones left by a count.</summary>
    public ulong Left { get; }

    /// <summary>Where the next page begins; empty at the end.</summary>
    public ReadOnlySpan<byte> Cursor { get; }

    public ReadOnlySpan<byte> Error { get; }

    public static TrunklineFields Parse(ReadOnlySpan<byte> text) => new(text);

    /// <summary>Reads <c>term:offset</c>; <see cref="LogPosition.None"/> when it is not one.</summary>
    public static LogPosition ParsePosition(ReadOnlySpan<byte> text)
    {
        int colon = text.IndexOf((byte)':');
        return colon > 0 ? new LogPosition(Number(text[..colon]), Number(text[(colon + 1)..])) : LogPosition.None;
    }

    private static ulong Number(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text, out ulong value, out int used) && used == text.Length ? value : 0;

    private static ulong Hex(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text, out ulong value, out int used, 'x') && used == text.Length ? value : 0;
}
