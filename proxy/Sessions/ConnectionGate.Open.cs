using Trunkline.Directory;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <content>A granted claim: the session comes here, the channel opens.</content>
internal sealed partial class ConnectionGate
{
    private void Decide(ConnectAttempt attempt)
    {
        if (attempt.Local is { } local)
        {
            // The claim replaced the one the session had; should it be written without a connection, then under this one.
            Renew(local, attempt);
        }

        if (attempt.IsLost)
        {
            attempt.Channel.Refuse(ReasonCode.ServerBusy, TakenText);
        }
        else if (attempt.Channel.IsClosed)
        {
            EndUnopened(attempt);
        }
        else if (!_context.Registry.HasRoomFor(attempt.ClientId))
        {
            RefuseForRoom(attempt.Channel);
        }
        else if (!TryBring(attempt))
        {
            return;
        }
        else
        {
            Open(attempt);
        }

        Finish(attempt);
    }

    /// <summary>
    /// The session here follows a granted claim: its token, and the will that CONNECT brought. The directory has taken the
    /// will before out of the record, to be published under the claim before; nobody may publish that under this one.
    /// </summary>
    private static void Renew(Session local, ConnectAttempt attempt)
    {
        local.Claim = attempt.Claim;
        local.ReplaceWill(attempt.Request.Will);
    }

    /// <summary>The device left before it was answered; its CONNECT has changed the record all the same, so the session here follows it.</summary>
    private void EndUnopened(ConnectAttempt attempt)
    {
        if (attempt.Local is not { } local)
        {
            return;
        }

        if (attempt.Request.CleanStart)
        {
            local.Claim = null;
        }

        if (local.Channel is { } channel)
        {
            channel.TakeOver();
        }
        else if (attempt.Request.CleanStart)
        {
            Keeper.Reattached(attempt.ClientId);
            _context.Registry.Forget(local);
        }
    }

    /// <summary>Brings the stored session here, if there is one to go on with. Returns false when something has to be written first, or the attempt was refused.</summary>
    private bool TryBring(ConnectAttempt attempt)
    {
        Keeper.Reattached(attempt.ClientId);
        if (_context.Registry.Find(attempt.ClientId) is { Claim: ServedClean, Channel: { } clean })
        {
            // It ends with its connection; what is stored is another session.
            clean.TakeOver();
        }

        if (_context.Registry.Find(attempt.ClientId) is { } before)
        {
            before.Claim = TakenOverHere.Instance;
            return true;
        }

        if (attempt.Request.CleanStart || attempt.Record is not { Exists: true } record)
        {
            return true;
        }

        SessionStateReading reading = SessionStateCodec.Decode(RecordFields.ToSession(record.Fields));
        if (!reading.IsWhole && reading.Damage.Any(damage => damage.Kind == FieldDamageKind.Newer))
        {
            RefuseNewer(attempt);
            return false;
        }

        if (Restore(attempt, record, reading))
        {
            return true;
        }

        StartAnew(attempt);
        return false;
    }

    private void Open(ConnectAttempt attempt)
    {
        attempt.Channel.Open();
        if (attempt.Channel.Session is not { } session || session.IsEnded)
        {
            return;
        }

        session.Claim = attempt.Claim;
        Keeper.Restored(session);
        _log.Connected(attempt.Channel, session.ClientId, attempt.Channel.WasSessionPresent);
    }

    /// <summary>Brings the stored session here. Returns whether the device may be told that it is present.</summary>
    private bool Restore(ConnectAttempt attempt, StoredSession record, SessionStateReading reading)
    {
        foreach (FieldDamage damage in reading.Damage)
        {
            Keeper.Counters.Add(KeeperCounter.FieldsSetAside);
            KeeperLog.FieldSetAside(_logger, attempt.ClientId, damage.Name, damage.Kind);
        }

        if (!reading.IsWhole)
        {
            Keeper.Counters.Add(KeeperCounter.SessionsUnreadable);
            KeeperLog.SessionUnreadable(_logger, attempt.ClientId);
            return false;
        }

        IReadOnlyList<LogPosition> checkpoint = attempt.Checkpoint ?? record.Checkpoint ?? [];
        _context.Registry.Restore(
            attempt.ClientId,
            reading.State,
            Higher(reading.State.Positions, checkpoint),
            checkpoint,
            isAfterDeath: attempt.IsUnanswered || !record.LastNode.IsNone);
        return true;
    }

