using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <content>Who waits for whom: of one session one write at a time.</content>
internal sealed partial class SessionKeeper
{
    private readonly HashSet<Session> _writing = [];
    private readonly HashSet<Session> _held = [];
    private readonly Dictionary<Session, Action> _waiting = [];
    private readonly List<Action> _waitingForQuiet = [];
    private bool _isHeldBack;

    /// <summary>
    /// Runs a step when no write of the session is under way, and keeps writes back from then on until
    /// <see cref="LetGo"/>. One at a time.
    /// </summary>
    public void Hold(Session session, Action then)
    {
        _held.Add(session);
        if (_writing.Contains(session))
        {
            _waiting[session] = then;
        }
        else
        {
            then();
        }
    }

    /// <summary>Writes of the session go on.</summary>
    public void LetGo(Session session)
    {
        _held.Remove(session);
        _waiting.Remove(session);
        Settle(session);
    }

    /// <summary>Runs a step when no write of any session is under way, and keeps all back until <see cref="LetAllGo"/>.</summary>
    public void HoldAll(Action then)
    {
        _isHeldBack = true;
        if (_writing.Count == 0)
        {
            then();
        }
        else
        {
            _waitingForQuiet.Add(then);
        }
    }

    /// <summary>All writes go on.</summary>
    public void LetAllGo()
    {
        _isHeldBack = false;
        List();
        RetryDetaches();
    }

    private bool MustWait(Session session) => _isHeldBack || _writing.Contains(session) || _held.Contains(session);

    /// <summary>A write of the session is over, or it is held no longer: whoever waited goes on.</summary>
    private void Settle(Session session)
    {
        if (_writing.Count == 0 && _waitingForQuiet.Count > 0)
        {
            Action[] steps = [.. _waitingForQuiet];
            _waitingForQuiet.Clear();
            Array.ForEach(steps, step => step());
        }

        if (_waiting.Remove(session, out Action? then))
        {
            then();
        }

        if (_retry.IsScheduled)
        {
            // The directory does not take it now, and says so at once: it is asked again when the timer is due, not in
            // every turn.
            return;
        }

        if (_detaching.TryGetValue(session.ClientId, out DetachTask? task))
        {
            TryDetach(task);
        }

        if (_changed.Contains(session))
        {
            List();
        }
    }
}
