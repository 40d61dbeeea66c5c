using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>One QoS 1 or 2 message that its group has not acknowledged yet.</summary>
internal struct KeptMessage
{
    public PublishTicket Ticket;
    public FrameBlock Block;
    public int Offset;
    public int Length;
    public int PacketIdOffset;

    /// <summary>Where the digits of the number stand in the frame; 0 towards a foreign broker.</summary>
    public int NumberOffset;
    public byte NumberDigits;
    public bool IsDone;

    /// <summary>Where the expiry interval stands in the frame; 0 for none.</summary>
    public int ExpiryOffset;
    public uint ExpirySeconds;
    public long KeptAtMs;

    /// <summary>Towards a foreign group's log: the message's own id; null where it has none.</summary>
    public string? Id;

    /// <summary>The number the digits show.</summary>
    public ulong Number;

    public readonly Span<byte> Frame => Block.Bytes.AsSpan(Offset, Length);
}

/// <summary>
/// What one publish link keeps, oldest first. Loop thread only.
/// </summary>
/// <remarks>
/// <code>
///   head              sent            written                tail
///    v                 v                v                      v
///   [ in flight now   ][ sent once, on  ][ never written to any ]
///   [ ids head id + i ][ an older link  ][ connection: may be   ]
///   [ some are done   ][                ][ refused              ]
/// </code>
/// Done entries exist only below <c>sent</c>; they leave when they reach the head, or all at once when the link is lost.
/// </remarks>
internal sealed class KeptRing
{
    private KeptMessage[] _ring = new KeptMessage[64];
    private int _head;

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    public ref KeptMessage this[int index] => ref _ring[(_head + index) & (_ring.Length - 1)];

    public void Add(in KeptMessage message)
    {
        if (Count == _ring.Length)
        {
            Grow();
        }

        this[Count++] = message;
        Bytes += message.Length;
    }

    /// <summary>The head leaves.</summary>
    public void RemoveFirst()
    {
        ref KeptMessage first = ref this[0];
        Bytes -= first.Length;
        first = default;
        _head = (_head + 1) & (_ring.Length - 1);
        Count--;
    }

    /// <summary>Takes out <paramref name="count"/> entries from <paramref name="index"/> on; what lies before them moves up.</summary>
    public void RemoveAt(int index, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Bytes -= this[index + i].Length;
        }

        for (int i = index - 1; i >= 0; i--)
        {
            this[i + count] = this[i];
        }

        for (int i = 0; i < count; i++)
        {
            this[i] = default;
        }

        _head = (_head + count) & (_ring.Length - 1);
        Count -= count;
    }

    /// <summary>Takes out all done entries from <paramref name="index"/> on; what lies before them moves up.</summary>
    public void RemoveWaiting(int index)
    {
        int first = Count;
        for (int i = Count - 1; i >= 0; i--)
        {
            if (i >= index && this[i].IsDone)
            {
                Bytes -= this[i].Length;
            }
            else
            {
                this[--first] = this[i];
            }
        }

        for (int i = 0; i < first; i++)
        {
            this[i] = default;
        }

        _head = (_head + first) & (_ring.Length - 1);
        Count -= first;
    }

    /// <summary>Takes out all done entries among the first <paramref name="span"/>; returns how many are left of them.</summary>
    public int RemoveDone(int span)
    {
        int kept = span;
        for (int i = span - 1; i >= 0; i--)
        {
            if (this[i].IsDone)
            {
                Bytes -= this[i].Length;
            }
            else
            {
                this[--kept] = this[i];
            }
        }

        for (int i = 0; i < kept; i++)
        {
            this[i] = default;
        }

        _head = (_head + kept) & (_ring.Length - 1);
        Count -= kept;
        return span - kept;
    }

    private void Grow()
    {
        var larger = new KeptMessage[_ring.Length * 2];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _ring = larger;
        _head = 0;
    }
}
