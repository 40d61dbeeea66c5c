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
        return pending;
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
