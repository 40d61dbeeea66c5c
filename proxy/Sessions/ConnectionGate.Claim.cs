using Trunkline.Directory;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <content>From CONNECT to a granted claim.</content>
internal sealed partial class ConnectionGate
{
    private void Begin(ConnectAttempt attempt)
    {
        _attempts[attempt.ClientId] = attempt;

        // The session of an older connection may be on its way into the directory, or not get there: then it is still here.
        Keeper.WhenDetached(attempt.ClientId, attempt, static (attempt, _) => attempt.Gate.ClaimFirst(attempt));
    }

    private void ClaimFirst(ConnectAttempt attempt)
    {
        if (_context.Registry.Find(attempt.ClientId) is { Claim: HeldClaim } session)
        {
            HoldOwn(attempt, session);
        }
        else
        {
            Claim(attempt, ExpectedHolder.Free, default);
        }
    }

    private void HoldOwn(ConnectAttempt attempt, Session session)
    {
        attempt.Local = session;
        Keeper.Hold(session, () => ClaimOwn(attempt));
    }

    /// <summary>This node has the session: what it has is newer than what is stored, if nobody took it meanwhile.</summary>
    private void ClaimOwn(ConnectAttempt attempt)
    {
        if (attempt.Local is { Claim: HeldClaim claim })
        {
            Claim(attempt, ExpectedHolder.Exactly, claim.Token);
        }
        else
        {
            Drop(attempt);
            Claim(attempt, ExpectedHolder.Free, default);
        }
    }

    private void Claim(ConnectAttempt attempt, ExpectedHolder expecting, SessionToken expected)
    {
        if (++attempt.Tries > _admission.MaximumTries)
        {
            Keeper.Counters.Add(KeeperCounter.RefusedByTries);
            Refuse(attempt, ReasonCode.ServerBusy, TakenText);
            return;
        }

        if (attempt.AttachNumber == ConnectAttempt.NotCounted)
        {
            attempt.AttachNumber = _numbers.Next();
        }

        var request = new ClaimRequest(attempt.ClientId, attempt.AttachNumber, AddressOf(attempt.Channel), expecting, expected)
        {
            WaitsForRecovery = WaitsForRecovery && attempt is { Local: null, Request.CleanStart: false },
            FoundIn = attempt.FoundIn,
            Change = ChangeOf(attempt),
            KnownVersion = SessionStateCodec.Version,
        };
        attempt.Asked = Keeper.Holds.Begin();
        _directory.ClaimAsync(request)
            .Then(attempt, static (attempt, result) => attempt.OnLoop(result, static (attempt, result) => attempt.Gate.Claimed(attempt, result)));
    }

    /// <summary>What CONNECT changes of the record: Clean Start clears it, the new will and expiry stand in it, and the positions of a holder that gave no last word.</summary>
    private SessionChange ChangeOf(ConnectAttempt attempt)
    {
        ConnectRequest request = attempt.Request;
        uint expiry = request.ExpiryWithin(_context.Options);
        List<SessionField>? sets = null;
        if (request.Will is { } will)
        {
            (sets ??= []).AddRange(RecordFields.ToDirectory([SessionStateCodec.Encode(will)]));
        }

        bool clears = request.CleanStart;
        if (!clears && attempt is { BringsWhole: true, Local: { } whole } && RecordFields.Whole(whole) is { } record)
        {
            clears = true;
            (sets ??= []).AddRange(record.Sets.Where(field => field.Name != SessionStateCodec.WillName));
        }
        else if (!clears && attempt.Local is { ExpirySeconds: > 0 } local)
        {
            // The record's attach number changes, so the checkpoint does not cover it for a while: the positions stand in it.
            (sets ??= []).AddRange(RecordFields.ToDirectory([SessionStateCodec.Positions(local.DonePositions())]));
        }
        else if (!clears && attempt.Checkpoint is not null && attempt.Record is { } stored)
        {
            SessionStateReading reading = SessionStateCodec.Decode(RecordFields.ToSession(stored.Fields));
            (sets ??= []).AddRange(RecordFields.ToDirectory([SessionStateCodec.Positions(Higher(reading.State.Positions, attempt.Checkpoint))]));
        }

        return new SessionChange
        {
            ClearsAll = clears,
            Sets = (IReadOnlyList<SessionField>?)sets ?? [],
            ExpirySeconds = expiry,
            WillDelaySeconds = request.Will?.DelaySeconds,

            // The holder's last word would have let it wait for the device, and the device is here.
            DropsWill = attempt.IsSentAway,
        };
    }

