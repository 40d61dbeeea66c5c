namespace Trunkline.Directory;

/// <content>Steps on sessions: claims, comparing, detaching.</content>
internal sealed partial class MemoryStore
{
    /// <inheritdoc/>
    public ValueTask<DirectoryResult<int>> DetachAsync(NodeId victim, NodeCheckpoint? checkpoint, CancellationToken cancellation) =>
        Step(contents => Detach(memory, contents, victim, checkpoint), cancellation);

    /// <summary>Detaches everything that nodes of an earlier process hold, by their last checkpoints.</summary>
    internal static void DetachAll(DirectoryMemory memory)
    {
        MemoryContents contents = memory.Contents;
        foreach (NodeId node in contents.Records.Sessions.Select(session => session.Node).Where(node => !node.IsNone).Distinct().ToArray())
        {
            Detach(memory, contents, node, contents.Checkpoint(node));
        }

        // Of a node that held nothing when it died.
        foreach (NodeId node in contents.CheckpointNodes.ToArray())
        {
            contents.SetCheckpoint(node, null);
        }
    }

    private static int Detach(DirectoryMemory memory, MemoryContents contents, NodeId victim, NodeCheckpoint? checkpoint)
    {
        contents.Fenced.Add(victim);
        contents.VoidClaims.Remove(victim);
        contents.Detaching.Remove(victim);
        MemoryRecords records = contents.Records;
        string[] held = [.. records.Sessions.Where(s => s.Node == victim).Select(s => s.ClientId)];
        foreach (string clientId in held)
        {
            MemoryHeader header = records.Find(clientId)!.Header;
            if (header is { ExpirySeconds: 0, WillDelaySeconds: null })
            {
                records.Drop(clientId);
                continue;
            }

            records.SetHeader(clientId, header with
            {
                Epoch = Math.Max(header.Epoch + 1, memory.NowUs()),
                Node = NodeId.None,
                Info = "",
                Number = 0,
                LastNode = victim,
                Checkpoint = NodeCheckpoint.Higher(header.Checkpoint, checkpoint?.PositionsOf(clientId, header.AttachNumber)),
            });
            Free(memory, records, clientId, null);
        }

        contents.SetCheckpoint(victim, null);
        return held.Length;
    }

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<Claim>>> ClaimAsync(
        ClaimRequest request, NodeId node, string generation, long floor, long number, CancellationToken cancellation) =>
        Step(
            (Store: this, request, node, generation, floor, number),
            static (asked, contents) => asked.Store.TryClaim(contents, asked.request, asked.node, asked.generation, asked.floor, asked.number),
            cancellation);

