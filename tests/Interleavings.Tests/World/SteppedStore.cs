using Trunkline.Directory;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>
/// The store of the real in-memory directory, one node's connection to it: every call is queued, and takes effect and is
/// answered when the scheduler says so. Calls of one connection take effect in the order they were made, as in a pipe.
/// </summary>
/// <remarks>
/// <code>
///   call ─► [ waiting ][ done, not answered ] ─► answer, posted to the node's loop
///               │ connection lost: the caller hears "unavailable"; what was not done is gone, or comes late
///               └─► late ─► takes effect at any time from then on
/// </code>
/// </remarks>
internal sealed class SteppedStore(ManualTime clock, DirectoryMemory memory, Tampering tampering, TokenWatch watch, Action<Action> post, List<string>? story) : IDirectoryStore
{
    private const string SweepName = "detach all of ";

    private readonly MemoryStore _inner = new(memory, owns: false);
    private readonly List<StoreCall> _calls = [];
    private readonly Queue<string> _inbox = new();
    private IStoreEvents? _events;
    private NodeId _self;
    private long _lost;
    private bool _isAway;

    /// <summary>Buckets with a client identifier of the model: of all others nothing can ever be due.</summary>
    public required IReadOnlySet<int> Buckets { get; init; }

    /// <summary>Whether each session that goes on elsewhere begins with the same packet identifier.</summary>
    public bool HasIdsComeRound { get; init; }

    /// <summary>Calls that were given up by their caller and may still take effect.</summary>
    public required List<StoreCall> Late { get; init; }

    /// <summary>Calls on their way.</summary>
    public IReadOnlyList<StoreCall> Calls => _calls;

    /// <summary>Set while no sweep goes on here: nothing behind it does, either.</summary>
    public bool HoldsSweeps { get; set; }

    /// <summary>Whether a call is to take effect, and can.</summary>
    public bool HasWaiting => !_isAway && Waiting is { } call && !(HoldsSweeps && call.Name.StartsWith(SweepName, StringComparison.Ordinal));

    /// <summary>The first call that did not take effect yet.</summary>
    public StoreCall? Waiting => _calls.Find(call => !call.IsApplied);

    /// <summary>Whether a claim or a write of a session is on its way that did not take effect yet.</summary>
    public bool HasChanges => _calls.Exists(call => !call.IsApplied
        && (call.Name.StartsWith("claim", StringComparison.Ordinal) || call.Name.StartsWith("write", StringComparison.Ordinal)));

    /// <summary>Whether an answer is on its way.</summary>
    public bool HasDone => _calls.Count > 0 && _calls[0].IsApplied;

    /// <summary>Messages of other nodes on their way here.</summary>
    public int Inbox => _inbox.Count;

    public long Connection => _inner.Connection + _lost;

    public string Fault => "";

    /// <summary>The first call that waits takes effect.</summary>
    public void Apply()
    {
        if (HasWaiting && Waiting is { } call)
        {
            // What the directory does takes time: no two steps of it are at one microsecond.
            clock.Advance(TimeSpan.FromMicroseconds(1));
            call.Apply();
            Tell(call);
        }
    }

    /// <summary>The first answer arrives.</summary>
    public void Answer()
    {
        if (HasDone)
        {
            StoreCall call = _calls[0];
            _calls.RemoveAt(0);
            post(call.Answer);
        }
    }

    /// <summary>
    /// The connection is lost, until there is another: who waits and who asks hears that the directory is away. Without the
    /// rule of the lease nobody hears of it: a client that mends its connection by itself and then asks again.
    /// </summary>
    public void Lose()
    {
        if (tampering.Without != Rule.LeaseOverOneConnection)
        {
            Cut(comesLate: false);
        }

        _isAway = true;
        _inbox.Clear();
    }

    /// <summary>There is a connection again.</summary>
    public void Reconnect()
    {
        if (_isAway)
        {
            _isAway = false;
            post(() => _events?.ConnectionChanged());
        }
    }

