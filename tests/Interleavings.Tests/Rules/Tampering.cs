using Trunkline.Directory;
using Trunkline.Sessions;

namespace Trunkline.Interleavings;

/// <summary>Takes one rule out, where calls to the directory pass: everything else is left as it is.</summary>
internal sealed class Tampering(Rule? without, DirectoryOptions options, TimeProvider time)
{
    private readonly Dictionary<NodeId, (long At, long Counter)> _beats = [];
    private long _effects;

    public Rule? Without { get; } = without;

    /// <summary>Up to where a node has dispatched each group, told by the model.</summary>
    public Dictionary<NodeId, Func<LogPosition[]>> Dispatched { get; } = [];

    /// <summary>The highest attach number a node has given, told by the model.</summary>
    public Dictionary<NodeId, Func<long>> LastNumbers { get; } = [];

    public ClaimRequest Claim(ClaimRequest request, NodeId node) => Without switch
    {
        Rule.ClaimComparesHolder => request with { Expecting = ExpectedHolder.Any },
        Rule.OwnClaimWritesPositions when request.Expecting == ExpectedHolder.Exactly && request.Expected.Node == node && request.Change is { } change =>
            request with { Change = change with { Sets = [.. change.Sets.Where(field => field.Name != SessionField.Positions)] } },
        _ => request,
    };

    /// <summary>A claim is about to take effect: without the rule a will that waits for its device is one that waits for its delay.</summary>
    public void Claiming(DirectoryMemory memory, string clientId)
    {
        MemoryRecords records = memory.Contents.Records;
        if (Without == Rule.BackDropsTheWill && records.Find(clientId) is { Header: { WillWaits: true } header })
        {
            records.SetHeader(clientId, header with { WillDelaySeconds = 3600 });
        }
    }

    /// <summary>A claim takes effect: without one half of the rule its epoch is what the other half says.</summary>
    public ValueTask<DirectoryResult<Answer<Claim>>> Epoch(
        DirectoryMemory memory, string clientId, long floor, Func<ValueTask<DirectoryResult<Answer<Claim>>>> claim)
    {
        MemoryRecords records = memory.Contents.Records;
        long stored = records.Find(clientId)?.Header.Epoch ?? 0;
        DirectoryResult<Answer<Claim>> result = claim().GetAwaiter().GetResult();
        if (Without is not (Rule.EpochAboveStored or Rule.EpochAboveTime) || result is not { IsOk: true, Value.Finding: Finding.Ok })
        {
            return new(result);
        }

        Claim granted = result.Value.Value;
        long epoch = Math.Max(floor, Without == Rule.EpochAboveStored ? memory.NowUs() : stored + 1);
        MemoryHeader header = records.Find(clientId)!.Header;
        records.SetHeader(clientId, header with
        {
            Epoch = epoch,
            WillEpoch = header.WillEpoch == granted.Token.Epoch ? epoch : header.WillEpoch,
        });
        return new(DirectoryResult<Answer<Claim>>.Of(result.Value with { Value = granted with { Token = granted.Token with { Epoch = epoch } } }));
    }

    public ValueTask<DirectoryResult<Answer<Claim>>> Claimed(ValueTask<DirectoryResult<Answer<Claim>>> call)
    {
        DirectoryResult<Answer<Claim>> result = call.GetAwaiter().GetResult();
        return Without == Rule.CheckpointServesTheDead && result is { IsOk: true, Value: { Finding: Finding.Ok, Value.Record: { } record } answer }
            ? new(new DirectoryResult<Answer<Claim>>(result.Status, answer with { Value = answer.Value with { Record = record with { Checkpoint = null } } }))
            : new(result);
    }

    public SessionWrite[] Write(DirectoryMemory memory, SessionWrite[] writes, bool detach) => Without switch
    {
        // Sessions take these identifiers for free (ModelNode.FreeIds), and the record has the messages all the same.
        Rule.IdsWaitForRecord => Array.ConvertAll(writes, write => write with
        {
            Change = write.Change with { Deletes = [.. write.Change.Deletes.Where(name => !name.StartsWith("o:", StringComparison.Ordinal))] },
        }),
        Rule.WriteComparesToken => Array.ConvertAll(writes, write =>
            memory.Contents.Records.Find(write.ClientId)?.Header is { IsHeld: true } header ? write with { Token = header.Token } : write),
        Rule.SentAwayWillWaits when detach => Array.ConvertAll(writes, write => write with { Change = write.Change with { WillWaitSeconds = null } }),
        Rule.ExitIsWrittenAhead when !detach => Without_(writes, "o:"),
        Rule.ReceivedIsWrittenAhead when !detach => WithoutReceived(writes),
        Rule.SkippedIsWritten => Without_(writes, SessionStateCodec.SkippedName),
        Rule.InFlightIsListed when detach => Without_(writes, "o:"),
        Rule.EntryIsWrittenAhead when !detach => Without_(writes, "q:"),
        Rule.FilterIsWrittenAhead when !detach => Without_(writes, "f:"),
        _ => writes,
    };

    /// <summary>The number of a write that takes effect now: without the rule, the latest is always the newest.</summary>
    public long Number(long number) => Without == Rule.LateWriteChangesNothing ? 1_000_000_000 + ++_effects : number;