    /// <summary>
    /// What is stored cannot be read whole. The device gets a new session; the old record is cleared under the new claim,
    /// before anything of the new session is written.
    /// </summary>
    private void StartAnew(ConnectAttempt attempt)
    {
        Will? will = attempt.Request.Will;
        var change = new SessionChange
        {
            ClearsAll = true,
            Sets = will is null ? [] : RecordFields.ToDirectory([SessionStateCodec.Encode(will)]),
            WillDelaySeconds = will?.DelaySeconds,
            ExpirySeconds = attempt.Request.ExpiryWithin(_context.Options),
        };
        _directory.WriteSessionAsync(attempt.ClientId, attempt.Claim!.Token, change).Then(
            attempt, static (attempt, result) => attempt.OnLoop(() => attempt.Gate.StartedAnew(attempt, result)));
    }

    private void StartedAnew(ConnectAttempt attempt, DirectoryResult result)
    {
        attempt.Record = null;
        if (result.IsOk)
        {
            Decide(attempt);
        }
        else
        {
            Refuse(attempt, ReasonCode.ServerUnavailable, $"The directory could not be asked ({result.Status}).");
        }
    }

    /// <summary>The higher of two positions, group by group.</summary>
    private static List<GroupPosition> Higher(IReadOnlyList<GroupPosition> stored, IReadOnlyList<LogPosition> checkpoint)
    {
        var positions = new List<GroupPosition>();
        for (int group = 0; group < checkpoint.Count; group++)
        {
            LogPosition own = LogPosition.None;
            foreach (GroupPosition position in stored)
            {
                own = position.Group == group ? position.Position : own;
            }

            LogPosition higher = own > checkpoint[group] ? own : checkpoint[group];
            if (!higher.IsNone)
            {
                positions.Add(new GroupPosition(group, higher));
            }
        }

        positions.AddRange(stored.Where(position => position.Group >= checkpoint.Count));
        return positions;
    }

    /// <summary>The attempt is decided: the one that waited for it begins, or a claim that no session took is given up.</summary>
    private void Finish(ConnectAttempt attempt)
    {
        string clientId = attempt.ClientId;
        _attempts.Remove(clientId);
        if (attempt.Local is { } local)
        {
            attempt.Local = null;
            Keeper.LetGo(local);
        }

        bool isHeld = _context.Registry.Find(clientId)?.Claim is HeldClaim;
        if (attempt.IsLost && isHeld)
        {
            // The session of an older connection stands under the claim that was asked for.
            GiveAway(attempt);
        }
        else if (!isHeld && attempt.Claim is { } claim)
        {
            // Until it is given up, or the attempt that waits replaces it, nobody may believe that this node has served the
            // session: a checkpoint that is written meanwhile would cover it.
            Ghosts.Add(attempt.ClientId, isUnknown: false);
            if (attempt.IsLost || attempt.Next is not { Channel.IsClosed: false })
            {
                GiveUp(attempt, claim);
            }
        }

        if (attempt.Next is { Channel.IsClosed: false } next)
        {
            Begin(next);
        }
    }

    private void GiveUp(ConnectAttempt attempt, HeldClaim claim)
    {
        _directory.ReleaseAsync(attempt.ClientId, claim.Token).Then(attempt, static (attempt, result) => attempt.OnLoop(() =>
        {
            if (result.Status is DirectoryStatus.Ok or DirectoryStatus.Stale)
            {
                attempt.Gate.Ghosts.Remove(attempt.ClientId);
            }
        }));
    }
}