    /// <summary>The connection is lost, and there again: who waits hears that the directory is away.</summary>
    /// <param name="comesLate">Whether what did not take effect yet still will.</param>
    public void Cut(bool comesLate)
    {
        StoreCall[] calls = [.. _calls];
        _calls.Clear();
        _inbox.Clear();
        _lost += 2;
        foreach (StoreCall call in calls)
        {
            if (!call.IsApplied && comesLate)
            {
                Late.Add(call);
            }

            post(call.Fail);
        }

        post(() => _events?.ConnectionChanged());
    }

    /// <summary>The node leaves in order, with nothing on its way: as <see cref="NodeDirectory.LeaveAsync"/> asks it.</summary>
    public void Leave()
    {
        watch.Swept(_self, _inner.DetachAsync(_self, memory.Contents.Checkpoint(_self), default));
        _inner.UnregisterAsync(_self, default).GetAwaiter().GetResult();
        _inner.SendAsync(NodeId.None, NodeMessage.NodesChanged, default).GetAwaiter().GetResult();
    }

    /// <summary>The node is gone.</summary>
    public void End(bool comesLate)
    {
        Late.AddRange(_calls.Where(call => !call.IsApplied && comesLate));
        _calls.Clear();
        _inbox.Clear();
        _inner.DisposeAsync().GetAwaiter().GetResult();
    }

    /// <summary>The first message of another node arrives.</summary>
    public void Receive()
    {
        if (_inbox.TryDequeue(out string? message))
        {
            post(() => _events!.Received(message));
        }
    }

    public void Start(NodeId self, IStoreEvents events)
    {
        _self = self;
        _events = events;
        _inner.Start(self, new Receiver(this));
    }

    public Task WaitConnectedAsync(CancellationToken cancellation) => Task.CompletedTask;

    public ValueTask<DirectoryResult> CheckAsync(CancellationToken cancellation) => _inner.CheckAsync(default);

    public ValueTask<DirectoryResult<GenerationReading>> OpenGenerationAsync(string candidate, string lost, CancellationToken cancellation) =>
        Call("open generation", () => _inner.OpenGenerationAsync(candidate, lost, default));

    public ValueTask<DirectoryResult> StampBucketsAsync(string generation, CancellationToken cancellation) =>
        Call("stamp buckets", () => _inner.StampBucketsAsync(generation, default));

    public ValueTask<DirectoryResult<Answer<string>>> RegisterAsync(NodeInfo self, string shape, CancellationToken cancellation) =>
        Call("register", () => _inner.RegisterAsync(self, shape, default));

    public ValueTask<DirectoryResult> UnregisterAsync(NodeId self, CancellationToken cancellation) =>
        Call("unregister", () => _inner.UnregisterAsync(self, default));

    public ValueTask<DirectoryResult<BeatReading>> BeatAsync(NodeId self, CancellationToken cancellation) =>
        Call("beat", () =>
        {
            tampering.Beat(_inner, self);
            return _inner.BeatAsync(self, default);
        });

    public ValueTask<DirectoryResult<NodesReading>> ReadNodesAsync(CancellationToken cancellation) =>
        Call("read nodes", () => _inner.ReadNodesAsync(default));

    public ValueTask<DirectoryResult<Answer<bool>>> DeclareDeadAsync(
        NodeId victim, long counter, string generation, NodeId declarer, CancellationToken cancellation) =>
        Call($"declare {victim} dead", () => watch.Declared(victim, _inner.DeclareDeadAsync(victim, counter, generation, declarer, default)));

    public ValueTask<DirectoryResult<int>> DetachAsync(NodeId victim, NodeCheckpoint? checkpoint, CancellationToken cancellation) =>
        Call($"{SweepName}{victim}", () => watch.Swept(victim, _inner.DetachAsync(victim, tampering.Sweep(checkpoint), default)));

