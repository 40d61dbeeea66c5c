namespace Trunkline.Hosting.Devices;

/// <summary>
/// The connections of one loop in whatever state they are, so that a shutdown reaches those that have not sent CONNECT
/// yet, too. Linked through the connections themselves: 16 bytes each. Loop thread only.
/// </summary>
internal sealed class LoopConnections
{
    private DeviceConnection? _first;
    private TaskCompletionSource? _empty;

    /// <summary>Connections now.</summary>
    public int Count { get; private set; }

    public void Add(DeviceConnection connection)
    {
        connection.Next = _first;
        if (_first is not null)
        {
            _first.Previous = connection;
        }

        _first = connection;
        Count++;
    }

    public void Remove(DeviceConnection connection)
    {
        if (connection.Previous is { } previous)
        {
            previous.Next = connection.Next;
        }
        else if (ReferenceEquals(_first, connection))
        {
            _first = connection.Next;
        }
        else
        {
            // Not in the list: it left it before.
            return;
        }

        if (connection.Next is { } next)
        {
            next.Previous = connection.Previous;
        }

        connection.Next = null;
        connection.Previous = null;
        if (--Count == 0)
        {
            _empty?.TrySetResult();
        }
    }

    /// <summary>Ends connections, the youngest first, until no more than so many are left that were not told.</summary>
    public void ShutDownTo(int left)
    {
        int open = 0;
        for (DeviceConnection? connection = _first; connection is not null; connection = connection.Next)
        {
            open += connection.Channel.IsClosed ? 0 : 1;
        }

        for (DeviceConnection? connection = _first; connection is not null && open > left;)
        {
            DeviceConnection? next = connection.Next;
            if (!connection.Channel.IsClosed)
            {
                connection.ShutDown();
                open--;
            }

            connection = next;
        }
    }

    /// <summary>Ends every connection; the task ends when the last of them is gone.</summary>
    public Task ShutDown()
    {
        _empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (DeviceConnection? connection = _first; connection is not null;)
        {
            DeviceConnection? next = connection.Next;
            connection.ShutDown();
            connection = next;
        }

        if (Count == 0)
        {
            _empty.TrySetResult();
        }

        return _empty.Task;
    }
}