    /// <summary>What is written back.</summary>
    public ReadOnlyMemory<HeldSession> Held(ReadOnlyMemory<HeldSession> held) => Without == Rule.HeldIsWrittenBack
        ? Array.ConvertAll(held.ToArray(), session => session with { Record = new SessionChange { ExpirySeconds = session.Record?.ExpirySeconds } })
        : held;

    /// <summary>Sessions are about to be written back: without the rule whoever comes last has them.</summary>
    public void Restoring(DirectoryMemory memory, ReadOnlySpan<HeldSession> held)
    {
        foreach (HeldSession session in held)
        {
            if (Without == Rule.NewestConnectHolds && memory.Contents.Records.Find(session.ClientId)?.Header is { IsHeld: true } header
                && header.Token.Epoch > session.Token.Epoch)
            {
                memory.Contents.Records.Drop(session.ClientId);
            }
        }
    }

    /// <summary>The same of a claim.</summary>
    public long ClaimNumber(long number) => Without == Rule.LateClaimChangesNothing ? 1_000_000_000 + ++_effects : number;

    public NodeCheckpoint Checkpoint(NodeCheckpoint checkpoint, NodeId node) => Without switch
    {
        Rule.CheckpointStaysBeforeUndone => checkpoint with
        {
            Positions = Dispatched[node](),
            Laggards = [.. checkpoint.Laggards.Where(laggard => laggard.Positions.All(position => position.IsNone))],
        },
        Rule.CheckpointLeavesOutPending => checkpoint with { AttachNumber = LastNumbers[node]() },
        Rule.GhostsAreListed => checkpoint with
        {
            Laggards = [.. checkpoint.Laggards.Where(laggard => laggard.Positions.Any(position => !position.IsNone))],
        },
        _ => checkpoint,
    };

    /// <summary>A checkpoint that goes elsewhere than where it should; null for the right way.</summary>
    public ValueTask<DirectoryResult<Finding>>? WriteCheckpoint(DirectoryMemory memory, NodeId node, NodeCheckpoint checkpoint)
    {
        switch (Without)
        {
            case Rule.DoneEntryWaitsForCheckpoint:
                // The node believes that it is written.
                return new(DirectoryResult<Finding>.Of(Finding.Ok));
            case Rule.DeadCheckpointIsFrozen when memory.Contents.Dead.Contains(node):
                memory.Contents.SetCheckpoint(node, checkpoint);
                return new(DirectoryResult<Finding>.Of(Finding.Ok));
            default:
                return null;
        }
    }

    public ValueTask<DirectoryResult<NodeCheckpoint?>> ReadCheckpoint(ValueTask<DirectoryResult<NodeCheckpoint?>> call)
    {
        NodeCheckpoint? read = call.GetAwaiter().GetResult().Value;
        return new(DirectoryResult<NodeCheckpoint?>.Of(Without switch
        {
            Rule.CheckpointServesUnanswered => null,
            Rule.CheckpointCoversByAttachNumber => read is null ? null : read with { AttachNumber = long.MaxValue },
            _ => read,
        }));
    }

    public NodeCheckpoint? Sweep(NodeCheckpoint? checkpoint) =>
        Without == Rule.CheckpointCoversByAttachNumber && checkpoint is not null ? checkpoint with { AttachNumber = long.MaxValue } : checkpoint;

    /// <summary>A lease that runs out: whoever comes first after that finds the others dead.</summary>
    public void Beat(MemoryStore store, NodeId self)
    {
        if (Without != Rule.LeaseIsACounter)
        {
            return;
        }

        BeatReading reading = store.BeatAsync(self, default).GetAwaiter().GetResult().Value;
        foreach ((NodeId node, long counter) in reading.Counters)
        {
            if (!_beats.TryGetValue(node, out (long At, long Counter) beat) || beat.Counter != counter)
            {
                _beats[node] = (time.GetTimestamp(), counter);
            }
            else if (node != self && time.GetElapsedTime(beat.At).TotalMilliseconds > options.LeaseMs)
            {
                Dead?.Invoke(node, store.DeclareDeadAsync(node, counter, reading.Generation.Generation, self, default).GetAwaiter().GetResult());
            }
        }
    }

    /// <summary>Told of a node that was found dead by its lease.</summary>
    public Action<NodeId, DirectoryResult<Answer<bool>>>? Dead { get; set; }

    /// <summary>An exchange that the device has answered stands in the record as it was before.</summary>
    private static SessionWrite[] WithoutReceived(SessionWrite[] writes) => Array.ConvertAll(writes, write => write with
    {
        Change = write.Change with
        {
            Sets = [.. write.Change.Sets.Where(field =>
                SessionStateCodec.Decode([new StoredField(field.Name, field.Value)]).State.Outgoing is not [{ Stage: OutgoingStage.Received }])],
        },
    });

    private static SessionWrite[] Without_(SessionWrite[] writes, string prefix) => Array.ConvertAll(writes, write => write with
    {
        Change = write.Change with { Sets = [.. write.Change.Sets.Where(field => !field.Name.StartsWith(prefix, StringComparison.Ordinal))] },
    });
}
