namespace Trunkline.Loadtest;

/// <summary>The window of one publisher: packet ids 1 to its size, each with its message. Loop thread only.</summary>
internal sealed class InFlightWindow
{
    private readonly InFlightMessage[] _messages;
    private readonly bool[] _isTaken;
    private readonly ushort[] _free;
    private int _freeCount;

    /// <summary>Makes an empty one.</summary>
    public InFlightWindow(int size)
    {
        _messages = new InFlightMessage[size];
        _isTaken = new bool[size];
        _free = new ushort[size];
        for (int i = 0; i < size; i++)
        {
            _free[i] = (ushort)(size - i);
        }

        _freeCount = size;
    }

    /// <summary>Messages in flight.</summary>
    public int Count => _messages.Length - _freeCount;

    /// <summary>Whether no id is free.</summary>
    public bool IsFull => _freeCount == 0;

    /// <summary>Gives a message an id; there must be one.</summary>
    public ushort Take(InFlightMessage message)
    {
        ushort packetId = _free[--_freeCount];
        _messages[packetId - 1] = message;
        _isTaken[packetId - 1] = true;
        return packetId;
    }

    /// <summary>QoS 2: PUBREC came.</summary>
    public void MarkReceived(ushort packetId)
    {
        if (packetId > 0 && packetId <= _messages.Length)
        {
            _messages[packetId - 1] = _messages[packetId - 1] with { IsReceived = true };
        }
    }

    /// <summary>The exchange is over; false when the id is not in flight.</summary>
    public bool TryRelease(ushort packetId, out InFlightMessage message)
    {
        message = default;
        if (packetId == 0 || packetId > _messages.Length || !_isTaken[packetId - 1])
        {
            return false;
        }

        message = _messages[packetId - 1];
        _isTaken[packetId - 1] = false;
        _free[_freeCount++] = packetId;
        return true;
    }

    /// <summary>All in flight, in the order they were sent in.</summary>
    public IReadOnlyList<(ushort PacketId, InFlightMessage Message)> InOrder() =>
        [.. Enumerable.Range(0, _messages.Length)
            .Where(slot => _isTaken[slot])
            .Select(slot => ((ushort)(slot + 1), _messages[slot]))
            .OrderBy(entry => entry.Item2.Sequence)];
}
