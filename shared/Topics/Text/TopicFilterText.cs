using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Topics;

/// <summary>
/// A checked topic filter to keep: one reference to immutable UTF-8 bytes. A byte array costs 24 + n bytes where a
/// string costs 22 + 2n, it is compared with what arrives without transcoding, and since this value is only the
/// reference, the index, the upstream filter and every session that holds the filter can share one array
/// (<see cref="FilterIndex{T}.TryGetText"/>). Where the share name ends is found again when asked for: that is rare
/// and costs less than storing it 200,000 times. Any thread.
/// </summary>
public readonly struct TopicFilterText : IEquatable<TopicFilterText>
{
    private readonly byte[]? _utf8;

    internal TopicFilterText(byte[] utf8) => _utf8 = utf8;

    /// <summary>The value of <c>default</c>: no filter.</summary>
    public bool IsEmpty => _utf8 is null;

    /// <summary>The whole filter as sent.</summary>
    public ReadOnlySpan<byte> Text => _utf8;

    /// <summary>The whole filter as memory, for writers that outlive the call.</summary>
    public ReadOnlyMemory<byte> Memory => _utf8;

    /// <summary>Whether it is <c>$share/name/filter</c>.</summary>
    public bool IsShared => Parts.IsShared;

    /// <summary>The share name; empty when not shared.</summary>
    public ReadOnlySpan<byte> ShareName => Parts.ShareName;

    /// <summary>What topics are matched against: the text without <c>$share/name/</c>.</summary>
    public ReadOnlySpan<byte> Filter => Parts.Filter;

    /// <summary>Whether + or # is in <see cref="Filter"/>.</summary>
    public bool HasWildcard => Parts.HasWildcard;

    /// <summary>All parts at once.</summary>
    public ParsedFilter Parts => ParsedFilter.OfChecked(_utf8);

    internal byte[]? Array => _utf8;

    /// <summary>Checks and copies; see <see cref="ParsedFilter.TryParse"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, TopicLimits limits, out TopicFilterText text, out ProtocolError error)
    {
        bool valid = ParsedFilter.TryParse(utf8, limits, out ParsedFilter filter, out error);
        text = valid ? filter.ToText() : default;
        return valid;
    }

    /// <inheritdoc/>
    public bool Equals(TopicFilterText other) => Text.SequenceEqual(other.Text);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TopicFilterText other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)KeyHash.Of(_utf8);

    /// <summary>The text, for logs.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Text);

    /// <summary>Equality of the bytes.</summary>
    public static bool operator ==(TopicFilterText left, TopicFilterText right) => left.Equals(right);

    /// <summary>Inequality of the bytes.</summary>
    public static bool operator !=(TopicFilterText left, TopicFilterText right) => !left.Equals(right);
}
