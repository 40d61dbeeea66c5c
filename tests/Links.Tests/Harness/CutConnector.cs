using Trunkline.Transports;

namespace Trunkline.Links.Tests;

/// <summary>A connector whose connections a test can cut, stop, or have cut after a random number of bytes from the broker.</summary>
internal sealed class CutConnector(MemoryConnector inner, Func<int>? bytesUntilCut = null) : ITransportConnector
{
    private readonly List<Transport> _near = [];
    private readonly Cutter _cutter = new(bytesUntilCut);

    public string Address => inner.Address;

    public int Dials { get; private set; }

    /// <summary>Connections cut by bytes.</summary>
    public int Cuts => _cutter.Cuts;

    /// <summary>Live connections.</summary>
    public int Open => _near.Count(transport => !transport.IsClosed);

    public string? Refusal
    {
        get => inner.Refusal;
        set => inner.Refusal = value;
    }

    public bool MayCut
    {
        get => _cutter.MayCut;
        set => _cutter.MayCut = value;
    }

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
            owner._cutter.Watch(transport);
        }

        public void OnConnectFailed(string reason) => attempt.OnConnectFailed(reason);
    }
}
