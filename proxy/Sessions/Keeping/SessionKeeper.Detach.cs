using Trunkline.Directory;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <content>Sessions whose connection is gone.</content>
internal sealed partial class SessionKeeper
{
    private readonly Dictionary<string, DetachTask> _detaching = new(StringComparer.Ordinal);
    private TaskCompletionSource? _empty;

    /// <summary>
    /// Set while the node stops for good and its sessions move elsewhere: wills of devices that it sends away wait for them
    /// to be back elsewhere, at least so many seconds; who vanished unnoticed is not back by then, and has its will. One
    /// whose connection breaks meanwhile, or broke just before, has its will as ever.
    /// </summary>
    public uint? DrainWillWaitSeconds { get; set; }

    /// <summary>Set while the process ends with everything it keeps: wills are fired at once, whatever their delay.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Sessions on their way into the directory.</summary>
    public int Detaching => _detaching.Count;

    /// <summary>Whether the session of a client identifier is on its way into the directory.</summary>
    public bool IsDetaching(string clientId) => _detaching.ContainsKey(clientId);

    /// <summary>Runs a step when a session on its way is there (true), or could not be written for now (false).</summary>
    public void WhenDetached<TState>(string clientId, TState state, Action<TState, bool> then)
    {
        if (_detaching.TryGetValue(clientId, out DetachTask? task) && !EndsWithSession(task))
        {
            AddDone(task, state, then);
        }
        else
        {
            then(state, true);
        }
    }

    // Apart, so that nothing is made for the many that need not wait.
    private static void AddDone<TState>(DetachTask task, TState state, Action<TState, bool> then) =>
        task.Done.Add(isStored => then(state, isStored));

    /// <summary>Completes when no session is on its way any more.</summary>
    public Task WhenAllDetached()
    {
        if (_detaching.Count == 0)
        {
            return Task.CompletedTask;
        }

        _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _empty.Task;
    }

    /// <inheritdoc/>
    public void Detached(Session session, int? sentAwayAfterSeconds)
    {
        uint? willWaitSeconds = sentAwayAfterSeconds is { } silence && DrainWillWaitSeconds is { } least ? uint.Max(least, (uint)silence) : null;
        _withheld.Remove(session);
        switch (session.Claim)
        {
            case HeldClaim claim:
                if (IsEnding)
                {
                    session.PublishWill(MessageId.OfWill(session.Origin, claim.Token.Epoch));
                }

                var task = new DetachTask(session, claim, willWaitSeconds);
                if (task.WillWaitSeconds.HasValue)
                {
                    Counters.Add(KeeperCounter.WillsWaiting);
                }

                _detaching[session.ClientId] = task;
                if (!task.IsPersistent)
                {
                    _context.Registry.Forget(session);
                }

                TryDetach(task);
                break;
            case ServedClean:
                // Of one that is sent away no will can wait: no record stands for it.
                if (willWaitSeconds is null)
                {
                    session.PublishWill(default);
                }

                _context.Registry.End(session);
                break;
            case TakenOverHere:
                // A new connection of this node takes it; what does not outlive the old one ends.
                if (session.ExpirySeconds == 0)
                {
                    _context.Registry.Forget(session);
                }

                break;
            default:
                // Another node has it, or it was never claimed: nothing of it may be written.
                _context.Registry.Forget(session);
                break;
        }
    }

    /// <summary>The client identifier has a connection here again: what was on its way into the directory stays.</summary>
    public void Reattached(string clientId)
    {
        if (_detaching.Remove(clientId, out DetachTask? task))
        {
            // The detach was to write what waits to be written, too, and did not: whoever waits for that goes on here.
            _changed.Add(task.Session);
            List();
            Finish(task, isStored: false);
        }
    }

