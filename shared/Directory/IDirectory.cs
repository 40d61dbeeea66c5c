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

    /// <summary>
    /// Claims a client id for this node, changes its record and reads it, in one step. Stale (only with an expected holder)
    /// and NewerRecord carry the holder found in <see cref="Claim.Previous"/>.
    /// </summary>
    ValueTask<DirectoryResult<Claim>> ClaimAsync(ClaimRequest request, CancellationToken cancellation = default);

    /// <summary>
    /// Gives a client id up and drops its will; a persistent session stays until it expires. Stale when another token is
    /// stored, which then stays; Ok also when nothing is stored.
    /// </summary>
    ValueTask<DirectoryResult> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation = default);

    /// <summary>Who holds a client id. Ok with a none token and no session when nothing is stored.</summary>
    ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation = default);

    /// <summary>
    /// As <see cref="LookUpAsync"/>; and no claim of this identifier that this node made before takes effect from now on, however
    /// late it comes. For claims whose answer was lost.
    /// </summary>
    ValueTask<DirectoryResult<Holding>> VoidClaimsAsync(string clientId, CancellationToken cancellation = default);

    /// <summary>Compares what this node holds with the directory; changes nothing. Findings other than Held only. Any size: sent in batches.</summary>
    ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> VerifyHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default);

    /// <summary>
    /// Writes back what this node holds (<see cref="HeldSession.Record"/>) where the directory has it, has nothing, or an
    /// older holder; newest claim first. Findings other than Held only. Any size: sent in batches; repeat when Unavailable.
    /// Counts as a write of each of these sessions: none of them may have another under way.
    /// </summary>
    ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> RestoreHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default);

    /// <summary>Tells the node in <paramref name="oldToken"/> that its session was claimed, and waits for its confirmation up to <see cref="DirectoryOptions.TakeOverDeadlineMs"/>.</summary>
    ValueTask<TakeOverAnswer> RequestTakeOverAsync(string clientId, SessionToken oldToken, SessionToken newToken, CancellationToken cancellation = default);

    /// <summary>Reads what is stored of a session; Ok with a record that does not exist when nothing is.</summary>
    ValueTask<DirectoryResult<StoredSession>> ReadSessionAsync(string clientId, CancellationToken cancellation = default);

    /// <summary>
    /// Changes a session that this node holds. Stale: another token is stored, this node must not serve it any more. Missing:
    /// write it back first. After Unavailable, Busy or Canceled a further write must contain what this one did.
    /// Of one session one write at a time: claim, write, restore and detach wait for each other.
    /// </summary>
    ValueTask<DirectoryResult> WriteSessionAsync(string clientId, SessionToken token, SessionChange change, CancellationToken cancellation = default);

    /// <summary>Many writes as by <see cref="WriteSessionAsync"/>, of one session one: those of a bucket travel together. The results stand in the order of the writes.</summary>
    ValueTask<IReadOnlyList<DirectoryResult>> WriteSessionsAsync(IReadOnlyList<SessionWrite> writes, CancellationToken cancellation = default);

    /// <summary>
    /// The connection ended: applies the change and gives the session up in one step; from now its will delay and its expiry
    /// run, by the directory's clock. What neither will nor expiry keeps is deleted. Results as of <see cref="WriteSessionAsync"/>;
    /// Ok also when the same detach took place before. Missing also when it was deleted by that.
    /// </summary>
    ValueTask<DirectoryResult> DetachSessionAsync(string clientId, SessionToken token, SessionChange change, CancellationToken cancellation = default);

    /// <summary>Writes this node's checkpoint. DeclaredDead: the last one is frozen; Unavailable: also while this node is not registered again after a loss.</summary>
    ValueTask<DirectoryResult> WriteCheckpointAsync(NodeCheckpoint checkpoint, CancellationToken cancellation = default);

    /// <summary>
    /// The last checkpoint of a node; null when it wrote none, left, or its sessions were detached (they carry what it had of
    /// them, <see cref="StoredSession.Checkpoint"/>). To be read before the claim that replaces a holder there.
    /// </summary>
    ValueTask<DirectoryResult<NodeCheckpoint?>> ReadCheckpointAsync(NodeId node, CancellationToken cancellation = default);

    /// <summary>Reads what is due in a bucket (<see cref="Bucket.Of"/>), the oldest first.</summary>
    ValueTask<DirectoryResult<IReadOnlyList<DueItem>>> ReadDueAsync(int bucket, int maximum, CancellationToken cancellation = default);

    /// <summary>
    /// Notes that a due item was done. Will: it is dropped, published once. Expiry: the session is deleted, unless it was
    /// claimed meanwhile (Stale); a will it still had becomes due. Safe to repeat, from any node.
    /// </summary>
    ValueTask<DirectoryResult> FinishDueAsync(DueItem item, CancellationToken cancellation = default);

    /// <summary>Reads the slot map; null when none was published.</summary>
    ValueTask<DirectoryResult<SlotMap?>> ReadSlotMapAsync(CancellationToken cancellation = default);

    /// <summary>Publishes a map if the stored version is <paramref name="expectedVersion"/> (0: none), which must be lower than the map's. Stale carries the stored map.</summary>
    ValueTask<DirectoryResult<SlotMap?>> PublishSlotMapAsync(SlotMap map, ulong expectedVersion, CancellationToken cancellation = default);
}
