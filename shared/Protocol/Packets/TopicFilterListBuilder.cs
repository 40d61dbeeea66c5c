namespace Trunkline.Protocol;

/// <summary>Builds the payload of an UNSUBSCRIBE in a caller's buffer.</summary>
/// <param name="buffer">Each filter takes 2 bytes and itself.</param>
public ref struct TopicFilterListBuilder(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _length;
    private int _count;

    /// <summary>What was added; a view of the buffer.</summary>
    public readonly TopicFilterList List => new(_buffer[.._length], _count);

    /// <summary>Adds a filter; false where the buffer is too small or the filter is empty or longer than 65,535 bytes.</summary>
    public bool TryAdd(ReadOnlySpan<byte> filter)
    {
        if (filter.IsEmpty || filter.Length > ushort.MaxValue || _buffer.Length - _length < sizeof(ushort) + filter.Length)
        {
            return false;
        }

        var writer = new WireWriter(_buffer[_length..]);
        writer.Bytes(filter);
        _length += writer.Position;
        _count++;
        return true;
    }
}
