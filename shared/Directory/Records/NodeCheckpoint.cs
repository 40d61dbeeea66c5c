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
}
