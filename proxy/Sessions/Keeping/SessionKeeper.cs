using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Keeps the sessions of one loop in the directory: what they write ahead, gathered per turn, and their whole state when
/// their connection is gone. Loop thread only.
/// </summary>
/// <remarks>
/// Of one session one write at a time: a claim, a write, a write-back and a detach wait for each other.
/// <code>
///   Changed ──► changed ──end of turn──► one batch to the directory ──► stored: the session goes on
///      ▲                                          │ away: repeated      │ another token: closed with 0x8E
///      └──────────────────────────────────────────┘
///   Detached ──► detaching ──► stored: forgotten here
/// </code>
/// Files: SessionKeeper (writing), SessionKeeper.Detach, SessionKeeper.Hold (who waits for whom), SessionKeeper.Withheld
/// (what waits in its connection).
/// </remarks>
internal sealed partial class SessionKeeper : ISessionKeeper, IEndOfTurn
{
    private const long RetryMs = 250;

    private readonly SessionContext _context;
    private readonly IDirectory _directory;
    private readonly ILogger _logger;
    private readonly RetryTimer _retry;
    private readonly HashSet<Session> _changed = [];
    private readonly HashSet<Session> _recorded = [];
    private readonly string _nodeId;
    private readonly ulong _linkNumber;
    private ulong _lastNumber;
    private bool _isListed;
    private bool _isAway;

    /// <summary>Wires the keeper of one loop.</summary>
    public SessionKeeper(SessionContext context, IDirectory directory, ILogger logger)
    {
        _context = context;
        _directory = directory;
        _logger = logger;
        _retry = new RetryTimer(this);
        Holds = new HoldWatch(context.Loop);
        _nodeId = directory.Self.Id.ToString();

        // A numbering of its own beside those of the publish links, which give numbers only when they write.
        _linkNumber = 1_000_000 + (ulong)context.Loop.Index;
        context.Keeper = this;
        context.Loop.OutputWithdrawn = () => Counters.Add(KeeperCounter.SendsWithdrawn);
    }

    /// <summary>What it counts.</summary>
    public KeeperCounters Counters { get; } = new();

    /// <summary>Whether this process was held while something was asked.</summary>
    public HoldWatch Holds { get; }

    /// <summary>Told when the directory does not know a holder any more: what is held has to be written back.</summary>
    public Action? Doubted { get; set; }

    /// <summary>Told that something of a client identifier is due after so many milliseconds; 0 for now.</summary>
    public Action<string, long>? Due { get; set; }

    /// <summary>Told that a session's record is half full: what a checkpoint passes goes from it.</summary>
    public Action? RecordFills { get; set; }

    /// <inheritdoc/>
    public MessageId NextMessageId() => new(_nodeId, _linkNumber, ++_lastNumber);

    /// <inheritdoc/>
    public void Changed(Session session)
    {
        _changed.Add(session);
        _recorded.Add(session);
        List();
    }

    /// <summary>A session was restored with messages in its record, so it wants to hear of checkpoints.</summary>
    public void Restored(Session session)
    {
        if (session.HasRecordedOutgoing)
        {
            _recorded.Add(session);
        }
    }

    /// <inheritdoc/>
    public void OnEndOfTurn()
    {
        _isListed = false;
        List<Session>? sessions = null;
        List<SessionWrite>? writes = null;
        foreach (Session session in _changed.ToArray())
        {
            if (MustWait(session))
            {
                continue;
            }

            _changed.Remove(session);
            if (session.Claim is HeldClaim claim && !IsDetaching(session.ClientId) && TakeChanges(session) is { } changes)
            {
                _writing.Add(session);
                (sessions ??= []).Add(session);
                (writes ??= []).Add(new SessionWrite(session.ClientId, claim.Token, new SessionChange
                {
                    Sets = RecordFields.ToDirectory(changes.Sets),
                    Deletes = changes.Deletes,
                    ExpirySeconds = session.ExpirySeconds,
                }));
            }
        }

        if (writes is not null)
        {
            _directory.WriteSessionsAsync(writes).Then(
                (Keeper: this, Sessions: sessions!, Asked: Holds.Begin()),
                static (state, results) => state.Keeper._context.Loop.Post(
                    () => state.Keeper.Written(state.Sessions, results, state.Asked)));
        }
    }

