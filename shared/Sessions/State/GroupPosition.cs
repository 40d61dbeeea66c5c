namespace Trunkline.Sessions;

/// <summary>A position in the log of one group.</summary>
/// <param name="Group">The group's number in the tier's shape, from 0.</param>
/// <param name="Position">The place in its log.</param>
public readonly record struct GroupPosition(int Group, LogPosition Position);
