using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// Publishers that are not read from while too much waits for the log: a disk that is full or slow pushes back, and its
/// backlog stays bounded. They go on when half of it is written.
/// </summary>
internal sealed class LogPauses(BrokerState state)
{
    private readonly HashSet<Session> _paused = [];

    /// <summary>Whether a publisher that just appended something is to pause.</summary>
    public bool MustPause(Session publisher)
    {
        if (state.Log.UncommittedBytes <= state.Options.LogUncommittedMaximumBytes)
        {
            return false;
        }

        if (_paused.Add(publisher))
        {
            state.Counters.Add(BrokerCounter.LogPauses);
        }

        return true;
    }

    /// <summary>Some of what waited is written.</summary>
    public void OnCommitted()
    {
        if (_paused.Count == 0 || state.Log.UncommittedBytes > state.Options.LogUncommittedMaximumBytes / 2)
        {
            return;
        }

        foreach (Session session in _paused)
        {
            session.Channel?.ResumeReading();
        }

        _paused.Clear();
    }
}
