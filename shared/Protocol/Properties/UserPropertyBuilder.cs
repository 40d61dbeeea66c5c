namespace Trunkline.Protocol;

/// <summary>Builds user properties for a writer in a caller's buffer, usually on the stack.</summary>
/// <param name="buffer">Each property takes 5 bytes and its texts.</param>
public ref struct UserPropertyBuilder(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;

    /// <summary>The bytes used so far.</summary>
    public int Length { get; private set; }

    /// <summary>What was added; a view of the buffer.</summary>
    public readonly UserPropertyList List => new(_buffer[..Length]);

    /// <summary>The encoded properties; a view of the buffer.</summary>
    public readonly ReadOnlySpan<byte> Block => _buffer[..Length];

    /// <summary>Adds a property; false where the buffer is too small or a text is longer than 65,535 bytes.</summary>
    public bool TryAdd(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.Length > ushort.MaxValue || value.Length > ushort.MaxValue || _buffer.Length - Length < 5 + key.Length + value.Length)
        {
            return false;
        }

        var writer = new WireWriter(_buffer[Length..]);
        writer.Byte((byte)PropertyId.UserProperty);
        writer.Bytes(key);
        writer.Bytes(value);
        Length += writer.Position;
        return true;
    }
}