    private Answer<Claim> TryClaim(MemoryContents contents, in ClaimRequest request, NodeId node, string generation, long floor, long number)
    {
        if (!IsCurrent(contents, generation))
        {
            return new(Finding.WrongGeneration, default);
        }

        if (contents.Fenced.Contains(node))
        {
            return new(Finding.Dead, default);
        }

        if (number <= contents.VoidClaims.GetValueOrDefault(node))
        {
            return new(Finding.Late, default);
        }

        MemorySession? stored = contents.Records.Find(request.ClientId);
        MemoryHeader old = stored?.Header ?? default;
        if (old.Node == node && old.Number >= number)
        {
            // The session was written since by this very node, which had given the claim up.
            return new(Finding.Late, default);
        }

        SessionChange change = request.Change ?? SessionChange.None;
        var found = new Claim(SessionToken.None, old.Token, old.ExpirySeconds > 0);
        bool expected = request.Expecting switch
        {
            ExpectedHolder.Exactly => old.Token == request.Expected,
            ExpectedHolder.Free => !old.IsHeld,
            _ => true,
        };
        return !expected ? new(Finding.Stale, found)
            : IsNewer(stored, request) && !change.ClearsAll ? new(Finding.Newer, found)
            : new(Finding.Ok, Grant(contents.Records, request, change, new(Math.Max(Math.Max(old.Epoch + 1, memory.NowUs()), floor), node)));
    }

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<SessionToken>>> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation) =>
        Step<Answer<SessionToken>>(
            contents =>
            {
                if (contents.Records.Find(clientId)?.Header is not { IsHeld: true } header)
                {
                    return new(Finding.Ok, SessionToken.None);
                }

                if (header.Token != token)
                {
                    return new(Finding.Stale, header.Token);
                }

                Apply(contents.Records, clientId, new() { DropsWill = true }, token.Epoch);
                LetGo(contents.Records, clientId, null);
                return new(Finding.Ok, SessionToken.None);
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation) =>
        Look(contents => LookUp(contents, clientId), cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Holding>> VoidClaimsAsync(string clientId, NodeId node, long number, CancellationToken cancellation) =>
        Look(
            contents =>
            {
                contents.VoidClaims[node] = Math.Max(number, contents.VoidClaims.GetValueOrDefault(node));
                return LookUp(contents, clientId);
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<HeldFinding[]>>> CompareAsync(
        int bucket, ReadOnlyMemory<HeldSession> held, NodeId node, string generation, long? restore, CancellationToken cancellation) =>
        Step<Answer<HeldFinding[]>>(
            contents =>
            {
                if (!IsCurrent(contents, generation))
                {
                    return new(Finding.WrongGeneration, []);
                }

                if (contents.Fenced.Contains(node))
                {
                    return new(Finding.Dead, []);
                }

                var findings = new HeldFinding[held.Length];
                for (int i = 0; i < findings.Length; i++)
                {
                    findings[i] = Compare(contents.Records, held.Span[i], restore);
                }

                return new(Finding.Ok, findings);
            },
            cancellation);

    private static Holding LookUp(MemoryContents contents, string clientId) =>
        contents.Records.Find(clientId)?.Header is { } header
            ? new Holding(header.Token, header.AttachNumber, header.Info, header.ExpirySeconds > 0)
            : new Holding(SessionToken.None, 0, "", false);

    private static HeldFinding Compare(MemoryRecords records, HeldSession held, long? restore)
    {
        MemoryHeader stored = records.Find(held.ClientId)?.Header ?? default;
        HeldStanding standing = stored.IsHeld && stored.Token == held.Token ? HeldStanding.Held
            : stored.Epoch > held.Token.Epoch || (stored.IsHeld && stored.Epoch == held.Token.Epoch) ? HeldStanding.Stale
            : restore.HasValue ? HeldStanding.Restored
            : HeldStanding.Missing;
        bool isLate = standing == HeldStanding.Held && stored.Number >= restore;
        if (restore is { } number && !isLate && standing is HeldStanding.Held or HeldStanding.Restored)
        {
            records.Drop(held.ClientId);
            records.SetHeader(held.ClientId, new(held.Token.Epoch, held.Token.Node, held.AttachNumber, held.Info) { Number = number });
            Apply(records, held.ClientId, held.Record ?? SessionChange.None, held.Token.Epoch);
            records.SetDue(held.ClientId, DueMember.Will(held.ClientId), null);
            records.SetDue(held.ClientId, DueMember.Expiry(held.ClientId), null);
        }

        return new(held, standing, stored.Token);
    }

    private static bool IsNewer(MemorySession? stored, ClaimRequest request) =>
        stored is { Header.ExpirySeconds: > 0 } && request.KnownVersion > 0
        && stored.Fields.TryGetValue(SessionField.Meta, out ReadOnlyMemory<byte> meta)
        && meta.Length > 0 && meta.Span[0] > request.KnownVersion;

    private static bool IsCurrent(MemoryContents contents, string generation) =>
        contents.Stamped && contents.Generation == generation && generation.Length > 0;

    private Claim Grant(MemoryRecords records, ClaimRequest request, SessionChange change, SessionToken token)
    {
        string id = request.ClientId;
        MemorySession? stored = records.Find(id);
        MemoryHeader old = stored?.Header ?? default;
        long now = memory.NowUs();
        bool exists = old.ExpirySeconds > 0, owes = false;
        StoredSession? record = null;
        if (stored is not null)
        {
            bool willDue = old.IsHeld ? old.WillDelaySeconds == 0 : records.IsDue(DueMember.Will(id), now);
            exists &= old.IsHeld || !records.IsDue(DueMember.Expiry(id), now);
            records.SetDue(id, DueMember.Will(id), null);
            records.SetDue(id, DueMember.Expiry(id), null);
            owes = !change.DropsWill && (willDue || (!old.WillWaits && (change.ClearsAll || !exists))) && Owe(records, id, now);
            Apply(records, id, new() { DropsWill = true }, 0);
            if (change.ClearsAll || !exists)
            {
                records.Drop(id);
            }
            else
            {
                record = stored.ToStored();
            }
        }

        MemoryHeader kept = records.Find(id)?.Header ?? default;
        records.SetHeader(id, new(token.Epoch, token.Node, request.AttachNumber, request.Info)
        {
            ExpirySeconds = kept.ExpirySeconds,
            Checkpoint = kept.Checkpoint,
        });

        // What it clears is cleared, and the will it drops is gone.
        Apply(records, id, change, token.Epoch);
        return new(token, old.Token, exists) { Record = record, OwesWill = owes };
    }
}
