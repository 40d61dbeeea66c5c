using System.Threading.Channels;
using Trunkline.Directory;
using Trunkline.Topics;

namespace Trunkline.ProxyTests.Support;

/// <summary>
/// A directory whose claims wait until the test lets them on, and whose other answers a test may set. It tells what it
/// was asked.
/// </summary>
internal sealed class StagedDirectory(IDirectory inner) : IDirectory
{
    private readonly Channel<string> _asked = Channel.CreateUnbounded<string>();
    private int _claimsAsked;

    /// <summary>Claims wait for this; completed: at once.</summary>
    public TaskCompletionSource ClaimsGoOn { get; set; } = Done();

    /// <summary>Waits between a granted claim and its answer.</summary>
    public TaskCompletionSource AnswersGoOn { get; set; } = Done();

    /// <summary>Waits between a write of sessions and its answer.</summary>
    public TaskCompletionSource WritesGoOn { get; set; } = Done();

    /// <summary>Detaches wait for this.</summary>
    public TaskCompletionSource DetachesGoOn { get; set; } = Done();

    /// <summary>The status claims get instead of being asked.</summary>
    public DirectoryStatus? ClaimStatus { get; set; }

    /// <summary>What claims get in place of what was granted.</summary>
    public Func<Claim, Claim> Changes { get; set; } = static claim => claim;

    /// <summary>Claims that were asked for so far.</summary>
    public int ClaimsAsked => _claimsAsked;

    /// <summary>The status writes of sessions get instead of being asked.</summary>
    public DirectoryStatus? WriteStatus { get; set; }

    /// <summary>What comparing and writing back finds, instead of asking; each once.</summary>
    public Queue<DirectoryResult<IReadOnlyList<HeldFinding>>> Findings { get; } = new();

    public NodeInfo Self => inner.Self;

    public DirectoryHealth Health => inner.Health;

    public IReadOnlyList<NodeInfo> Nodes => inner.Nodes;

    public SlotMap? SlotMap => inner.SlotMap;

    public static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    public static TaskCompletionSource Held() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The next call that was made: its name and what it was about.</summary>
    public async Task<string> NextAskedAsync(string name)
    {
        while (true)
        {
            string asked = await _asked.Reader.ReadAsync().AsTask().WaitAsync(Hosting.Tests.Support.Deadline.Long);
            if (asked.StartsWith(name, StringComparison.Ordinal))
            {
                return asked;
            }
        }
    }

    public ValueTask<DirectoryResult> JoinAsync(TierShape shape, IDirectoryEvents events, CancellationToken cancellation = default) =>
        inner.JoinAsync(shape, events, cancellation);

    public ValueTask<DirectoryResult> LeaveAsync(CancellationToken cancellation = default) => inner.LeaveAsync(cancellation);

    public async ValueTask<DirectoryResult<Claim>> ClaimAsync(ClaimRequest request, CancellationToken cancellation = default)
    {
        Interlocked.Increment(ref _claimsAsked);
        _asked.Writer.TryWrite($"claim {request.ClientId} {request.AttachNumber}");
        await ClaimsGoOn.Task;
        if (ClaimStatus is { } status)
        {
            return new DirectoryResult<Claim>(status, default, "staged");
        }

        DirectoryResult<Claim> claim = await inner.ClaimAsync(request, cancellation);
        _asked.Writer.TryWrite($"granted {request.ClientId}");
        await AnswersGoOn.Task;
        return claim.IsOk ? claim with { Value = Changes(claim.Value) } : claim;
    }

