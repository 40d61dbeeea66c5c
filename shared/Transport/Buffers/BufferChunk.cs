namespace Trunkline.Transports;

/// <summary>
/// A piece of buffer memory and its link in a chain; belongs to one loop at a time.
/// <code>
/// | used up | Written span | Free span |
/// 0         Start          End         Capacity
/// </code>
/// </summary>
public sealed class BufferChunk
{
    internal BufferChunk(byte[] array, bool isPinned)
    {
        Array = array;
        IsPinned = isPinned;
    }

    /// <summary>The memory; pooled sizes are pinned for good, larger ones are not.</summary>
    public byte[] Array { get; }

    /// <summary>Whether the array's address never changes.</summary>
    public bool IsPinned { get; }

    /// <summary>First byte not used up yet.</summary>
    public int Start { get; set; }

    /// <summary>End of what was written.</summary>
    public int End { get; set; }

    /// <summary>The next chunk of the chain.</summary>
    public BufferChunk? Next { get; set; }

    /// <summary>Size in bytes.</summary>
    public int Capacity => Array.Length;

    /// <summary>Bytes written and not used up.</summary>
    public int Length => End - Start;

    /// <summary>What was written and not used up.</summary>
    public Span<byte> Written => Array.AsSpan(Start, End - Start);

    /// <summary>Room behind it.</summary>
    public Span<byte> Free => Array.AsSpan(End);

    /// <summary>Appends bytes; they must fit.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Free);
        End += bytes.Length;
    }
}
