namespace Trunkline.Protocol;

/// <summary>One user property: a pair of texts.</summary>
/// <param name="key">The name.</param>
/// <param name="value">The value.</param>
public readonly ref struct UserProperty(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
{
    /// <summary>The name, UTF-8.</summary>
    public ReadOnlySpan<byte> Key { get; } = key;

    /// <summary>The value, UTF-8.</summary>
    public ReadOnlySpan<byte> Value { get; } = value;
}
