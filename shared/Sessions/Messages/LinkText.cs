using System.Buffers;
using System.Buffers.Text;

namespace Trunkline.Sessions;

/// <summary>
/// Writes the fields of the user property <c>tl</c>, which proxies and our brokers speak (docs/LINK-PROTOCOL.md), into a
/// buffer of the caller's: <c>letter value;letter value</c>.
/// </summary>
/// <param name="buffer">At least <see cref="MaximumBytes"/>; texts need their length more.</param>
public ref struct LinkText(Span<byte> buffer)
{
    /// <summary>The longest value without texts: position, QoS, retain, origin, sequence.</summary>
    public const int MaximumBytes = 112;

    private readonly Span<byte> _buffer = buffer;
    private int _length;

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Value => _buffer[.._length];

    /// <summary>A position in the group's log.</summary>
    public void Position(LogPosition position) => Position('p', position);

    /// <summary>Another field with a position in the group's log.</summary>
    public void Position(char letter, LogPosition position)
    {
        Letter(letter);
        Decimal(position.Term);
        _buffer[_length++] = (byte)':';
        Decimal(position.Offset);
    }

    /// <summary>A field with a number.</summary>
    public void Number(char letter, ulong value)
    {
        Letter(letter);
        Decimal(value);
    }

    /// <summary>A field that says all by being there.</summary>
    public void Flag(char letter) => Letter(letter);

    /// <summary>The publishing session, for No Local.</summary>
    public void Origin(ulong origin)
    {
        Letter('o');
        Utf8Formatter.TryFormat(origin, _buffer[_length..], out int written, new StandardFormat('x', 16));
        _length += written;
    }

    /// <summary>A field with a text of the caller's.</summary>
    public void Text(char letter, ReadOnlySpan<byte> value)
    {
        Letter(letter);
        value.CopyTo(_buffer[_length..]);
        _length += value.Length;
    }

    /// <summary>The identity under which a log takes a message once: <c>node/link/number</c>.</summary>
    public void Message(in MessageId id)
    {
        Letter('m');
        foreach (char letter in id.Node!)
        {
            _buffer[_length++] = (byte)letter;
        }

        _buffer[_length++] = (byte)'/';
        Decimal(id.Link);
        _buffer[_length++] = (byte)'/';
        Decimal(id.Number);
    }

    /// <summary>A position as it stands alone in a payload.</summary>
    public static bool TryParsePosition(ReadOnlySpan<byte> text, out LogPosition position)
    {
        position = default;
        if (text.Length < 4 || text[0] != (byte)'p'
            || !Utf8Parser.TryParse(text[1..], out ulong term, out int termLength))
        {
            return false;
        }

        text = text[(1 + termLength)..];
        if (text.Length < 2 || text[0] != (byte)':' || !Utf8Parser.TryParse(text[1..], out ulong offset, out int offsetLength)
            || offsetLength != text.Length - 1)
        {
            return false;
        }

        position = new LogPosition(term, offset);
        return true;
    }

    private void Letter(char letter)
    {
        if (_length > 0)
        {
            _buffer[_length++] = (byte)';';
        }

        _buffer[_length++] = (byte)letter;
    }

    private void Decimal(ulong value)
    {
        Utf8Formatter.TryFormat(value, _buffer[_length..], out int written);
        _length += written;
    }
}
