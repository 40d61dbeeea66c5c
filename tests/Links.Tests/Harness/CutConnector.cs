using Trunkline.Transports;

namespace Trunkline.Links.Tests;

/// <summary>A connector whose connections a test can cut, stop, or have cut after a random number of bytes either way.</summary>
internal sealed class CutConnector(MemoryConnector inner, Func<int>? bytesUntilCut = null) : ITransportConnector
{
    private readonly List<Transport> _near = [];

    public string Address => inner.Address;

    public int Dials { get; private set; }

    public int Cuts { get; private set; }

    /// <summary>Live connections.</summary>
    public int Open => _near.Count(transport => !transport.IsClosed);

    public string? Refusal
    {
        get => inner.Refusal;
        set => inner.Refusal = value;
    }

    public bool MayCut { get; set; } = true;

    public void Connect(Loop loop, IConnectAttempt attempt)
    {
        Dials++;
        inner.Connect(loop, new Attempt(this, attempt));
    }

    /// <summary>Cuts every connection.</summary>
    public void CutAll()
    {
        foreach (Transport transport in _near)
        {
            transport.Close(TransportClose.Abort);
        }

        _near.Clear();
    }

    /// <summary>Stops or goes on reading what the far side sends, as a stopped process would.</summary>
    public void Freeze(bool frozen)
    {
        foreach (Transport transport in _near)
        {
            if (frozen)
            {
                transport.PauseReading();
            }
            else
            {
                transport.ResumeReading();
            }
        }
    }

    private sealed class Attempt(CutConnector owner, IConnectAttempt attempt) : IConnectAttempt
    {
        public void OnConnected(Transport transport)
        {
            owner._near.Add(transport);
            attempt.OnConnected(transport);
            if (NextCut() is { } count)
            {
                transport.Handler = new CutHandler(owner, transport, transport.Handler, count);
            }
        }

        public void OnConnectFailed(string reason) => attempt.OnConnectFailed(reason);

        private int? NextCut() => owner.MayCut ? owner.NextCut() : null;
    }

    private int? NextCut() => bytesUntilCut?.Invoke();

    /// <summary>Hands on so many bytes, to the byte, then cuts.</summary>
    private sealed class CutHandler(CutConnector owner, Transport transport, ITransportHandler inner, int bytes) : ITransportHandler
    {
        private int _left = bytes;

        public int OnReceived(ReadOnlySpan<byte> received)
        {
            if (!owner.MayCut)
            {
                return inner.OnReceived(received);
            }

            if (received.Length <= _left)
            {
                int used = inner.OnReceived(received);
                _left -= used;
                return used;
            }

            int last = inner.OnReceived(received[.._left]);
            owner.Cuts++;
            transport.Close(TransportClose.Abort);
            return last;
        }

        public void OnWritable() => inner.OnWritable();

        public void OnClosed(TransportCloseReason reason) => inner.OnClosed(reason);
    }
}