    /// <summary>A checkpoint is written.</summary>
    /// <param name="attachNumber">The highest attach number it covers.</param>
    /// <param name="positions">The positions of all but the laggards.</param>
    /// <param name="laggards">Those of the laggards.</param>
    public void CheckpointWritten(
        long attachNumber, IReadOnlyList<LogPosition> positions, IReadOnlyDictionary<string, IReadOnlyList<LogPosition>> laggards)
    {
        foreach (Session session in _recorded.ToArray())
        {
            if (session.IsEnded || !session.HasRecordedOutgoing)
            {
                _recorded.Remove(session);
                continue;
            }

            if (session.Claim is HeldClaim claim && claim.AttachNumber <= attachNumber)
            {
                session.CheckpointWritten(laggards.GetValueOrDefault(session.ClientId) ?? positions);
            }

            session.RelieveRecord();
        }
    }

    /// <summary>A checkpoint was taken, and need not be written or could not be made: full records go on without it.</summary>
    public void RelieveRecords()
    {
        foreach (Session session in _recorded.Where(session => !session.IsEnded).ToArray())
        {
            session.RelieveRecord();
        }
    }

    private void Written(List<Session> sessions, IReadOnlyList<DirectoryResult> results, long asked)
    {
        int failed = 0;
        bool fills = false;

        // In this order: a hold between the two is seen when what is withheld is sent.
        long lookedMs = _context.Loop.ReadClockMs();
        bool wasHeld = Holds.WasHeldSince(asked);
        for (int i = 0; i < sessions.Count; i++)
        {
            Session session = sessions[i];
            _writing.Remove(session);
            switch (results[i].Status)
            {
                case DirectoryStatus.Ok when wasHeld:
                    // Another node may have the session by now: nothing leaves by a permission from before.
                    Counters.Add(KeeperCounter.WritesDistrusted);
                    session.ChangesFailed();
                    _changed.Add(session);
                    List();
                    break;
                case DirectoryStatus.Ok:
                    Counters.Add(KeeperCounter.ChangesWritten);
                    session.ChangesWritten();
                    SendWithheld(session, lookedMs);
                    fills |= session.IsRecordHalfFull;
                    break;
                case DirectoryStatus.Stale:
                    Counters.Add(KeeperCounter.Fenced);
                    Fence(session);
                    break;
                default:
                    failed++;
                    Repeat(session, results[i]);
                    break;
            }

            Settle(session);
        }

        if (fills)
        {
            RecordFills?.Invoke();
        }

        NoteAway(failed, failed > 0 ? results.First(result => !result.IsOk) : default);
    }

    private void Repeat(Session session, DirectoryResult result)
    {
        Counters.Add(KeeperCounter.WritesRepeated);
        session.ChangesFailed();
        _changed.Add(session);
        if (result.Status == DirectoryStatus.Missing)
        {
            Doubted?.Invoke();
        }

        Retry();
    }

    /// <summary>Another node has the session: nothing of it may leave here any more.</summary>
    private void Fence(Session session)
    {
        _withheld.Remove(session);
        session.Claim = null;
        if (session.Channel is { } channel)
        {
            // Its end comes back as Detached, which forgets a session without a claim.
            channel.TakeOver();
        }
        else
        {
            _context.Registry.Forget(session);
        }
    }

    private void NoteAway(int failed, DirectoryResult result)
    {
        if (failed > 0 && !_isAway)
        {
            _isAway = true;
            KeeperLog.WritesWait(_logger, failed, result.Status, result.Detail);
        }
        else if (failed == 0 && _isAway)
        {
            _isAway = false;
            KeeperLog.WritesGoOn(_logger);
        }
    }

    private void List()
    {
        if (!_isListed)
        {
            _isListed = true;
            _context.Loop.AtEndOfTurn(this);
        }
    }

    private void Retry()
    {
        if (!_retry.IsScheduled)
        {
            _context.Loop.Timers.Schedule(_retry, RetryMs);
        }
    }

    private sealed class RetryTimer(SessionKeeper keeper) : LoopTimer
    {
        protected override void OnDue()
        {
            keeper.List();
            keeper.RetryDetaches();
        }
    }
}
