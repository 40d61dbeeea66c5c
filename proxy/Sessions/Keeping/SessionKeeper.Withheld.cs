using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <content>Output that waits in its connection, for the permission it was to leave by has grown old.</content>
internal sealed partial class SessionKeeper
{
    private readonly HashSet<Session> _withheld = [];

    /// <inheritdoc/>
    public void Withheld(Session session)
    {
        if (session.Claim is HeldClaim && _withheld.Add(session))
        {
            // Any write compares the token; where nothing else is to be written an empty one asks.
            Counters.Add(KeeperCounter.SendsWithheld);
            _changed.Add(session);
            List();
        }
    }

    /// <summary>
    /// What is to be written of a session; null for nothing. What only asks whether the session is still held here changes
    /// nothing.
    /// </summary>
    private JournalChanges? TakeChanges(Session session) =>
        session.TakeChanges() ?? (_withheld.Contains(session) ? new JournalChanges([], []) : null);

    /// <summary>The session was held here since <paramref name="sinceMs"/>: what was withheld leaves, unless the process was held again.</summary>
    private void SendWithheld(Session session, long sinceMs)
    {
        if (_withheld.Remove(session))
        {
            session.Channel?.Host.SendWithheld(sinceMs);
        }
    }
}
