using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <summary>What one loop says about its sessions at one moment; made on the loop, then read by the writer alone.</summary>
internal sealed class CheckpointPart
{
    /// <summary>Per group: everything up to it is done for the loop's sessions but the laggards.</summary>
    public required LogPosition[] Positions { get; init; }

    /// <summary>Sessions further behind than the checkpoint before, each with its own positions.</summary>
    public required List<(string ClientId, IReadOnlyList<LogPosition> Positions)> Laggards { get; init; }

    /// <summary>The lowest number of an attachment that is not among the sessions yet; <see cref="long.MaxValue"/> for none.</summary>
    public required long LowestPending { get; init; }

    /// <summary>
    /// Takes the part of a loop. A session that has something undone holds the common positions back, unless it was behind
    /// already when the checkpoint before was taken: then it is listed apart, and all others move on.
    /// </summary>
    /// <param name="context">The loop's sessions.</param>
    /// <param name="before">The common positions of the checkpoint before.</param>
    /// <param name="lowestPending">See <see cref="LowestPending"/>.</param>
    /// <param name="ghosts">Claims made here that no session stands for: of them nothing is known to be done.</param>
    public static CheckpointPart Take(
        SessionContext context, IReadOnlyList<LogPosition> before, long lowestPending, GhostClaims ghosts)
    {
        IMessageRouter router = context.Router;
        var dispatched = new LogPosition[router.LogGroups];
        for (int group = 0; group < dispatched.Length; group++)
        {
            dispatched[group] = router.CanReadBacklog(group) ? router.Dispatched(group) : LogPosition.None;
        }

        var common = (LogPosition[])dispatched.Clone();
        var laggards = new List<(string, IReadOnlyList<LogPosition>)>();
        foreach (string ghost in ghosts.ClientIds)
        {
            // Where a session stands, its own positions hold: the claim was made for it, and a checkpoint before may have
            // said more than nothing.
            if (context.Registry.Find(ghost)?.Claim is not HeldClaim)
            {
                laggards.Add((ghost, new LogPosition[dispatched.Length]));
            }
        }

        // Thousands of sessions have something in flight at any moment: only a laggard costs an array.
        Span<LogPosition> done = dispatched.Length <= 256 ? stackalloc LogPosition[dispatched.Length] : new LogPosition[dispatched.Length];
        for (int i = 0; i < context.Undone.Count; i++)
        {
            Session session = context.Undone[i];
            bool isBehind = false;
            for (int group = 0; group < done.Length; group++)
            {
                done[group] = session.DonePosition(group, dispatched[group]);
                isBehind |= group < before.Count && done[group] < before[group];
            }

            if (session.Claim is not HeldClaim && ghosts.Contains(session.ClientId))
            {
                // Listed already, with less.
            }
            else if (isBehind)
            {
                laggards.Add((session.ClientId, done.ToArray()));
            }
            else
            {
                Lower(common, done);
            }
        }

        return new CheckpointPart { Positions = common, Laggards = laggards, LowestPending = lowestPending };
    }

    /// <summary>Lowers positions to others that are lower.</summary>
    public static void Lower(LogPosition[] positions, IReadOnlyList<LogPosition> others)
    {
        for (int group = 0; group < positions.Length; group++)
        {
            if (others[group] < positions[group])
            {
                positions[group] = others[group];
            }
        }
    }

    private static void Lower(LogPosition[] positions, ReadOnlySpan<LogPosition> others)
    {
        for (int group = 0; group < positions.Length; group++)
        {
            if (others[group] < positions[group])
            {
                positions[group] = others[group];
            }
        }
    }
}
