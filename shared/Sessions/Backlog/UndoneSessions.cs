namespace Trunkline.Sessions;

/// <summary>
/// The sessions of one loop that outlive their connections and have anything undone: in flight, waiting, or in a log.
/// All others are done up to what the loop has dispatched. Entering and leaving cost a few instructions and no
/// allocation, for that happens with every QoS 1 message. Loop thread only.
/// </summary>
public sealed class UndoneSessions
{
    private Session[] _sessions = new Session[16];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>One of them, from 0 to <see cref="Count"/>; the order changes with every entry and leave.</summary>
    public Session this[int index] => _sessions[index];

    /// <summary>Enters a session; returns its slot, above 0, which it keeps until it leaves or is moved.</summary>
    internal int Enter(Session session)
    {
        if (Count == _sessions.Length)
        {
            Array.Resize(ref _sessions, Count * 2);
        }

        _sessions[Count++] = session;
        return Count;
    }

    /// <summary>Takes out the session of a slot. Returns the session that has the slot now, or null.</summary>
    internal Session? Leave(int slot)
    {
        Session last = _sessions[--Count];
        _sessions[Count] = null!;
        if (slot == Count + 1)
        {
            return null;
        }

        _sessions[slot - 1] = last;
        return last;
    }
}
