using System.Buffers;
using System.Buffers.Text;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>Writes the fields of a <c>tl</c> property into a caller's buffer of at least <see cref="MaximumBytes"/>.</summary>
internal ref struct FieldWriter(Span<byte> buffer)
{
    /// <summary>Bytes all fields of a message take at most.</summary>
    public const int MaximumBytes = 160;

    private readonly Span<byte> _buffer = buffer;
    private int _length;

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Text => _buffer[.._length];

    /// <summary>The number of a message; goes first, so that it can be found and patched.</summary>
    public void Number(ulong number)
    {
        Begin('n');
        Decimal(number);
    }

    public void OriginalQoS2()
    {
        Begin('q');
        _buffer[_length++] = (byte)'2';
    }

    /// <summary>It waited longer than a backlog may, and goes without what it says.</summary>
    public void Aged() => Begin('a');

    public void Retain() => Begin('r');

    public void Origin(ulong origin)
    {
        Begin('o');
        Utf8Formatter.TryFormat(origin, _buffer[_length..], out int written, new StandardFormat('x', 16));
        _length += written;
    }

    /// <summary>The identity under which the log takes the message once.</summary>
    public void Message(in MessageId id)
    {
        Begin('m');
        foreach (char letter in id.Node!)
        {
            _buffer[_length++] = (byte)letter;
        }

        _buffer[_length++] = (byte)'/';
        Decimal(id.Link);
        _buffer[_length++] = (byte)'/';
        Decimal(id.Number);
    }

    /// <summary>The message is in the group's log beside the broker.</summary>
    public void Logged() => Begin('g');

    public void Position(LogPosition position)
    {
        Begin('p');
        Decimal(position.Term);
        _buffer[_length++] = (byte)':';
        Decimal(position.Offset);
    }

    private void Begin(char letter)
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
