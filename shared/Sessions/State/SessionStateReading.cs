namespace Trunkline.Sessions;

/// <summary>What could be read of a stored session, and what could not.</summary>
/// <param name="State">Everything that could be read.</param>
/// <param name="Damage">The fields that were set aside, each with the reason.</param>
/// <param name="IsWhole">
/// Whether a device may be told that its session is present: filters, positions and meta data are all sound. Otherwise a
/// filter may be missing, and a device that is not told would be deaf on it for ever; it gets a new session.
/// </param>
public sealed record SessionStateReading(SessionState State, IReadOnlyList<FieldDamage> Damage, bool IsWhole);

/// <summary>A stored field that was not read.</summary>
/// <param name="Name">The field's name.</param>
/// <param name="Kind">Why not.</param>
public readonly record struct FieldDamage(string Name, FieldDamageKind Kind);

/// <summary>Why a stored field was not read.</summary>
public enum FieldDamageKind : byte
{
    /// <summary>Its bytes are not what any version of ours writes.</summary>
    Damaged,

    /// <summary>It was written by a newer version.</summary>
    Newer,

    /// <summary>Its name means nothing to this version.</summary>
    Unknown,
}
