namespace Trunkline.Directory;

/// <content>The calls about records of sessions, what is due of them, and checkpoints.</content>
public abstract partial class NodeDirectory
{
    // Scripts of one WriteSessionsAsync on their way at a time.
    private const int WriteWidth = 256;

    private long _writes;
    private long _checkpoints;

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<StoredSession>> ReadSessionAsync(string clientId, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(clientId);
        return Refusal() is { } refusal
            ? new(DirectoryResult<StoredSession>.Failed(refusal.Status, refusal.Detail))
            : _store.ReadSessionAsync(clientId, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<DirectoryResult> WriteSessionAsync(string clientId, SessionToken token, SessionChange change, CancellationToken cancellation = default) =>
        WriteOneAsync(new(clientId, token, change), detach: false, cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult> DetachSessionAsync(string clientId, SessionToken token, SessionChange change, CancellationToken cancellation = default) =>
        WriteOneAsync(new(clientId, token, change), detach: true, cancellation);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<DirectoryResult>> WriteSessionsAsync(IReadOnlyList<SessionWrite> writes, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(writes);
        var results = new DirectoryResult[writes.Count];
        List<(int Bucket, int[] At)> batches = [];
        foreach (IGrouping<int, int> group in Enumerable.Range(0, writes.Count).GroupBy(i => Bucket.Of(writes[i].ClientId)))
        {
            batches.AddRange(group.Chunk(Bucket.MaxBatch).Select(chunk => (group.Key, chunk)));
        }

        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(WriteWidth, batches.Count)).Select(async _ =>
        {
            int batch;
            while ((batch = Interlocked.Increment(ref next)) < batches.Count)
            {
                int[] at = batches[batch].At;
                DirectoryResult[] written = await WriteBatchAsync(
                    batches[batch].Bucket, Array.ConvertAll(at, i => writes[i]), detach: false, cancellation);
                for (int i = 0; i < at.Length; i++)
                {
                    results[at[i]] = written[i];
                }
            }
        }));
        return results;
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult> WriteCheckpointAsync(NodeCheckpoint checkpoint, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(checkpoint.Laggards.Count, NodeCheckpoint.MaxLaggards);
        if (Refusal() is { } refusal)
        {
            return refusal;
        }

        DirectoryResult<Finding> written = await _store.WriteCheckpointAsync(
            Self.Id, checkpoint with { Number = Interlocked.Increment(ref _checkpoints) }, cancellation);
        return !written.IsOk ? written.WithoutValue()
            : written.Value == Finding.Ok ? new(DirectoryStatus.Ok)
            : written.Value == Finding.Dead ? new(DirectoryStatus.DeclaredDead, LearnDeath())
            : written.Value == Finding.Late ? new(DirectoryStatus.Unavailable, "a newer checkpoint of this node was written before this one came")
            : new(DirectoryStatus.Unavailable, "this node is not registered in the directory's new generation yet");
    }

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<NodeCheckpoint?>> ReadCheckpointAsync(NodeId node, CancellationToken cancellation = default) =>
        Refusal() is { } refusal
            ? new(DirectoryResult<NodeCheckpoint?>.Failed(refusal.Status, refusal.Detail))
            : _store.ReadCheckpointAsync(node, cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<IReadOnlyList<DueItem>>> ReadDueAsync(int bucket, int maximum, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bucket);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(bucket, Bucket.Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximum, 1);
        return Refusal() is { } refusal
            ? new(DirectoryResult<IReadOnlyList<DueItem>>.Failed(refusal.Status, refusal.Detail))
            : _store.ReadDueAsync(bucket, maximum, cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult> FinishDueAsync(DueItem item, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (Refusal() is { } refusal)
        {
            return refusal;
        }

        DirectoryResult<Finding> finished = await _store.FinishDueAsync(item, cancellation);
        return !finished.IsOk ? finished.WithoutValue()
            : finished.Value == Finding.Ok ? new(DirectoryStatus.Ok)
            : new(DirectoryStatus.Stale, "the session was claimed meanwhile");
    }

    /// <summary>Detaches everything a dead (or leaving) node holds, by its last checkpoint. Safe to repeat.</summary>
    internal async ValueTask<DirectoryResult<int>> DetachNodeAsync(NodeId node, CancellationToken cancellation)
    {
        DirectoryResult<NodeCheckpoint?> checkpoint = await _store.ReadCheckpointAsync(node, cancellation);
        return checkpoint.IsOk
            ? await _store.DetachAsync(node, checkpoint.Value, cancellation)
            : DirectoryResult<int>.Failed(checkpoint.Status, checkpoint.Detail);
    }

    private async ValueTask<DirectoryResult> WriteOneAsync(SessionWrite write, bool detach, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(write.ClientId);
        return (await WriteBatchAsync(Bucket.Of(write.ClientId), [write], detach, cancellation))[0];
    }

    private async ValueTask<DirectoryResult[]> WriteBatchAsync(int bucket, SessionWrite[] writes, bool detach, CancellationToken cancellation)
    {
        foreach (SessionWrite write in writes)
        {
            ArgumentNullException.ThrowIfNull(write.Change);
            write.Change.Check();
        }

        var results = new DirectoryResult[writes.Length];
        if (Refusal() is { } refusal)
        {
            Array.Fill(results, refusal);
            return results;
        }

        DirectoryResult<Answer<SessionToken>[]> written = await _store.WriteAsync(bucket, writes, NextWrite(), detach, cancellation);
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = !written.IsOk ? written.WithoutValue()
                : written.Value[i].Finding == Finding.Ok ? new(DirectoryStatus.Ok)
                : written.Value[i].Finding == Finding.Stale ? new(DirectoryStatus.Stale, $"held by {written.Value[i].Value}")
                : new(DirectoryStatus.Missing, "the directory does not know this holder (any more)");
        }

        return results;
    }

    // Numbers the writes of this node, so that one that was given up and comes late changes nothing.
    private long NextWrite() => Interlocked.Increment(ref _writes);
}
