namespace Trunkline.Directory;

/// <summary>The slot table as the directory keeps it: a version that only rises, and the encoded map.</summary>
/// <param name="Version">At least 1; the highest one known wins, so that a directory that went back in time cannot take it back.</param>
/// <param name="Map">The map of slots to groups as its owner encodes it (at most 1 MiB).</param>
public sealed record SlotTable(long Version, ReadOnlyMemory<byte> Map);
