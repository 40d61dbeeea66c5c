using Trunkline.Sessions;

namespace Trunkline.Directory;

/// <summary>
/// A node's checkpoint: up to where its sessions are done. It must hold for every session of the node that attached with
/// <see cref="AttachNumber"/> or a lower one, be it still there or let go without a written detach.
/// </summary>
/// <param name="AttachNumber">The highest attach number that is covered.</param>
/// <param name="Positions">Per group: everything up to it is done for all covered sessions but the laggards.</param>
/// <param name="Laggards">Sessions that are further behind, each with its own positions; at most <see cref="MaxLaggards"/>.</param>
public sealed record NodeCheckpoint(
    long AttachNumber, IReadOnlyList<LogPosition> Positions, IReadOnlyList<(string ClientId, IReadOnlyList<LogPosition> Positions)> Laggards)
{
    /// <summary>Laggards listed apart at most; beyond it the common positions must stay behind.</summary>
    public const int MaxLaggards = 1_000;

    /// <summary>
    /// Whether the node stops and sends its devices away: whoever takes a session from it that it gave no last word of drops
    /// the will, as it would drop one that waits.
    /// </summary>
    public bool IsLeaving { get; init; }

    /// <summary>
    /// Which of its node's checkpoints it is, from 1 on: one that comes late, behind a newer one, changes nothing. 0: not known.
    /// </summary>
    internal long Number { get; init; }

    /// <summary>The positions for one session, or null when it attached after the checkpoint: then its record alone tells.</summary>
    public IReadOnlyList<LogPosition>? PositionsOf(string clientId, long attachNumber)
    {
        if (attachNumber > AttachNumber)
        {
            return null;
        }

        foreach ((string laggard, IReadOnlyList<LogPosition> positions) in Laggards)
        {
            if (laggard == clientId)
            {
                return positions;
            }
        }

        return Positions;
    }

    /// <summary>
    /// What two checkpoints say of one session, together: each says that everything up to its positions is done, so the
    /// higher holds, group by group. The common positions of a node may lie before those that a session came with.
    /// </summary>
    public static IReadOnlyList<LogPosition>? Higher(IReadOnlyList<LogPosition>? left, IReadOnlyList<LogPosition>? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        var positions = new LogPosition[int.Max(left.Count, right.Count)];
        for (int group = 0; group < positions.Length; group++)
        {
            LogPosition one = group < left.Count ? left[group] : LogPosition.None;
            LogPosition other = group < right.Count ? right[group] : LogPosition.None;
            positions[group] = one > other ? one : other;
        }

        return positions;
    }
}
