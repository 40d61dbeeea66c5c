namespace Trunkline.Topics;

/// <summary>One level of the wildcard filters. 40 bytes.</summary>
internal struct FilterNode : IHashedItem
{
    /// <summary>The level's own bytes are a slice of a filter's text: of one that has this node, or of a copy.</summary>
    public byte[]? Text;
    public ushort Start;
    public ushort Length;
    public int Parent;

    /// <summary>The child for +; it is not in the table.</summary>
    public int Plus;

    /// <summary>How many children the table holds for it.</summary>
    public int Literals;

    /// <summary>The entry of the filter that ends here.</summary>
    public int Entry;

    /// <summary>The entry of the filter that ends below here with #.</summary>
    public int Rest;

    public uint Hash { get; set; }

    public int Next { get; set; }

    public readonly ReadOnlySpan<byte> Level => Text.AsSpan(Start, Length);
}
