namespace Trunkline.Protocol;

/// <summary>Builds the payload of a SUBSCRIBE in a caller's buffer.</summary>
/// <param name="buffer">Each subscription takes 3 bytes and its filter.</param>
public ref struct SubscriptionListBuilder(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _length;
    private int _count;

    /// <summary>What was added; a view of the buffer.</summary>
    public readonly SubscriptionList List => new(_buffer[.._length], _count, ProtocolVersion.Mqtt50);

    /// <summary>Adds a subscription; false where the buffer is too small or the filter is empty or longer than 65,535 bytes.</summary>
    public bool TryAdd(ReadOnlySpan<byte> filter, SubscriptionOptions options)
    {
        if (filter.IsEmpty || filter.Length > ushort.MaxValue || _buffer.Length - _length < sizeof(ushort) + filter.Length + 1)
        {
            return false;
        }

        var writer = new WireWriter(_buffer[_length..]);
        writer.Bytes(filter);
        writer.Byte(options.Value);
        _length += writer.Position;
        _count++;
        return true;
    }
}
