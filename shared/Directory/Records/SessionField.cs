namespace Trunkline.Directory;

/// <summary>One named field of a stored session. What its bytes mean is the session's matter; the directory keeps them.</summary>
/// <param name="Name">"m", "p" or "w", or a letter, a colon and more ("f:filter"): other names are the directory's own.</param>
/// <param name="Value">The bytes; not changed by anybody while a call that carries them is under way.</param>
public readonly record struct SessionField(string Name, ReadOnlyMemory<byte> Value)
{
    /// <summary>Meta: its first byte is the schema version of the record; see <see cref="ClaimRequest.KnownVersion"/>.</summary>
    public const string Meta = "m";

    /// <summary>Positions in the groups' logs.</summary>
    public const string Positions = "p";

    /// <summary>The will: a change that sets it gives <see cref="SessionChange.WillDelaySeconds"/> too.</summary>
    public const string Will = "w";

    /// <summary>Whether a field may have this name.</summary>
    public static bool IsName(string? name) => name is Meta or Positions or Will || (name is { Length: >= 2 } && name[1] == ':');
}
