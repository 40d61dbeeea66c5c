using Trunkline.Topics;

namespace Trunkline.Directory;

/// <summary>
/// The atomic steps a directory is made of: scripts in Redis, a lock in memory. Each step ends within its deadline and
/// never throws for an expected fault. The rules between the steps are <see cref="NodeDirectory"/>'s.
/// </summary>
internal interface IDirectoryStore : IAsyncDisposable
{
    /// <summary>Number of the connection; rises with every loss and every success.</summary>
    long Connection { get; }

    /// <summary>Why there is no connection, or empty.</summary>
    string Fault { get; }

    /// <summary>Begins to connect and to receive for <paramref name="self"/>.</summary>
    void Start(NodeId self, IStoreEvents events);

    /// <summary>Waits until connected or until the connect deadline passed.</summary>
    Task WaitConnectedAsync(CancellationToken cancellation);

    /// <summary>Whether the store keeps what <see cref="DirectoryOptions.Durability"/> asks: Ok (the detail is a warning), Refused, or Unavailable.</summary>
    ValueTask<DirectoryResult> CheckAsync(CancellationToken cancellation);

    /// <summary>Reads the generation; makes <paramref name="candidate"/> the new one when there is none, when a master's process changed, or when <paramref name="lost"/> is the current, completely stamped one.</summary>
    ValueTask<DirectoryResult<GenerationReading>> OpenGenerationAsync(string candidate, string lost, CancellationToken cancellation);

    /// <summary>Writes the generation into every bucket and notes that this was done.</summary>
    ValueTask<DirectoryResult> StampBucketsAsync(string generation, CancellationToken cancellation);

    ValueTask<DirectoryResult<Answer<string>>> RegisterAsync(NodeInfo self, string shape, CancellationToken cancellation);

    ValueTask<DirectoryResult> UnregisterAsync(NodeId self, CancellationToken cancellation);

    ValueTask<DirectoryResult<BeatReading>> BeatAsync(NodeId self, CancellationToken cancellation);

    ValueTask<DirectoryResult<NodesReading>> ReadNodesAsync(CancellationToken cancellation);

    /// <summary>Declares a node dead if generation and counter are still those that were seen.</summary>
    ValueTask<DirectoryResult<Answer<bool>>> DeclareDeadAsync(NodeId victim, long counter, string generation, NodeId declarer, CancellationToken cancellation);

    /// <summary>
    /// Marks the node dead in every bucket, changes the tokens of its sessions, which take along what its checkpoint had of
    /// them; the count. The checkpoint goes at the end. Safe to repeat.
    /// </summary>
    ValueTask<DirectoryResult<int>> DetachAsync(NodeId victim, NodeCheckpoint? checkpoint, CancellationToken cancellation);

    /// <summary>The claim of a node; Late when its number is at or below what <see cref="VoidClaimsAsync"/> named for the node and the bucket.</summary>
    ValueTask<DirectoryResult<Answer<Claim>>> ClaimAsync(
        ClaimRequest request, NodeId node, string generation, long floor, long number, CancellationToken cancellation);

    ValueTask<DirectoryResult<Answer<SessionToken>>> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation);

    ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation);

    /// <summary>As <see cref="LookUpAsync"/>; from now on no claim of the node in this bucket with this number or a lower one takes effect.</summary>
    ValueTask<DirectoryResult<Holding>> VoidClaimsAsync(string clientId, NodeId node, long number, CancellationToken cancellation);

    /// <summary>Verifies or restores sessions of one bucket, at most <see cref="Bucket.MaxBatch"/>. Restoring counts as a write with this number.</summary>
    ValueTask<DirectoryResult<Answer<HeldFinding[]>>> CompareAsync(int bucket, ReadOnlyMemory<HeldSession> held, NodeId node, string generation, long? restore, CancellationToken cancellation);

    ValueTask<DirectoryResult<StoredSession>> ReadSessionAsync(string clientId, CancellationToken cancellation);

    /// <summary>Writes (or detaches) sessions of one bucket, at most <see cref="Bucket.MaxBatch"/>: Ok, Stale or Missing for each, with the token found.</summary>
    ValueTask<DirectoryResult<Answer<SessionToken>[]>> WriteAsync(int bucket, ReadOnlyMemory<SessionWrite> writes, long number, bool detach, CancellationToken cancellation);

    ValueTask<DirectoryResult<Finding>> WriteCheckpointAsync(NodeId node, NodeCheckpoint checkpoint, CancellationToken cancellation);

    ValueTask<DirectoryResult<NodeCheckpoint?>> ReadCheckpointAsync(NodeId node, CancellationToken cancellation);

    ValueTask<DirectoryResult<IReadOnlyList<DueItem>>> ReadDueAsync(int bucket, int maximum, CancellationToken cancellation);

    ValueTask<DirectoryResult<Finding>> FinishDueAsync(DueItem item, CancellationToken cancellation);

    ValueTask<DirectoryResult<SlotMap?>> ReadSlotMapAsync(CancellationToken cancellation);

    ValueTask<DirectoryResult<Answer<ulong>>> PublishSlotMapAsync(SlotMap map, ulong expectedVersion, CancellationToken cancellation);

    /// <summary>Sends a message to a node, or to all with <see cref="NodeId.None"/>. Ok says nothing about arrival, except where the store knows that nobody listens.</summary>
    ValueTask<DirectoryResult<Reach>> SendAsync(NodeId to, string message, CancellationToken cancellation);
}

/// <summary>What a store knows of who heard a message.</summary>
internal enum Reach
{
    /// <summary>Nothing, or somebody listened: whether it arrived is not known.</summary>
    Unknown,

    /// <summary>Nobody listened.</summary>
    Nobody,
}

/// <summary>What a store tells its node; any thread, must not block.</summary>
internal interface IStoreEvents
{
    /// <summary>Connected, or lost.</summary>
    void ConnectionChanged();

    /// <summary>A message from another node.</summary>
    void Received(string message);
}

/// <summary>What a step found.</summary>
internal enum Finding : byte
{
    Ok,
    Stale,
    Dead,
    WrongGeneration,
    Refused,
    Missing,
    Newer,
    Late,
}

/// <summary>A finding with its data.</summary>
internal readonly record struct Answer<T>(Finding Finding, T Value);

/// <summary>The generation, how old it is by the directory's clock, and whether all buckets carry it.</summary>
internal readonly record struct GenerationReading(string Generation, long AgeMs, bool Stamped);

/// <summary>What one raise of the lease read.</summary>
internal sealed record BeatReading(
    Finding Standing,
    GenerationReading Generation,
    long NodesVersion,
    ulong SlotVersion,
    IReadOnlyList<KeyValuePair<NodeId, long>> Counters,
    IReadOnlyList<KeyValuePair<NodeId, NodeId>> Detaching);

/// <summary>The registered nodes and those lately declared dead.</summary>
internal sealed record NodesReading(long Version, IReadOnlyList<NodeInfo> Nodes, IReadOnlySet<NodeId> Dead);