    private void Claimed(ConnectAttempt attempt, DirectoryResult<Claim> result)
    {
        switch (result.Status)
        {
            case DirectoryStatus.Ok:
                attempt.Claim = new HeldClaim(
                    result.Value.Token, attempt.AttachNumber, attempt.Request.ExpiryWithin(_context.Options) > 0);
                Ghosts.Remove(attempt.ClientId);
                NoteServed();
                WrittenBack ??= result.Value.Generation;
                if (!result.Value.Previous.IsNone && result.Value.Previous.Node != _directory.Self.Id)
                {
                    // It gave no answer before; should it still be there, it hears that it lost the session.
                    _directory.RequestTakeOverAsync(attempt.ClientId, result.Value.Previous, result.Value.Token).Then(0, static (_, _) => { });
                }

                attempt.Record = result.Value.Record;
                if (result.Value.OwesWill)
                {
                    Keeper.Due?.Invoke(attempt.ClientId, 0);
                }

                DecideUnheld(attempt);
                break;
            case DirectoryStatus.Stale when IsForgotten(attempt, result.Value):
                // What this node has is newer than a directory that came back empty.
                attempt.BringsWhole = true;
                Claim(attempt, result.Value.Previous.IsNone ? ExpectedHolder.Free : ExpectedHolder.Exactly, result.Value.Previous);
                break;
            case DirectoryStatus.Stale:
                Drop(attempt);
                FindHolder(attempt, result.Value.Previous);
                break;
            case DirectoryStatus.Recovering when !attempt.Request.CleanStart:
                AwaitRecovery(attempt);
                break;
            case DirectoryStatus.NewerRecord:
                RefuseNewer(attempt);
                break;
            default:
                // It may have taken place all the same: nobody may believe that this node has served the session.
                Ghosts.Add(attempt.ClientId, isUnknown: true);
                if (result.Status == DirectoryStatus.Unavailable && MayServeClean(attempt))
                {
                    ServeClean(attempt, result.Detail);
                    break;
                }

                Refuse(
                    attempt,
                    result.Status == DirectoryStatus.Busy ? ReasonCode.ServerBusy : ReasonCode.ServerUnavailable,
                    $"The directory could not be asked ({result.Status}).");
                break;
        }
    }

    /// <summary>Decides, unless this process was held since the claim: then it is looked up first whether it still stands.</summary>
    private void DecideUnheld(ConnectAttempt attempt)
    {
        if (!Keeper.Holds.WasHeldSince(attempt.Asked))
        {
            Decide(attempt);
            return;
        }

        Keeper.Counters.Add(KeeperCounter.WritesDistrusted);
        attempt.Asked = Keeper.Holds.Begin();
        _directory.LookUpAsync(attempt.ClientId).Then(attempt, static (attempt, found) => attempt.OnLoop(() =>
        {
            if (found.IsOk && found.Value.Token == attempt.Claim!.Token)
            {
                attempt.Gate.DecideUnheld(attempt);
            }
            else
            {
                attempt.Gate.LoseClaim(attempt, isKnown: found.IsOk);
            }
        }));
    }

    /// <summary>Another node has the session, or nobody knows: this attempt opens nothing.</summary>
    private void LoseClaim(ConnectAttempt attempt, bool isKnown)
    {
        if (isKnown)
        {
            Drop(attempt);
        }
        else if (attempt.Local is { } local)
        {
            Renew(local, attempt);
        }

        Refuse(attempt, ReasonCode.ServerBusy, TakenText);
    }

    /// <summary>A newer version of ours wrote the session: this one would lose what it cannot read, so it leaves it alone.</summary>
    private void RefuseNewer(ConnectAttempt attempt)
    {
        Keeper.Counters.Add(KeeperCounter.SessionsNewer);
        Refuse(attempt, ReasonCode.ServerUnavailable, NewerText);
    }

