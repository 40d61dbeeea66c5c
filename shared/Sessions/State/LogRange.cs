namespace Trunkline.Sessions;

/// <summary>A part of a group's log.</summary>
/// <param name="Group">The group's number in the tier's shape, from 0.</param>
/// <param name="After">It begins after this position.</param>
/// <param name="UpTo">It ends with this one.</param>
public readonly record struct LogRange(int Group, LogPosition After, LogPosition UpTo)
{
    /// <summary>Whether a position lies in it.</summary>
    public bool Holds(int group, LogPosition position) => group == Group && position > After && position <= UpTo;

    /// <summary>Whether the two have a position in common.</summary>
    public bool Meets(in LogRange other) => other.Group == Group && other.UpTo > After && UpTo > other.After;
}
