namespace Trunkline.Transports;

/// <summary>Dials an acceptor in the same process. Any thread.</summary>
public sealed class MemoryConnector : ITransportConnector
{
    private readonly Func<Loop> _acceptLoop;
    private readonly IConnectionAcceptor _acceptor;
    private readonly TransportSettings _settings;
    private readonly ConnectionOrigin _origin;
    private volatile string? _refusal;

    /// <summary>Makes a connector.</summary>
    /// <param name="name">Name of the far side, for logs.</param>
    /// <param name="acceptLoop">Gives the loop on which the next connection is accepted.</param>
    /// <param name="acceptor">Takes the far ends.</param>
    /// <param name="settings">Limits of both ends.</param>
    public MemoryConnector(string name, Func<Loop> acceptLoop, IConnectionAcceptor acceptor, TransportSettings? settings = null)
    {
        Address = $"memory:{name}";
        _acceptLoop = acceptLoop;
        _acceptor = acceptor;
        _settings = settings ?? TransportSettings.Default;
        _origin = new ConnectionOrigin(new ListenerIdentity(name, "memory", default), default);
    }

    /// <inheritdoc/>
    public string Address { get; }

    /// <summary>Refuses new connections with this sentence while set: a far side that is down, for tests and shutdown.</summary>
    public string? Refusal
    {
        get => _refusal;
        set => _refusal = value;
    }

    /// <inheritdoc/>
    public void Connect(Loop loop, IConnectAttempt attempt)
    {
        if (_refusal is { } refusal)
        {
            loop.Post(() => attempt.OnConnectFailed(refusal));
            return;
        }

        Loop acceptLoop = _acceptLoop();
        (MemoryTransport near, MemoryTransport far) = MemoryTransport.CreatePair(loop, acceptLoop, _settings, _origin);
        acceptLoop.Post(() => _acceptor.OnAccepted(far));
        loop.Post(() => attempt.OnConnected(near));
    }
}
