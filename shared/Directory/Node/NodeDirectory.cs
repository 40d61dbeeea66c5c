namespace Trunkline.Directory;

/// <summary>What both directories share: the lease, the watch over the other nodes, take-over between nodes. Thread-safe.</summary>
public abstract class NodeDirectory : IDirectory
{
    internal NodeDirectory(NodeInfo self, DirectoryOptions options, DirectoryEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(environment);
        Self = self;
        Health = new(DirectoryState.Unavailable, environment.Time.GetUtcNow(), "not joined", "", 0);
    }

    /// <inheritdoc/>
    public NodeInfo Self { get; }

    /// <inheritdoc/>
    public DirectoryHealth Health { get; }

    /// <inheritdoc/>
    public IReadOnlyList<NodeInfo> Nodes => [];

    /// <inheritdoc/>
    public SlotTable? SlotTable => null;

    /// <inheritdoc/>
    public ValueTask<DirectoryResult> JoinAsync(TierShape shape, IDirectoryEvents events, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<DirectoryResult> LeaveAsync(CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Claim>> ClaimAsync(ClaimRequest request, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<DirectoryResult> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> VerifyHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> RestoreHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<TakeOverAnswer> RequestTakeOverAsync(string clientId, SessionToken oldToken, SessionToken newToken, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<SlotTable?>> ReadSlotTableAsync(CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<SlotTable?>> PublishSlotTableAsync(SlotTable table, long expectedVersion, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
