namespace Trunkline.Directory;

/// <content>Steps on records of sessions, what is due of them, and checkpoints.</content>
internal sealed partial class MemoryStore
{
    /// <inheritdoc/>
    public ValueTask<DirectoryResult<StoredSession>> ReadSessionAsync(string clientId, CancellationToken cancellation) =>
        Look(
            contents => contents.Records.Find(clientId)?.ToStored() ?? new StoredSession(SessionToken.None, 0, "", false, 0, []),
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<SessionToken>[]>> WriteAsync(
        int bucket, ReadOnlyMemory<SessionWrite> writes, long number, bool detach, CancellationToken cancellation) =>
        Step(
            contents =>
            {
                var found = new Answer<SessionToken>[writes.Length];
                for (int i = 0; i < found.Length; i++)
                {
                    found[i] = Write(contents.Records, writes.Span[i], number, detach);
                }

                return found;
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Finding>> WriteCheckpointAsync(NodeId node, NodeCheckpoint checkpoint, CancellationToken cancellation) =>
        Step(
            contents =>
            {
                if (contents.Dead.Contains(node))
                {
                    return Finding.Dead;
                }

                if (!contents.Nodes.ContainsKey(node))
                {
                    return Finding.Missing;
                }

                if (contents.Checkpoint(node) is { } stands && stands.Number > checkpoint.Number)
                {
                    return Finding.Late;
                }

                contents.SetCheckpoint(node, checkpoint);
                return Finding.Ok;
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<NodeCheckpoint?>> ReadCheckpointAsync(NodeId node, CancellationToken cancellation) =>
        Look(contents => contents.Checkpoint(node), cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<IReadOnlyList<DueItem>>> ReadDueAsync(int bucket, int maximum, CancellationToken cancellation) =>
        Look<IReadOnlyList<DueItem>>(
            contents =>
            {
                MemoryRecords records = contents.Records;
                List<DueItem> items = [];
                foreach (string member in records.Due(bucket, memory.NowUs(), maximum))
                {
                    if (DueMember.TryReadOwed(member, out long epoch, out string clientId))
                    {
                        items.Add(new(clientId, epoch, DueKind.Will, records.Will(member)));
                    }
                    else if (records.Find(DueMember.ClientIdOf(member)) is { } session)
                    {
                        items.Add(DueMember.IsWill(member)
                            ? new(DueMember.ClientIdOf(member), session.Header.WillEpoch, DueKind.Will, session.Fields[SessionField.Will])
                            : new(DueMember.ClientIdOf(member), session.Header.Epoch, DueKind.Expiry, default));
                    }
                }

                return items;
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Finding>> FinishDueAsync(DueItem item, CancellationToken cancellation) =>
        Step(contents => item.Kind == DueKind.Will ? FinishWill(contents.Records, item) : FinishExpiry(contents.Records, item), cancellation);

    private static Finding FinishWill(MemoryRecords records, DueItem item)
    {
        string id = item.ClientId;
        string owed = DueMember.Owed(item.Epoch, id);
        records.SetWill(owed, null);
        records.SetDue(id, owed, null);
        if (records.Find(id)?.Header is not { IsHeld: false } header || header.WillEpoch != item.Epoch)
        {
            return Finding.Ok;
        }

        records.SetDue(id, DueMember.Will(id), null);
        Apply(records, id, new() { DropsWill = true }, 0);
        if (header.ExpirySeconds == 0)
        {
            records.Drop(id);
        }

        return Finding.Ok;
    }

    private Finding FinishExpiry(MemoryRecords records, DueItem item)
    {
        string id = item.ClientId;
        long now = memory.NowUs();
        MemoryHeader? header = records.Find(id)?.Header;
        if (header is { IsHeld: true } || (header is { } stored && stored.Epoch != item.Epoch) || !records.IsDue(DueMember.Expiry(id), now))
        {
            return Finding.Stale;
        }

        records.SetDue(id, DueMember.Expiry(id), null);
        if (header is { WillWaits: true } waiting && !records.IsDue(DueMember.Will(id), now))
        {
            ReadOnlyMemory<byte> will = records.Find(id)!.Fields[SessionField.Will];
            records.Drop(id);
            records.SetHeader(id, new(waiting.Epoch, NodeId.None, 0, "") { WillEpoch = waiting.WillEpoch });
            records.SetField(id, SessionField.Will, will);
            return Finding.Ok;
        }

        Owe(records, id, now);
        records.Drop(id);
        records.SetDue(id, DueMember.Will(id), null);
        return Finding.Ok;
    }

    private Answer<SessionToken> Write(MemoryRecords records, SessionWrite write, long number, bool detach)
    {
        MemoryHeader stored = records.Find(write.ClientId)?.Header ?? default;
        if (stored.IsHeld && stored.Token == write.Token)
        {
            // At or below: given up by its caller and late, like a script that a stopped Redis had still in its buffer.
            if (stored.Number < number)
            {
                if (write.Change.ClearsAll)
                {
                    records.Drop(write.ClientId);
                    stored = new(stored.Epoch, stored.Node, stored.AttachNumber, stored.Info);
                }

                records.SetHeader(write.ClientId, stored with { Number = number });
                Apply(records, write.ClientId, write.Change, write.Token.Epoch);
                if (detach)
                {
                    LetGo(records, write.ClientId, write.Change.WillWaitSeconds);
                }
            }

            return new(Finding.Ok, stored.Token);
        }

        return detach && !stored.IsHeld && stored.Epoch == write.Token.Epoch ? new(Finding.Ok, SessionToken.None)
            : stored.Epoch < write.Token.Epoch ? new(Finding.Missing, stored.Token)
            : new(Finding.Stale, stored.Token);
    }

    private static void Apply(MemoryRecords records, string clientId, SessionChange change, long epoch)
    {
        MemoryHeader header = records.Find(clientId)!.Header;
        if (change.DropsWill && header.WillEpoch != 0)
        {
            header = header with { WillDelaySeconds = null, WillEpoch = 0 };
            records.DeleteField(clientId, SessionField.Will);
        }

        records.SetHeader(clientId, header with
        {
            ExpirySeconds = change.ExpirySeconds ?? header.ExpirySeconds,
            WillDelaySeconds = change.WillDelaySeconds ?? header.WillDelaySeconds,
            WillEpoch = change.WillDelaySeconds.HasValue ? epoch : header.WillEpoch,
        });
        foreach (SessionField field in change.Sets)
        {
            records.SetField(clientId, field.Name, field.Value);
        }

        foreach (string name in change.Deletes)
        {
            records.DeleteField(clientId, name);
        }
    }

    private void LetGo(MemoryRecords records, string clientId, uint? willWait)
    {
        MemoryHeader header = records.Find(clientId)!.Header;
        records.SetHeader(clientId, header with { Node = NodeId.None, AttachNumber = 0, Info = "", Number = 0 });
        Free(memory, records, clientId, willWait);
    }

    // The holder is gone: when will and end are due; what nothing keeps is deleted. A will is due no later than the end; one
    // that waits, because its device was sent away, is due then whatever becomes of the session.
    private static void Free(DirectoryMemory memory, MemoryRecords records, string clientId, uint? willWait)
    {
        MemoryHeader header = records.Find(clientId)!.Header;
        long now = memory.NowUs();
        if (header.WillDelaySeconds is { } delay)
        {
            long due = Math.Max(Math.Min(delay, header.ExpirySeconds), willWait ?? 0);
            records.SetDue(clientId, DueMember.Will(clientId), now + due * 1_000_000L);
            if (willWait.HasValue)
            {
                records.SetHeader(clientId, header with { WillDelaySeconds = null });
            }
        }
        else if (header.ExpirySeconds == 0)
        {
            records.Drop(clientId);
        }

        if (header.ExpirySeconds is > 0 and < SessionChange.NeverExpires)
        {
            records.SetDue(clientId, DueMember.Expiry(clientId), now + header.ExpirySeconds * 1_000_000L);
        }
    }

    // The will is to be published now whatever becomes of the session: it moves out of it.
    private static bool Owe(MemoryRecords records, string clientId, long now)
    {
        if (records.Find(clientId) is not { Header.WillEpoch: not 0 } session
            || !session.Fields.TryGetValue(SessionField.Will, out ReadOnlyMemory<byte> will))
        {
            return false;
        }

        string owed = DueMember.Owed(session.Header.WillEpoch, clientId);
        records.SetWill(owed, will);
        records.SetDue(clientId, owed, now);
        return true;
    }
}
