using Trunkline.Directory;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <content>The directory does not answer, or it came back without what it knew.</content>
internal sealed partial class ConnectionGate
{
    /// <summary>How long the first look for a session that may still be written back comes after the claim; each later one waits twice as long.</summary>
    private const int FirstLookMs = 100;
    private const int LongestLookMs = 1_000;

    private bool _servesClean;
    private long _servedClean;

    /// <summary>
    /// The generation in which the directory has everything this loop holds; null before the first claim. A node that comes
    /// late to a new generation finds its grace over, and has to write back all the same.
    /// </summary>
    public string? WrittenBack { get; set; }

    /// <summary>
    /// The directory knows nothing of the session this node has, and its generation is new: it was emptied. A claim of this
    /// very node there was written back meanwhile.
    /// </summary>
    private bool IsForgotten(ConnectAttempt attempt, in Claim answer) =>
        attempt.Local?.Claim is HeldClaim claim
        && (answer.Generation != WrittenBack || _directory.Health.State == DirectoryState.Recovering)
        && (answer.Previous.IsNone || answer.Previous == claim.Token);

    /// <summary>
    /// During the grace of a new generation a session that stands nowhere may still be with a node that has not written it
    /// back. The device waits until it is found, or the grace is over, or its own patience or the channel's deadline.
    /// </summary>
    private void AwaitRecovery(ConnectAttempt attempt)
    {
        Keeper.Counters.Add(KeeperCounter.WaitedForRecovery);
        attempt.AttachNumber = ConnectAttempt.NotCounted;
        new RecoveryWait(this, attempt).Look();
    }

    /// <summary>
    /// Whether a device may be served without a claim. Not where this node has a session of its that outlives connections:
    /// that one is not thrown away for a clean one.
    /// </summary>
    private bool MayServeClean(ConnectAttempt attempt) =>
        WhenAway == WhenAway.ServeClean && _context.Registry.Find(attempt.ClientId) is not { ExpirySeconds: > 0 };

    private void ServeClean(ConnectAttempt attempt, string? detail)
    {
        if (!_servesClean)
        {
            _servesClean = true;
            _servedClean = Keeper.Counters.Read(KeeperCounter.ServedClean);
            KeeperLog.ServesClean(_logger, detail);
        }

        if (!attempt.Channel.IsClosed)
        {
            Keeper.Counters.Add(KeeperCounter.ServedClean);
            attempt.Request.ServeClean();
            attempt.Channel.Open();
            if (attempt.Channel.Session is { IsEnded: false } session)
            {
                session.Claim = ServedClean.Instance;
                _log.Connected(attempt.Channel, session.ClientId, attempt.Channel.WasSessionPresent);
            }
        }

        Finish(attempt);
    }

    /// <summary>A claim was granted: the directory is there.</summary>
    private void NoteServed()
    {
        if (_servesClean)
        {
            _servesClean = false;
            KeeperLog.ServesAgain(_logger, Keeper.Counters.Read(KeeperCounter.ServedClean) - _servedClean);
        }
    }

    /// <summary>Looks for the session of one attempt again and again, while the directory recovers.</summary>
    private sealed class RecoveryWait(ConnectionGate gate, ConnectAttempt attempt) : LoopTimer
    {
        private int _pauseMs = FirstLookMs;

        public void Look() => gate._directory.LookUpAsync(attempt.ClientId).Then(
            this, static (wait, found) => wait.Post(found));

        protected override void OnDue()
        {
            if (attempt.Channel.IsClosed)
            {
                gate.Finish(attempt);
            }
            else if (gate._directory.Health.State == DirectoryState.Recovering)
            {
                Look();
            }
            else
            {
                // Over, unless the directory knows better.
                gate.Claim(attempt, ExpectedHolder.Free, default);
            }
        }

        private void Post(DirectoryResult<Holding> found) => attempt.OnLoop(() => Found(found));

        private void Found(DirectoryResult<Holding> found)
        {
            if (found.IsOk && (found.Value.SessionExists || !found.Value.Token.IsNone))
            {
                attempt.FoundIn = found.Value.Generation;
                gate.Claim(attempt, ExpectedHolder.Free, default);
                return;
            }

            gate.Loop.Timers.Schedule(this, _pauseMs);
            _pauseMs = int.Min(LongestLookMs, _pauseMs * 2);
        }
    }
}