    public ValueTask<DirectoryResult> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation = default)
    {
        _asked.Writer.TryWrite($"release {clientId} {token}");
        return inner.ReleaseAsync(clientId, token, cancellation);
    }

    public ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation = default) =>
        inner.LookUpAsync(clientId, cancellation);

    public ValueTask<DirectoryResult<Holding>> VoidClaimsAsync(string clientId, CancellationToken cancellation = default) =>
        inner.VoidClaimsAsync(clientId, cancellation);

    public ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> VerifyHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default)
    {
        _asked.Writer.TryWrite("verify " + string.Join(',', held.Select(session => session.ClientId)));
        return Findings.TryDequeue(out DirectoryResult<IReadOnlyList<HeldFinding>> found) ? new(found) : inner.VerifyHeldAsync(held, cancellation);
    }

    public async ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> RestoreHeldAsync(IReadOnlyList<HeldSession> held, CancellationToken cancellation = default)
    {
        DirectoryResult<IReadOnlyList<HeldFinding>> result =
            Findings.TryDequeue(out DirectoryResult<IReadOnlyList<HeldFinding>> found) ? found : await inner.RestoreHeldAsync(held, cancellation);

        // Told when it is done, so that a test that heard of it sees what it wrote.
        _asked.Writer.TryWrite("restore " + string.Join(',', held.Select(session => session.ClientId)));
        return result;
    }

    public ValueTask<TakeOverAnswer> RequestTakeOverAsync(string clientId, SessionToken oldToken, SessionToken newToken, CancellationToken cancellation = default)
    {
        _asked.Writer.TryWrite($"take over {clientId} {oldToken} {newToken}");
        return inner.RequestTakeOverAsync(clientId, oldToken, newToken, cancellation);
    }

    public ValueTask<DirectoryResult<StoredSession>> ReadSessionAsync(string clientId, CancellationToken cancellation = default) =>
        inner.ReadSessionAsync(clientId, cancellation);

    public ValueTask<DirectoryResult> WriteSessionAsync(string clientId, SessionToken token, SessionChange change, CancellationToken cancellation = default) =>
        inner.WriteSessionAsync(clientId, token, change, cancellation);

    public async ValueTask<IReadOnlyList<DirectoryResult>> WriteSessionsAsync(IReadOnlyList<SessionWrite> writes, CancellationToken cancellation = default)
    {
        if (WriteStatus is { } status)
        {
            _asked.Writer.TryWrite("refused " + string.Join(',', writes.Select(write => write.ClientId)));
            return [.. writes.Select(_ => new DirectoryResult(status, "staged"))];
        }

        IReadOnlyList<DirectoryResult> results = await inner.WriteSessionsAsync(writes, cancellation);
        _asked.Writer.TryWrite("written " + string.Join(',', writes.Select(write => write.ClientId)));
        await WritesGoOn.Task;
        return results;
    }

    public async ValueTask<DirectoryResult> DetachSessionAsync(string clientId, SessionToken token, SessionChange change, CancellationToken cancellation = default)
    {
        await DetachesGoOn.Task;
        return await inner.DetachSessionAsync(clientId, token, change, cancellation);
    }

    public ValueTask<DirectoryResult> WriteCheckpointAsync(NodeCheckpoint checkpoint, CancellationToken cancellation = default) =>
        inner.WriteCheckpointAsync(checkpoint, cancellation);

    public ValueTask<DirectoryResult<NodeCheckpoint?>> ReadCheckpointAsync(NodeId node, CancellationToken cancellation = default) =>
        inner.ReadCheckpointAsync(node, cancellation);

    public ValueTask<DirectoryResult<IReadOnlyList<DueItem>>> ReadDueAsync(int bucket, int maximum, CancellationToken cancellation = default) =>
        inner.ReadDueAsync(bucket, maximum, cancellation);

    public ValueTask<DirectoryResult> FinishDueAsync(DueItem item, CancellationToken cancellation = default) => inner.FinishDueAsync(item, cancellation);

    public ValueTask<DirectoryResult<SlotMap?>> ReadSlotMapAsync(CancellationToken cancellation = default) => inner.ReadSlotMapAsync(cancellation);

    public ValueTask<DirectoryResult<SlotMap?>> PublishSlotMapAsync(SlotMap map, ulong expectedVersion, CancellationToken cancellation = default) =>
        inner.PublishSlotMapAsync(map, expectedVersion, cancellation);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