    public ValueTask<DirectoryResult<Answer<Claim>>> ClaimAsync(
        ClaimRequest request, NodeId node, string generation, long floor, long number, CancellationToken cancellation) =>
        Call(story is null ? "claim" : $"claim {request.ClientId} expecting {request.Expecting} {Fields(request.Change ?? SessionChange.None)}", () =>
        {
            tampering.Claiming(memory, request.ClientId);
            return tampering.Claimed(watch.Claimed(request.ClientId, memory, () => tampering.Epoch(
                memory,
                request.ClientId,
                floor,
                () => _inner.ClaimAsync(tampering.Claim(request, node), node, generation, floor, tampering.ClaimNumber(number), default))));
        });

    public ValueTask<DirectoryResult<Answer<SessionToken>>> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation) =>
        Call($"release {clientId}", () => watch.Released(clientId, token, _inner.ReleaseAsync(clientId, token, default)));

    public ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation) =>
        Call($"look up {clientId}", () => _inner.LookUpAsync(clientId, default));

    public ValueTask<DirectoryResult<Holding>> VoidClaimsAsync(string clientId, NodeId node, long number, CancellationToken cancellation) =>
        Call($"void claims of {clientId}", () => _inner.VoidClaimsAsync(clientId, node, number, default));

    public ValueTask<DirectoryResult<Answer<HeldFinding[]>>> CompareAsync(
        int bucket, ReadOnlyMemory<HeldSession> held, NodeId node, string generation, long? restore, CancellationToken cancellation) =>
        Call(restore is null ? "verify held" : "restore held", () =>
        {
            if (restore is not null)
            {
                tampering.Restoring(memory, held.Span);
            }

            return watch.Compared(_inner.CompareAsync(bucket, tampering.Held(held), node, generation, restore, default));
        });

    public ValueTask<DirectoryResult<StoredSession>> ReadSessionAsync(string clientId, CancellationToken cancellation) =>
        Call($"read {clientId}", () => _inner.ReadSessionAsync(clientId, default));

    public ValueTask<DirectoryResult<Answer<SessionToken>[]>> WriteAsync(
        int bucket, ReadOnlyMemory<SessionWrite> writes, long number, bool detach, CancellationToken cancellation) =>
        Call(
            story is null ? "write" : (detach ? "detach " : "write ") + string.Join(",", writes.ToArray().Select(write => write.ClientId + Fields(write.Change))),
            () => watch.Wrote(memory, writes.ToArray(), detach, () =>
                _inner.WriteAsync(bucket, tampering.Write(memory, IdsComeRound(writes.Span), detach), tampering.Number(number), detach, default)));

    public ValueTask<DirectoryResult<Finding>> WriteCheckpointAsync(NodeId node, NodeCheckpoint checkpoint, CancellationToken cancellation) =>
        Call(story is null ? "checkpoint" : $"checkpoint up to {checkpoint.AttachNumber}: {string.Join(' ', checkpoint.Positions)}{string.Concat(checkpoint.Laggards.Select(laggard => $", {laggard.ClientId} {string.Join(' ', laggard.Positions)}"))}", () => tampering.WriteCheckpoint(memory, node, checkpoint) ?? _inner.WriteCheckpointAsync(node, tampering.Checkpoint(checkpoint, node), default));

    public ValueTask<DirectoryResult<NodeCheckpoint?>> ReadCheckpointAsync(NodeId node, CancellationToken cancellation) =>
        Call($"read checkpoint of {node}", () => tampering.ReadCheckpoint(_inner.ReadCheckpointAsync(node, default)));

    public ValueTask<DirectoryResult<IReadOnlyList<DueItem>>> ReadDueAsync(int bucket, int maximum, CancellationToken cancellation) =>
        Buckets.Contains(bucket)
            ? Call($"read due of {bucket}", () => _inner.ReadDueAsync(bucket, maximum, default))
            : new(DirectoryResult<IReadOnlyList<DueItem>>.Of([]));

    public ValueTask<DirectoryResult<Finding>> FinishDueAsync(DueItem item, CancellationToken cancellation) =>
        Call($"finish {item.Kind} of {item.ClientId}", () => _inner.FinishDueAsync(item, default));

    public ValueTask<DirectoryResult<SlotMap?>> ReadSlotMapAsync(CancellationToken cancellation) =>
        Call("read slots", () => _inner.ReadSlotMapAsync(default));

    public ValueTask<DirectoryResult<Answer<ulong>>> PublishSlotMapAsync(SlotMap map, ulong expectedVersion, CancellationToken cancellation) =>
        Call("publish slots", () => _inner.PublishSlotMapAsync(map, expectedVersion, default));

    public ValueTask<DirectoryResult<Reach>> SendAsync(NodeId to, string message, CancellationToken cancellation) =>
        Call("send " + message.Split(' ')[0], () => _inner.SendAsync(to, message, default));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Tell(StoreCall call)
    {
        if (story is not null && call.Name is not ("beat") && !call.Name.StartsWith("read due", StringComparison.Ordinal))
        {
            story.Add($"  {_self.Value >> 48:x4} {call.Name}: {call.Outcome}");
        }
    }

    /// <summary>A change in words, with positions: group:term:offset.</summary>
    private static string Fields(SessionChange change)
    {
        SessionState state = SessionStateCodec.Decode(change.Sets.Select(field => new StoredField(field.Name, field.Value))).State;
        IEnumerable<string> words =
        [
            .. change.ClearsAll ? ["clear"] : Array.Empty<string>(),
            .. state.Positions.Select(position => $"p={position.Group}:{position.Position}"),
            .. state.Subscriptions.Select(filter => $"f:{filter.Filter} from {string.Join('+', filter.Starts.Select(start => $"{start.Group}:{start.Position}"))}"),
            .. state.Skipped.Select(part => $"g:{part.Group}:{part.After} to {part.UpTo}"),
            .. state.Outgoing.Select(outgoing => $"o:{outgoing.PacketId} {outgoing.Stage} {outgoing.Group}:{outgoing.Position}"),
            .. state.Incoming.Select(incoming => $"q:{incoming.PacketId}={incoming.Id}"),
            .. change.Deletes.Select(name => "-" + name),
        ];
        return $"({string.Join(", ", words)})";
    }

    /// <summary>The same writes, by sessions that have given every packet identifier since they gave the last that was stored.</summary>
    private SessionWrite[] IdsComeRound(ReadOnlySpan<SessionWrite> writes)
    {
        if (!HasIdsComeRound)
        {
            return writes.ToArray();
        }

        StoredField meta = SessionStateCodec.Meta(0);
        return Array.ConvertAll(writes.ToArray(), write => write with
        {
            Change = write.Change with
            {
                Sets = [.. write.Change.Sets.Select(field => field.Name == SessionField.Meta ? new SessionField(meta.Name, meta.Value) : field)],
            },
        });
    }

    private ValueTask<DirectoryResult<T>> Call<T>(string name, Func<ValueTask<DirectoryResult<T>>> run) =>
        Enqueue(new StoreCall<DirectoryResult<T>>(name, run, DirectoryResult<T>.Failed(DirectoryStatus.Unavailable, "the connection was lost")));

    private ValueTask<DirectoryResult> Call(string name, Func<ValueTask<DirectoryResult>> run) =>
        Enqueue(new StoreCall<DirectoryResult>(name, run, new DirectoryResult(DirectoryStatus.Unavailable, "the connection was lost")));

    private ValueTask<T> Enqueue<T>(StoreCall<T> call)
    {
        if (_isAway && tampering.Without != Rule.LeaseOverOneConnection)
        {
            call.Fail();
        }
        else
        {
            _calls.Add(call);
        }

        return call.Task;
    }

    private sealed class Receiver(SteppedStore store) : IStoreEvents
    {
        public void ConnectionChanged()
        {
        }

        public void Received(string message)
        {
            if (!store._isAway)
            {
                store._inbox.Enqueue(message);
            }
        }
    }
}

/// <summary>The real rules of the directory on a stepped store.</summary>
internal sealed class SteppedDirectory(NodeInfo self, DirectoryOptions options, DirectoryEnvironment environment, SteppedStore store)
    : NodeDirectory(self, options, environment, _ => store)
{
    public new SteppedStore Store { get; } = store;
}
