namespace Trunkline.Sessions;

/// <summary>
/// Messages waiting for one session, oldest first, limited in number and bytes; at the limit the oldest is dropped.
/// </summary>
/// <remarks>
/// <code>
///   head                     tail
///    v                        v
///  [ oldest ][ ... ][ newest ][ free ][ free ]   a ring; grows by doubling up to the limit
/// </code>
/// </remarks>
internal sealed class PendingQueue(int maximumMessages, int maximumBytes)
{
    private PendingMessage[] _ring = new PendingMessage[8];
    private int _head;

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>How many of them can be read again from a log.</summary>
    public int Logged { get; private set; }

    /// <summary>Whether one more message stays within limits; an empty queue takes any.</summary>
    public bool HasRoomFor(SharedMessage message, int messages, int bytes) =>
        Count == 0 || (Count < messages && Bytes + message.Size <= bytes);

    /// <summary>Adds a message and takes over its reference. Returns how many old messages were dropped for it.</summary>
    public int Enqueue(in PendingMessage pending)
    {
        int dropped = 0;
        while (Count > 0 && (Count >= maximumMessages || Bytes + pending.Message.Size > maximumBytes))
        {
            Dequeue().Message.Release();
            dropped++;
        }

        if (Count == _ring.Length)
        {
            Grow();
        }

        _ring[(_head + Count) & (_ring.Length - 1)] = pending;
        Count++;
        Bytes += pending.Message.Size;
        Logged += pending.IsLogged ? 1 : 0;
        return dropped;
    }

    /// <summary>Takes the oldest; its reference passes to the caller. The queue must not be empty.</summary>
    public PendingMessage Dequeue()
    {
        PendingMessage pending = _ring[_head];
        _ring[_head] = default;
        _head = (_head + 1) & (_ring.Length - 1);
        Count--;
        Bytes -= pending.Message.Size;
        Logged -= pending.IsLogged ? 1 : 0;
        return pending;
    }

    /// <summary>Where the first logged message of a group stands in its log, or null.</summary>
    public LogPosition? FirstLogged(int group)
    {
        for (int i = 0; i < Count && Logged > 0; i++)
        {
            ref PendingMessage pending = ref _ring[(_head + i) & (_ring.Length - 1)];
            if (pending.IsLogged && pending.Message.Group == group)
            {
                return pending.Message.Position;
            }
        }

        return null;
    }

    /// <summary>Lets go of the logged messages that may go, asked oldest first; the others keep their order.</summary>
    public void RemoveLogged(Predicate<SharedMessage> mayGo)
    {
        for (int left = Logged > 0 ? Count : 0; left > 0; left--)
        {
            PendingMessage pending = Dequeue();
            if (pending.IsLogged && mayGo(pending.Message))
            {
                pending.Message.Release();
            }
            else
            {
                Enqueue(pending);
            }
        }
    }

    /// <summary>Takes out the messages of shares, oldest first, each with its reference; the others keep their order.</summary>
    public List<PendingMessage> TakeShared()
    {
        var taken = new List<PendingMessage>();
        for (int left = Count; left > 0; left--)
        {
            PendingMessage pending = Dequeue();
            if (pending.IsShared)
            {
                taken.Add(pending);
            }
            else
            {
                Enqueue(pending);
            }
        }

        return taken;
    }

    public void Clear()
    {
        while (Count > 0)
        {
            Dequeue().Message.Release();
        }
    }

    private void Grow()
    {
        var larger = new PendingMessage[_ring.Length * 2];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = _ring[(_head + i) & (_ring.Length - 1)];
        }

        _ring = larger;
        _head = 0;
    }
}
