namespace Trunkline.Sessions;

/// <content>What a session writes ahead, and what it does once that is stored.</content>
public sealed partial class Session
{
    private SessionJournal? _journal;

    /// <summary>Whether the session stands in a store beyond this node, so that its steps are written ahead.</summary>
    internal bool IsKept => ExpirySeconds > 0 && _context.Keeper is not null;

    /// <summary>Whether a write of this session is under way; another must not be begun.</summary>
    public bool IsWriting => _journal is { IsWriting: true };

    /// <summary>Whether outgoing messages stand in its record, so that it wants to hear of written checkpoints.</summary>
    public bool HasRecordedOutgoing => _journal is not null;

    /// <summary>Whether its record holds half of the outgoing messages it takes, so that a checkpoint should not be long in coming.</summary>
    public bool IsRecordHalfFull => _journal is { IsHalfFull: true };

    private SessionJournal Journal => _journal ??= new SessionJournal(_context.Options.MaximumRecordedOutgoing, _context.Loop.NowMs);

    /// <summary>
    /// Takes the changes that wait, which are under way from now on. Null when there are none, or when a write is under way:
    /// its end asks again.
    /// </summary>
    public JournalChanges? TakeChanges() => IsEnded ? null : _journal?.Take();

    /// <summary>The changes taken last are stored: what waited for them happens now.</summary>
    public void ChangesWritten()
    {
        if (_journal is not { } journal || IsEnded)
        {
            return;
        }

        journal.Written();
        journal.PermittedMs = _context.Loop.NowMs;
        while (journal.TryRelease(out JournalWait wait))
        {
            Release(wait);
        }

        if (IsEnded)
        {
            return;
        }

        Drain();
        AskForWrite();
        NoteDone();
        DropIdleJournal();
    }

    /// <summary>The changes taken last may not be stored: they are offered again by <see cref="TakeChanges"/>.</summary>
    public void ChangesFailed() => _journal?.Failed();

    /// <summary>A written checkpoint of this node covers the session up to these positions, one per group.</summary>
    public void CheckpointWritten(IReadOnlyList<LogPosition> positions)
    {
        if (_journal is { } journal)
        {
            journal.CheckpointWritten(positions);
            AskForWrite();
            DropIdleJournal();
        }
    }

    /// <summary>
    /// A checkpoint was taken, and where nothing of a full record goes by it, the record says itself up to where the session is
    /// done. A checkpoint's common positions are the least of all sessions of the node: two with full records, each ahead in
    /// another group, would hold each other up for ever; and where too many are behind none is written.
    /// </summary>
    public void RelieveRecord()
    {
        if (IsKept && _journal is { IsStuck: true } journal)
        {
            journal.PositionsRecorded(DonePositions());
            AskForWrite();
        }
    }

    /// <summary>Deletions of done messages go along with the next write; when they pile up, or sends wait for them, they get one of their own.</summary>
    private void AskForWrite()
    {
        if (_journal is { HasPending: true, IsWriting: false, IsHalfFull: true } && _context.Keeper is { } keeper)
        {
            keeper.Changed(this);
        }
    }

    /// <summary>
    /// What is written to the device next leaves by the last permission of the store: nothing of it may leave when another
    /// node may have the session. Returns the channel.
    /// </summary>
    private Channel Permitted(Channel channel)
    {
        if (IsKept)
        {
            channel.Host.MarkPermitted(_journal?.PermittedMs ?? _context.Loop.NowMs);
        }

        return channel;
    }

    private void DropIdleJournal()
    {
        if (_journal is { IsIdle: true })
        {
            _journal = null;
        }
    }

    /// <summary>Lets a step wait until everything set so far is stored.</summary>
    private void Await(in JournalWait wait)
    {
        Journal.Await(wait);
        _context.Keeper!.Changed(this);
    }

    private void Release(in JournalWait wait)
    {
        if (IsEnded)
        {
            Abandon(wait);
            return;
        }

        switch (wait.Step)
        {
            case JournalStep.AnswerOperation:
                Answer((SubscribeOperation)wait.Subject!);
                break;
            case JournalStep.SendPublish:
                SendRecorded(wait.PacketId);
                break;
            case JournalStep.SendPubRel:
                ReceiptWritten(wait.PacketId);
                break;
            case JournalStep.Forward:
                ForwardEntry(wait);
                break;
            case JournalStep.RefuseEntry:
                RefuseEntry(wait);
                break;
            case JournalStep.SendPubComp:
                FinishEntry(wait);
                break;
        }
    }

    private static void Abandon(in JournalWait wait) => (wait.Subject as SharedMessage)?.Release();

    private void AbandonJournal()
    {
        while (_journal is not null && _journal.TryAbandon(out JournalWait wait))
        {
            Abandon(wait);
        }

        _journal = null;
    }
}
