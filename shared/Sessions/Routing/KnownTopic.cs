namespace Trunkline.Sessions;

/// <summary>
/// The topic of the last QoS 0 message of a loop: a burst of one device names it again and again, and what was judged and
/// looked up for its bytes once holds for the next ones. Loop thread only.
/// </summary>
public sealed class KnownTopic
{
    // Longer topics are judged each time. One is kept for a loop, so that an idle device holds nothing.
    private const int MaximumBytes = 256;

    private readonly byte[] _field = new byte[MaximumBytes];
    private int _length;

    /// <summary>The topic as it stands in a PUBLISH: two bytes of length, then the name; empty for none.</summary>
    public ReadOnlySpan<byte> Field => _field.AsSpan(0, _length);

    /// <summary>The name, validated.</summary>
    public ReadOnlySpan<byte> Name => Field[sizeof(ushort)..];

    /// <summary>What the router found for it; the router's own, null again whenever the topic changes.</summary>
    public object? Route { get; set; }

    /// <summary>Whether a PUBLISH begins with this topic.</summary>
    internal bool Begins(ReadOnlySpan<byte> body) => _length != 0 && body.StartsWith(Field);

    /// <summary>Keeps a topic that was found valid, with its length in front.</summary>
    internal void Remember(ReadOnlySpan<byte> field)
    {
        Route = null;
        _length = field.Length <= MaximumBytes ? field.Length : 0;
        field[.._length].CopyTo(_field);
    }
}
