using System.Globalization;

namespace Trunkline.Directory;

/// <summary>Identity of one run of a proxy process: 64 random bits, written as 16 lower-case hex digits. A restart is a new node.</summary>
/// <param name="Value">The bits; 0 is no node.</param>
public readonly record struct NodeId(ulong Value)
{
    /// <summary>No node.</summary>
    public static NodeId None => default;

    /// <summary>Whether this is no node.</summary>
    public bool IsNone => Value == 0;

    /// <summary>A new identity. The caller passes the randomness; a process seeds it from the operating system.</summary>
    public static NodeId NewId(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return new NodeId((ulong)random.NextInt64(1, long.MaxValue));
    }

    /// <summary>Reads the 16 hex digits that <see cref="ToString"/> writes.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out NodeId id)
    {
        bool read = ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value) && text.Length == 16;
        id = read ? new NodeId(value) : default;
        return read;
    }

    /// <summary>16 lower-case hex digits.</summary>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
