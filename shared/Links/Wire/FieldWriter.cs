using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>Names the fields of a <c>tl</c> property that a link writes, in a caller's buffer of at least <see cref="MaximumBytes"/>.</summary>
internal ref struct FieldWriter(Span<byte> buffer)
{
    /// <summary>Bytes all fields of a message take at most.</summary>
    public const int MaximumBytes = 160;

    private LinkText _text = new(buffer);

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Text => _text.Value;

    /// <summary>The number of a message; goes first, so that it can be found and patched.</summary>
    public void Number(ulong number) => _text.Number('n', number);

    public void OriginalQoS2() => _text.Number('q', 2);

    /// <summary>It waited longer than a backlog may, and goes without what it says.</summary>
    public void Aged() => _text.Flag('a');

    public void Retain() => _text.Flag('r');

    public void Origin(ulong origin) => _text.Origin(origin);

    /// <summary>The identity under which the log takes the message once.</summary>
    public void Message(in MessageId id) => _text.Message(id);

    /// <summary>The message is in the group's log beside the broker.</summary>
    public void Logged() => _text.Flag('g');

    public void Position(LogPosition position) => _text.Position(position);
}