    /// <summary>Somebody holds it, or somebody else does now: that node is told first, and writes what only it knows.</summary>
    private void FindHolder(ConnectAttempt attempt, SessionToken holder)
    {
        if (holder.IsNone)
        {
            Claim(attempt, ExpectedHolder.Free, default);
        }
        else if (holder.Node == _directory.Self.Id || holder == attempt.ConfirmedBy)
        {
            // A claim that no session stands for: its release was lost, or it was asked for while it was under way.
            TakeUnanswered(attempt, holder);
        }
        else
        {
            _directory.RequestTakeOverAsync(attempt.ClientId, holder, new SessionToken(0, _directory.Self.Id)).Then(
                (attempt, holder),
                static (state, answer) => state.attempt.OnLoop(() => state.attempt.Gate.Answered(state.attempt, state.holder, answer)));
        }
    }

    private void Answered(ConnectAttempt attempt, SessionToken holder, TakeOverAnswer answer)
    {
        if (attempt.Channel.IsClosed && attempt.Next is null)
        {
            Finish(attempt);
        }
        else if (answer == TakeOverAnswer.Confirmed)
        {
            attempt.ConfirmedBy = holder;
            Claim(attempt, ExpectedHolder.Free, default);
        }
        else
        {
            TakeUnanswered(attempt, holder);
        }
    }

    /// <summary>
    /// The holder gave no last word: its checkpoint serves, read before the claim that replaces it, with the record it
    /// belongs to.
    /// </summary>
    private void TakeUnanswered(ConnectAttempt attempt, SessionToken holder) =>
        _directory.ReadSessionAsync(attempt.ClientId).Then((attempt, holder), static (state, result) => state.attempt.OnLoop(() =>
            state.attempt.Gate.ReadRecord(state.attempt, state.holder, result)));

    private void ReadRecord(ConnectAttempt attempt, SessionToken holder, DirectoryResult<StoredSession> result)
    {
        if (!result.IsOk)
        {
            Refuse(attempt, ReasonCode.ServerUnavailable, $"The directory could not be asked ({result.Status}).");
        }
        else if (result.Value.Token != holder)
        {
            FindHolder(attempt, result.Value.Token);
        }
        else
        {
            attempt.Record = result.Value;
            _directory.ReadCheckpointAsync(holder.Node).Then((attempt, holder), static (state, read) => state.attempt.OnLoop(() =>
                state.attempt.Gate.ReadCheckpoint(state.attempt, state.holder, read)));
        }
    }

    private void ReadCheckpoint(ConnectAttempt attempt, SessionToken holder, DirectoryResult<NodeCheckpoint?> result)
    {
        if (result.Status == DirectoryStatus.NewerRecord)
        {
            // Without the checkpoint it would go on from where it was attached, and get QoS 2 messages again.
            RefuseNewer(attempt);
            return;
        }

        if (!result.IsOk)
        {
            Refuse(attempt, ReasonCode.ServerUnavailable, $"The directory could not be asked ({result.Status}).");
            return;
        }

        attempt.IsUnanswered = true;
        attempt.IsSentAway = result.Value is { IsLeaving: true };
        attempt.Checkpoint = NodeCheckpoint.Higher(
            attempt.Record!.Checkpoint, result.Value?.PositionsOf(attempt.ClientId, attempt.Record.AttachNumber));
        Keeper.Counters.Add(KeeperCounter.TakenUnanswered);
        KeeperLog.TakenUnanswered(_logger, holder.Node, attempt.ClientId);
        Claim(attempt, ExpectedHolder.Exactly, holder);
    }

    /// <summary>Another node has the session: what this one has of it is worth nothing any more.</summary>
    private void Drop(ConnectAttempt attempt)
    {
        attempt.Checkpoint = null;
        attempt.IsUnanswered = false;
        attempt.IsSentAway = false;
        if (attempt.Local is { } local)
        {
            attempt.Local = null;
            local.Claim = null;
            Keeper.LetGo(local);
            if (local.Channel is { } channel)
            {
                channel.TakeOver();
            }
            else
            {
                _context.Registry.Forget(local);
            }
        }
    }

    /// <summary>Ends an attempt in which something of ours went wrong; the loop was told what.</summary>
    public void Abandon(ConnectAttempt attempt) => Refuse(attempt, ReasonCode.UnspecifiedError, "The node failed to take up the session.");

    private void Refuse(ConnectAttempt attempt, ReasonCode reason, string detail)
    {
        attempt.Channel.Refuse(reason, detail);
        Finish(attempt);
    }
}
