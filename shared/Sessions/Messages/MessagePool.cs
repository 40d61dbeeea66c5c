using Trunkline.Transports;

namespace Trunkline.Sessions;

/// <summary>
/// The pool of <see cref="SharedMessage"/> objects of one loop. Rented on its loop; a message may be returned from any
/// thread: foreign returns gather in a lock-free list which the loop takes over whole, so that no ABA can occur.
/// </summary>
/// <param name="loop">The owner.</param>
/// <param name="maximumKept">How many idle messages are kept; further ones are left to the collector.</param>
public sealed class MessagePool(Loop loop, int maximumKept = 4096)
{
    private SharedMessage? _free;
    private SharedMessage? _foreign;
    private int _kept;
    private long _rented;
    private long _returnedHere;
    private long _returnedElsewhere;

    /// <summary>Messages rented and not returned yet. Exact on the loop; elsewhere it may be a turn old.</summary>
    public long Rented =>
        Volatile.Read(ref _rented) - Volatile.Read(ref _returnedHere) - Volatile.Read(ref _returnedElsewhere);

    /// <summary>Rents a message with one reference. Loop thread only.</summary>
    public SharedMessage Rent(in MessageContent content)
    {
        SharedMessage? message = _free;
        if (message is null)
        {
            AdoptForeign();
            message = _free;
        }

        if (message is null)
        {
            message = new SharedMessage(this);
        }
        else
        {
            _free = message.NextFree;
            message.NextFree = null;
            _kept--;
        }

        message.Fill(content);
        if (message.Size > BufferPool.LargeBytes)
        {
            loop.Memory.Take(message.Size);
        }

        _rented++;
        return message;
    }

    internal void Return(SharedMessage message)
    {
        message.DropLargeBuffer();
        if (loop.IsCurrent)
        {
            _returnedHere++;
            Keep(message);
            return;
        }

        Interlocked.Increment(ref _returnedElsewhere);

        SharedMessage? head;
        do
        {
            head = Volatile.Read(ref _foreign);
            message.NextFree = head;
        }
        while (Interlocked.CompareExchange(ref _foreign, message, head) != head);
    }

    private void Keep(SharedMessage message)
    {
        if (_kept >= maximumKept)
        {
            return;
        }

        message.NextFree = _free;
        _free = message;
        _kept++;
    }

    private void AdoptForeign()
    {
        SharedMessage? next = Interlocked.Exchange(ref _foreign, null);
        while (next is not null)
        {
            SharedMessage message = next;
            next = message.NextFree;
            Keep(message);
        }
    }
}