    private void TryDetach(DetachTask task)
    {
        Session session = task.Session;
        if (task.IsUnderWay || EndsWithSession(task) || (task.IsPersistent && MustWait(session)))
        {
            return;
        }

        task.Token = session.Claim is HeldClaim claim ? claim.Token : task.Token;
        task.IsUnderWay = true;
        _changed.Remove(session);
        if (!task.IsPersistent && !session.HasWill && !task.WasPersistent)
        {
            _directory.ReleaseAsync(task.ClientId, task.Token).Then((this, task), static (state, result) => state.Item1.Answered(state.task, result));
            return;
        }

        JournalChanges changes = task.IsPersistent ? session.ExportDetached() : new JournalChanges([], []);
        var change = new SessionChange
        {
            Sets = RecordFields.ToDirectory(changes.Sets),
            Deletes = changes.Deletes,
            ExpirySeconds = session.ExpirySeconds,
            DropsWill = !session.HasWill,
            WillWaitSeconds = session.HasWill ? task.WillWaitSeconds : null,
        };
        _writing.Add(session);
        _directory.DetachSessionAsync(task.ClientId, task.Token, change).Then((this, task), static (state, result) => state.Item1.Answered(state.task, result));
    }

    /// <summary>
    /// A session that was let go while it waited for its turn is another node's, or cleared: there is nothing to write, and
    /// whoever waits for that must not wait for ever.
    /// </summary>
    private bool EndsWithSession(DetachTask task)
    {
        if (task.IsUnderWay || !task.IsPersistent || !task.Session.IsEnded)
        {
            return false;
        }

        _detaching.Remove(task.ClientId);
        Finish(task, isStored: true);
        return true;
    }

    private void Answered(DetachTask task, DirectoryResult result) => _context.Loop.Post(() => Answer(task, result));

    private void Answer(DetachTask task, DirectoryResult result)
    {
        Session session = task.Session;
        _writing.Remove(session);
        task.IsUnderWay = false;
        if (!_detaching.TryGetValue(task.ClientId, out DetachTask? current) || !ReferenceEquals(current, task))
        {
            // It got a connection again meanwhile.
            Settle(session);
            return;
        }

        switch (result.Status)
        {
            case DirectoryStatus.Ok:
            case DirectoryStatus.Stale:
            case DirectoryStatus.Missing when !task.IsPersistent:
                long? dueMs = result.IsOk && task.WillDueSeconds is { } seconds ? seconds == 0 ? 0 : 100 + (1000L * seconds) : null;
                Counters.Add(result.IsOk ? KeeperCounter.Detached : KeeperCounter.Fenced);
                session.Claim = null;
                _detaching.Remove(task.ClientId);
                _context.Registry.Forget(session);
                if (dueMs is { } afterMs)
                {
                    Due?.Invoke(task.ClientId, afterMs);
                }

                Finish(task, isStored: true);
                break;
            case DirectoryStatus.DeclaredDead:
                _detaching.Remove(task.ClientId);
                Finish(task, isStored: false);
                break;
            default:
                Wait(task, result);
                break;
        }

        Settle(session);
    }

    /// <summary>
    /// The directory does not take it now: the session stays here and is written when it does. A will that is due does not
    /// wait for that; its identity makes a second copy none.
    /// </summary>
    private void Wait(DetachTask task, DirectoryResult result)
    {
        NoteAway(1, result);
        if (task.HasWillDue)
        {
            task.Session.PublishWill(MessageId.OfWill(task.Session.Origin, task.Token.Epoch));
        }

        if (result.Status == DirectoryStatus.Missing)
        {
            Doubted?.Invoke();
        }

        Retry();
        Action<bool>[] done = [.. task.Done];
        task.Done.Clear();
        Array.ForEach(done, then => then(false));
    }

    private void Finish(DetachTask task, bool isStored)
    {
        Action<bool>[] done = [.. task.Done];
        task.Done.Clear();
        Array.ForEach(done, then => then(isStored));
        if (_detaching.Count == 0)
        {
            _empty?.TrySetResult();
            _empty = null;
        }
    }

    private void RetryDetaches()
    {
        foreach (DetachTask task in _detaching.Values.ToArray())
        {
            TryDetach(task);
        }
    }
}
