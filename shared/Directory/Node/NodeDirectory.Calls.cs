using Trunkline.Topics;

namespace Trunkline.Directory;

/// <content>The calls about sessions and slots.</content>
public abstract partial class NodeDirectory
{
    // Batches on their way at a time when all held sessions are compared.
    private const int CompareWidth = 32;

    // Held sessions that are put into buckets together, so that old ones do not come long before new ones.
    private const int RestoreWindow = 16_384;

    private readonly Lock _slotGate = new();
    private SlotMap? _announcedSlots;
    private string _slotsReadIn = "";

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Claim>> ClaimAsync(ClaimRequest request, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(request.ClientId);
        if (request.Info is null || request.Info.Length > 256)
        {
            request = request with { Info = request.Info is null ? "" : request.Info[..256] };
        }

        request.Change?.Check();

        for (int attempt = 0; ; attempt++)
        {
            if (Refusal() is { } refusal)
            {
                return DirectoryResult<Claim>.Failed(refusal.Status, refusal.Detail);
            }

            // The state follows the first reading of a new generation; the grace has begun before any claim can be made in it.
            string generation = _generation;
            if (request.WaitsForRecovery && request.FoundIn != generation && (_health.State == DirectoryState.Recovering || IsInGrace))
            {
                return DirectoryResult<Claim>.Failed(DirectoryStatus.Recovering, "the directory's generation is new");
            }

            DirectoryResult<Answer<Claim>> answer = await _store.ClaimAsync(
                request, Self.Id, generation, Interlocked.Read(ref _floor), NextWrite(), cancellation);
            if (!answer.IsOk)
            {
                return DirectoryResult<Claim>.Failed(answer.Status, answer.Detail);
            }

            switch (answer.Value.Finding)
            {
                case Finding.Ok:
                    RaiseFloor(answer.Value.Value.Token.Epoch + 1);
                    return DirectoryResult<Claim>.Of(answer.Value.Value with { Generation = generation });
                case Finding.Stale:
                    return new(DirectoryStatus.Stale, answer.Value.Value with { Generation = generation }, "another holder than expected");
                case Finding.Newer:
                    _meters.Ended("claim", "newer_record");
                    return new(DirectoryStatus.NewerRecord, answer.Value.Value, "the stored session is of a newer version than this node knows");
                case Finding.Dead:
                    return DirectoryResult<Claim>.Failed(DirectoryStatus.DeclaredDead, LearnDeath());
                case Finding.Late:
                    if (attempt == 1)
                    {
                        return DirectoryResult<Claim>.Failed(DirectoryStatus.Unavailable, "claims of this node were declared void meanwhile");
                    }

                    break;
                default:
                    if (attempt == 1)
                    {
                        return DirectoryResult<Claim>.Failed(DirectoryStatus.Unavailable, "the directory's generation changes");
                    }

                    await ReopenAsync(generation, cancellation);
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation = default)
    {
        if (Refusal() is { } refusal)
        {
            return refusal;
        }

        DirectoryResult<Answer<SessionToken>> answer = await _store.ReleaseAsync(clientId, token, cancellation);
        return !answer.IsOk ? answer.WithoutValue()
            : answer.Value.Finding == Finding.Ok ? new(DirectoryStatus.Ok)
            : new(DirectoryStatus.Stale, $"held by {answer.Value.Value}");
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation = default)
    {
        if (Refusal() is { } refusal)
        {
            return DirectoryResult<Holding>.Failed(refusal.Status, refusal.Detail);
        }

        string generation = _generation;
        DirectoryResult<Holding> found = await _store.LookUpAsync(clientId, cancellation);
        return found.IsOk ? DirectoryResult<Holding>.Of(found.Value with { Generation = generation }) : found;
    }

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Holding>> VoidClaimsAsync(string clientId, CancellationToken cancellation = default) =>
        Refusal() is { } refusal
            ? new(DirectoryResult<Holding>.Failed(refusal.Status, refusal.Detail))
            : _store.VoidClaimsAsync(clientId, Self.Id, NextWrite(), cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> VerifyHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default) =>
        CompareAsync(held, restore: false, cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> RestoreHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default) =>
        CompareAsync(held, restore: true, cancellation);

    /// <inheritdoc/>
    public ValueTask<TakeOverAnswer> RequestTakeOverAsync(string clientId, SessionToken oldToken, SessionToken newToken, CancellationToken cancellation = default)
    {
        if (oldToken.IsNone || Refusal() is not null)
        {
            return new(TakeOverAnswer.NoAnswer);
        }

        bool isAlive = _nodes.Any(n => n.Id == oldToken.Node);
        return _takeOvers.AskAsync(clientId, oldToken, newToken, isAlive, cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<SlotMap?>> ReadSlotMapAsync(CancellationToken cancellation = default)
    {
        if (Refusal() is { } refusal)
        {
            return DirectoryResult<SlotMap?>.Failed(refusal.Status, refusal.Detail);
        }

        DirectoryResult<SlotMap?> read = await _store.ReadSlotMapAsync(cancellation);
        if (read is { IsOk: true, Value: { } map })
        {
            Learn(map);
            Wake();
        }

        return read;
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<SlotMap?>> PublishSlotMapAsync(SlotMap map, ulong expectedVersion, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(map.Version, expectedVersion);
        if (Refusal() is { } refusal)
        {
            return DirectoryResult<SlotMap?>.Failed(refusal.Status, refusal.Detail);
        }

        DirectoryResult<Answer<ulong>> answer = await _store.PublishSlotMapAsync(map, expectedVersion, cancellation);
        if (!answer.IsOk)
        {
            return DirectoryResult<SlotMap?>.Failed(answer.Status, answer.Detail);
        }

        if (answer.Value.Finding == Finding.Ok)
        {
            Learn(map);
            await _store.SendAsync(NodeId.None, NodeMessage.SlotsChanged, cancellation);
            return DirectoryResult<SlotMap?>.Of(map);
        }

        DirectoryResult<SlotMap?> stored = await ReadSlotMapAsync(cancellation);
        return new(DirectoryStatus.Stale, stored.Value, "the stored map has another version");
    }

    private async ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> CompareAsync(IReadOnlyList<HeldSession> held, bool restore, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(held);
        List<(int Bucket, HeldSession[] Held)> batches = [];

        // Newest claim first, as far as sharing a script with others of the bucket allows.
        foreach (HeldSession[] window in held.OrderByDescending(h => h.Token.Epoch).Chunk(RestoreWindow))
        {
            foreach (IGrouping<int, HeldSession> group in window.GroupBy(h => Bucket.Of(h.ClientId)))
            {
                batches.AddRange(group.Chunk(Bucket.MaxBatch).Select(chunk => (group.Key, chunk)));
            }
        }

        foreach (HeldSession session in held)
        {
            session.Record?.Check();
        }

        List<HeldFinding> findings = [];
        int next = -1;
        object? failure = null;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(CompareWidth, batches.Count)).Select(async _ =>
        {
            int at;
            while ((at = Interlocked.Increment(ref next)) < batches.Count && Volatile.Read(ref failure) is null)
            {
                DirectoryResult<HeldFinding[]> compared = await CompareBatchAsync(batches[at].Bucket, batches[at].Held, restore, cancellation);
                if (!compared.IsOk)
                {
                    Volatile.Write(ref failure, compared.WithoutValue());
                    return;
                }

                lock (findings)
                {
                    findings.AddRange(compared.Value.Where(f => f.Standing != HeldStanding.Held));
                }
            }
        }));

        // Findings so far are told even when the rest failed: each of them is true.
        return failure is DirectoryResult failed ? new(failed.Status, findings, failed.Detail) : DirectoryResult<IReadOnlyList<HeldFinding>>.Of(findings);
    }

    private async ValueTask<DirectoryResult<HeldFinding[]>> CompareBatchAsync(int bucket, HeldSession[] held, bool restore, CancellationToken cancellation)
    {
        for (int attempt = 0; ; attempt++)
        {
            if (Refusal() is { } refusal)
            {
                return DirectoryResult<HeldFinding[]>.Failed(refusal.Status, refusal.Detail);
            }

            string generation = _generation;
            DirectoryResult<Answer<HeldFinding[]>> answer = await _store.CompareAsync(bucket, held, Self.Id, generation, restore ? NextWrite() : null, cancellation);
            if (!answer.IsOk || answer.Value.Finding == Finding.Ok)
            {
                return new(answer.Status, answer.Value.Value ?? [], answer.Detail);
            }

            if (answer.Value.Finding == Finding.Dead)
            {
                return DirectoryResult<HeldFinding[]>.Failed(DirectoryStatus.DeclaredDead, LearnDeath());
            }

            if (attempt == 1)
            {
                return DirectoryResult<HeldFinding[]>.Failed(DirectoryStatus.Unavailable, "the directory's generation changes");
            }

            await ReopenAsync(generation, cancellation);
        }
    }

    private string LearnDeath()
    {
        _deadReason ??= "its sessions were detached by another node";
        Wake();
        return _deadReason;
    }

    private void Learn(SlotMap map)
    {
        lock (_slotGate)
        {
            if (map.IsNewerThan(_slotMap))
            {
                _slotMap = map;
            }
        }
    }

    // Epochs never repeat for this node, whatever happens to the directory's clock or contents.
    private void RaiseFloor(long floor)
    {
        long old = Interlocked.Read(ref _floor);
        while (floor > old)
        {
            long seen = Interlocked.CompareExchange(ref _floor, floor, old);
            if (seen == old)
            {
                return;
            }

            old = seen;
        }
    }
}
