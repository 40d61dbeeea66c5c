using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>Passes connections on and keeps them, so that a process can die: its ends vanish, and the other ends see a reset.</summary>
internal sealed class Door : IConnectionAcceptor
{
    private readonly List<Transport> _ends = [];

    /// <summary>Who takes the connections now.</summary>
    public IConnectionAcceptor? Target { get; set; }

    public void OnAccepted(Transport transport)
    {
        _ends.Add(transport);
        Target!.OnAccepted(transport);
    }

    /// <summary>The process is gone, without a word to its own code.</summary>
    public void Vanish()
    {
        Ends.Vanish(_ends);
        Target = null;
    }
}

/// <summary>A connector that keeps the near ends of its connections.</summary>
internal sealed class Dialler(MemoryConnector inner) : ITransportConnector
{
    private readonly List<Transport> _ends = [];

    public string Address => inner.Address;

    public void Connect(Loop loop, IConnectAttempt attempt) => inner.Connect(loop, new Attempt(this, attempt));

    /// <summary>Every connection is reset; both sides see it.</summary>
    public void Cut()
    {
        _ends.ForEach(end => end.Close(TransportClose.Abort));
        _ends.Clear();
    }

    /// <summary>The process is gone, without a word to its own code.</summary>
    public void Vanish() => Ends.Vanish(_ends);

    private sealed class Attempt(Dialler owner, IConnectAttempt attempt) : IConnectAttempt
    {
        public void OnConnected(Transport transport)
        {
            owner._ends.Add(transport);
            attempt.OnConnected(transport);
        }

        public void OnConnectFailed(string reason) => attempt.OnConnectFailed(reason);
    }
}

/// <summary>Ends of connections.</summary>
internal static class Ends
{
    public static void Vanish(List<Transport> ends)
    {
        foreach (Transport end in ends.Where(end => !end.IsClosed))
        {
            end.Handler = Nobody.Instance;
            end.Terminate(TransportCloseReason.Reset, aborted: true);
        }

        ends.Clear();
    }

    private sealed class Nobody : ITransportHandler
    {
        public static Nobody Instance { get; } = new();

        public int OnReceived(ReadOnlySpan<byte> bytes) => bytes.Length;

        public void OnWritable()
        {
        }

        public void OnClosed(TransportCloseReason reason)
        {
        }
    }
}
