namespace Trunkline.Directory;

/// <summary>What decides which group a topic belongs to; every node of a tier must agree, the first one writes it down.</summary>
/// <param name="KeyLevels">Sharding:KeyLevels, 0 for the whole topic.</param>
/// <param name="Groups">
/// Ids of the groups in the order of their numbers: the slot table names groups by number, so the same groups in another order
/// would send topics elsewhere.
/// </param>
public sealed record TierShape(int KeyLevels, IReadOnlyList<string> Groups);
