using Trunkline.Topics;

namespace Trunkline.Directory;

/// <summary>
/// The session and route directory of a tier, as one node sees it. Every method may be called from any thread and
/// returns at once; results complete on any thread, possibly before the method returns, within
/// <see cref="DirectoryOptions.OperationDeadlineMs"/> for each step. Nothing throws for an expected fault.
/// Loops use <see cref="DirectoryCalls.Then{T, TState}"/> and post.
/// </summary>
public interface IDirectory : IAsyncDisposable
{
    /// <summary>The node whose view this is.</summary>
    NodeInfo Self { get; }

    /// <summary>The state now; changes come by <see cref="IDirectoryEvents.StateChanged"/>.</summary>
    DirectoryHealth Health { get; }

    /// <summary>All nodes by the last reading, this one included once it joined; an immutable snapshot.</summary>
    IReadOnlyList<NodeInfo> Nodes { get; }

    /// <summary>The newest slot map seen, or null: the highest version wins, so that a directory that went back in time cannot take it back.</summary>
    SlotMap? SlotMap { get; }

    /// <summary>
    /// Registers this node, compares the tier's shape, and begins to raise the lease and to watch the others.
    /// Unavailable may be tried again; Refused carries the sentence for the user. After Ok the node re-registers by
    /// itself when the directory forgot it.
    /// </summary>
    ValueTask<DirectoryResult> JoinAsync(TierShape shape, IDirectoryEvents events, CancellationToken cancellation = default);

    /// <summary>Takes this node out in order. What it still holds is detached.</summary>
    ValueTask<DirectoryResult> LeaveAsync(CancellationToken cancellation = default);

    /// <summary>Claims a client id for this node. Stale (only with an expected holder) carries the holder found in <see cref="Claim.Previous"/>.</summary>
    ValueTask<DirectoryResult<Claim>> ClaimAsync(ClaimRequest request, CancellationToken cancellation = default);

    /// <summary>Gives a client id up. Stale when another token is stored, which then stays; Ok also when nothing is stored.</summary>
    ValueTask<DirectoryResult> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation = default);

    /// <summary>Who holds a client id. Ok with a none token and no session when nothing is stored.</summary>
    ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation = default);

    /// <summary>Compares what this node holds with the directory; changes nothing. Findings other than Held only. Any size: sent in batches.</summary>
    ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> VerifyHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default);

    /// <summary>Writes back what this node holds where the directory has nothing or an older holder. Findings other than Held only. Any size: sent in batches; repeat when Unavailable.</summary>
    ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> RestoreHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default);

    /// <summary>Tells the node in <paramref name="oldToken"/> that its session was claimed, and waits for its confirmation up to <see cref="DirectoryOptions.TakeOverDeadlineMs"/>.</summary>
    ValueTask<TakeOverAnswer> RequestTakeOverAsync(string clientId, SessionToken oldToken, SessionToken newToken, CancellationToken cancellation = default);

    /// <summary>Reads the slot map; null when none was published.</summary>
    ValueTask<DirectoryResult<SlotMap?>> ReadSlotMapAsync(CancellationToken cancellation = default);

    /// <summary>Publishes a map if the stored version is <paramref name="expectedVersion"/> (0: none), which must be lower than the map's. Stale carries the stored map.</summary>
    ValueTask<DirectoryResult<SlotMap?>> PublishSlotMapAsync(SlotMap map, ulong expectedVersion, CancellationToken cancellation = default);
}
