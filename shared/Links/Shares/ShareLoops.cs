using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>The members of one share by loop, and which loop's turn it is. The receiver's loop only.</summary>
internal sealed class ShareLoops(int loops, SharedStrategy strategy)
{
    private readonly int[] _connected = new int[loops];
    private readonly int[] _capacity = new int[loops];
    private readonly int[] _handedOut = new int[loops];
    private int _turn;
    private int _stuck;

    public SharedStrategy Strategy { get; } = strategy;

    /// <summary>Connected members of the node.</summary>
    public int Connected => _connected.Sum();

    /// <summary>Messages they take at a time.</summary>
    public int Capacity => _capacity.Sum();

    public void Set(int loop, int connected, int capacity)
    {
        _connected[loop] = connected;
        _capacity[loop] = capacity;
    }

    public void NoteHandedOut(int loop, int change) => _handedOut[loop] += change;

    /// <summary>The loop a message goes to; -1 when nobody is connected.</summary>
    public int Choose(ReadOnlySpan<byte> topic, ulong origin, Random random)
    {
        int total = Connected;
        if (total == 0)
        {
            return -1;
        }

        switch (Strategy)
        {
            case SharedStrategy.HashTopic:
                return Highest(ShareRank.HashOf(topic));
            case SharedStrategy.HashClient:
                return Highest(origin);
            case SharedStrategy.Sticky:
                while (_connected[_stuck] == 0)
                {
                    _stuck = (_stuck + 1) % loops;
                }

                return _stuck;
            case SharedStrategy.LeastInFlight:
                return Least();
            case SharedStrategy.Random:
                return WithRoom(LoopOf(random.Next(total)));
            default:
                return WithRoom(LoopOf(_turn = (_turn + 1) % total));
        }
    }

    private int Highest(ulong key)
    {
        int best = -1;
        double highest = 0;
        for (int loop = 0; loop < loops; loop++)
        {
            if (_connected[loop] > 0 && ShareRank.Score(key, (ulong)loop + 1, _connected[loop]) is var score && (best < 0 || score > highest))
            {
                (best, highest) = (loop, score);
            }
        }

        return best;
    }

    private int Least()
    {
        int best = -1;
        for (int loop = 0; loop < loops; loop++)
        {
            if (_connected[loop] > 0
                && (best < 0 || (long)_handedOut[loop] * _connected[best] < (long)_handedOut[best] * _connected[loop]))
            {
                best = loop;
            }
        }

        return best;
    }

    private int LoopOf(int member)
    {
        int loop = 0;
        while (member >= _connected[loop])
        {
            member -= _connected[loop++];
        }

        return loop;
    }

    /// <summary>That loop, or the next one with room when it is full and another is not.</summary>
    private int WithRoom(int loop)
    {
        for (int i = 0; i < loops; i++)
        {
            int candidate = (loop + i) % loops;
            if (_handedOut[candidate] < _capacity[candidate])
            {
                return candidate;
            }
        }

        return loop;
    }
}
