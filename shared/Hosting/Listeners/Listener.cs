using System.Net.Security;
using Microsoft.Extensions.Logging;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// What the connections of one listening socket share: options, limits, counters, and the way from a bare transport to
/// the acceptor. Any thread; per connection, on its loop.
/// <code>
/// accept -> limit -> PROXY header -> allow/deny -> TLS -> HTTP upgrade -> acceptor
/// </code>
/// </summary>
internal sealed class Listener : ITransportOwner, ITlsHandshake
{
    private readonly IConnectionAcceptor _acceptor;
    private readonly HostingMetrics _metrics;
    private readonly FloodGate _floodGate;
    private readonly MemoryGauge? _memory;
    private readonly AddressRanges _allow;
    private readonly AddressRanges _deny;
    private readonly AddressRanges _trustedProxies;
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly OpenSslContext? _openSsl;
    private int _open;

    public Listener(ListenerOptions options, IConnectionAcceptor acceptor, HostingMetrics metrics, FloodGate floodGate, ILogger log, MemoryGauge? memory)
    {
        Options = options;
        Log = log;
        _acceptor = acceptor;
        _metrics = metrics;
        _floodGate = floodGate;
        _memory = memory;
        _allow = AddressRanges.Parse(options.Allow);
        _deny = AddressRanges.Parse(options.Deny);
        _trustedProxies = AddressRanges.Parse(options.ProxyProtocol.TrustedAddresses);
        ForwardedForTrusted = AddressRanges.Parse(options.WebSocket.ForwardedForTrustedAddresses);
        Settings = new TransportSettings { SendTimeoutMs = (int)options.SendTimeout.TotalMilliseconds, ShedsInput = memory is not null };
        Identity = new ListenerIdentity(options.Name, TypeName, default);
        if (options.UsesTls)
        {
            // Read by .NET in any case: its sentences name the file that does not serve.
            _tls = TlsCredentials.Load(options.Tls);
            _openSsl = options.Tls.UseOpenSsl ? CreateOpenSsl() : null;
        }
    }

    public ListenerOptions Options { get; }

    public ILogger Log { get; }

    public TransportSettings Settings { get; }

    public AddressRanges ForwardedForTrusted { get; }

    public ListenerIdentity Identity { get; private set; }

    /// <summary>Connections open now.</summary>
    public int Open => Volatile.Read(ref _open);

    public string TypeName => Options.Type switch
    {
        ListenerType.Tcp => "tcp",
        ListenerType.Tls => "tls",
        ListenerType.Ws => "ws",
        _ => "wss",
    };

    /// <summary>Learns the address that the socket got; before the first connection.</summary>
    public void OnBound(NetworkAddress address) => Identity = new ListenerIdentity(Options.Name, TypeName, address);

    public bool IsTrustedProxy(NetworkAddress peer) => _trustedProxies.Contains(peer);

    /// <summary>How little memory closes the door.</summary>
    public MemoryLevel ClosesAt { get; init; } = MemoryLevel.Low;

    /// <summary>Whether the process has too little memory: nobody new is let in.</summary>
    public bool IsMemoryLow => _memory is { } memory && memory.Level >= ClosesAt;

    /// <summary>Whether a new connection may live; when it may, it is counted until <see cref="OnTransportClosed"/>.</summary>
    public bool TryAdmit(NetworkAddress peer)
    {
        if (Interlocked.Increment(ref _open) > Options.MaximumConnections)
        {
            Interlocked.Decrement(ref _open);
            _metrics.Refused(Options.Name, RefusalReason.Limit);
            if (MayLog(peer))
            {
                Log.RefusedByLimit(Options.Name, peer, Options.MaximumConnections);
            }

            return false;
        }

        _metrics.Accepted(Options.Name);
        return true;
    }

    /// <summary>Begins the way up; on the transport's loop.</summary>
    public void OnAccepted(Transport transport)
    {
        transport.AcceptedMs = transport.Loop.NowMs;
        if (Options.ProxyProtocol.Mode == ProxyProtocolMode.Off)
        {
            OnProxyHeaderDone(transport);
        }
        else
        {
            ProxyHeaderHandler.Begin(this, transport);
        }
    }

    /// <summary>The device's address is known.</summary>
    public void OnProxyHeaderDone(Transport transport)
    {
        NetworkAddress remote = transport.Remote;

        // A trusted HTTP proxy names the device in its request: the address is judged there.
        bool isNamedLater = Options.UsesWebSocket && ForwardedForTrusted.Contains(remote);
        if (!isNamedLater && !MayConnect(remote))
        {
            Refuse(transport, RefusalReason.Address);
        }
        else if (_tls is not null)
        {
            BeginTls(transport, _tls);
        }
        else
        {
            OnSecured(transport);
        }
    }

    /// <summary>Whether the device at this address may connect, by allow and deny; logged where not.</summary>
    public bool MayConnect(NetworkAddress device)
    {
        if (!_deny.Contains(device) && (_allow.IsEmpty || _allow.Contains(device)))
        {
            return true;
        }

        if (MayLog(device))
        {
            Log.RefusedByAddress(Options.Name, device);
        }

        return false;
    }

    /// <summary>Milliseconds one step may take: its own deadline, and no more than is left until CONNECT must be whole.</summary>
    public long Within(Transport transport, TimeSpan step) => long.Clamp(
        transport.AcceptedMs + (long)Options.ConnectDeadline.TotalMilliseconds - transport.Loop.NowMs, 0, (long)step.TotalMilliseconds);

    /// <inheritdoc/>
    public void OnTlsReady(TlsLayer transport)
    {
        EndDeadline(transport);
        OnSecured(transport);
    }

    /// <inheritdoc/>
    public void OnTlsFailed(TlsLayer transport, Exception exception)
    {
        EndDeadline(transport);
        if (transport.Inner.IsClosed)
        {
            // It went, or its time was over, before the handshake was done: counted there.
            return;
        }

        if (MayLog(transport.Remote))
        {
            Log.TlsHandshakeFailed(Options.Name, transport.Origin, (exception.InnerException ?? exception).Message);
        }

        _metrics.Refused(Options.Name, RefusalReason.Tls);

        // The alert that says why has been written; let it out.
        transport.Inner.Close(TransportClose.Graceful);
    }

    /// <summary>All layers are done: the connection goes to its owner.</summary>
    public void HandOver(Transport transport)
    {
        try
        {
            _acceptor.OnAccepted(transport);
        }
        catch (Exception exception)
        {
            // The edge of this connection, as for its handler.
            Log.LoopFault(exception, transport.Loop.Name, _acceptor.GetType().Name);
            Refuse(transport, RefusalReason.Fault);
        }
    }

    /// <summary>Ends a connection that got no further than its layers.</summary>
    public void Refuse(Transport transport, RefusalReason reason, TransportClose close = TransportClose.Abort)
    {
        _metrics.Refused(Options.Name, reason);
        transport.Close(close);
    }

    public void RefuseWebSocket(Transport transport, string status, string error)
    {
        if (MayLog(transport.Remote))
        {
            Log.WebSocketRefused(Options.Name, transport.Origin, status, error);
        }

        _metrics.Refused(Options.Name, RefusalReason.WebSocket);
        transport.Close(TransportClose.Graceful);
    }

    public void LogForwardedForUntrusted(NetworkAddress peer)
    {
        if (MayLog(peer))
        {
            Log.ForwardedForUntrusted(Options.Name, peer);
        }
    }

    public void RefuseProxyHeader(Transport transport, Action<ILogger, string, NetworkAddress> line)
    {
        if (MayLog(transport.Remote))
        {
            line(Log, Options.Name, transport.Remote);
        }

        Refuse(transport, RefusalReason.ProxyHeader);
    }

    /// <summary>A new connection was closed because it took a descriptor of the reserve.</summary>
    public void OnDescriptorsShort() => _metrics.Refused(Options.Name, RefusalReason.Descriptors);

    /// <summary>A new connection was closed because memory is down to its reserve, and accepting pauses.</summary>
    public void OnMemoryLow(int pauseMs)
    {
        _metrics.Refused(Options.Name, RefusalReason.Memory);
        _metrics.AcceptPaused(Options.Name);
        if (MayLog(Identity.Local))
        {
            Log.AcceptPausedForMemory(Options.Name, pauseMs);
        }
    }

    public void OnAcceptPaused(int pauseMs, string error)
    {
        _metrics.AcceptPaused(Options.Name);
        if (MayLog(Identity.Local))
        {
            Log.AcceptPaused(Options.Name, pauseMs, error);
        }
    }

    /// <inheritdoc/>
    public void OnTransportClosed(Transport transport, TransportCloseReason reason)
    {
        Interlocked.Decrement(ref _open);
        _metrics.Closed(Options.Name, reason);
    }

    private OpenSslContext? CreateOpenSsl()
    {
        OpenSslContext? context = OpenSslContext.TryCreate(Options.Tls, out string error, () => _metrics.HandshakePutOff(Options.Name));
        if (context is null)
        {
            Log.OpenSslNotUsed(Options.Name, error);
        }

        return context;
    }

    private void BeginTls(Transport transport, SslServerAuthenticationOptions options)
    {
        TlsLayer tls = _openSsl is null ? new TlsTransport(transport) : new OpenSslTransport(transport, _openSsl, this);
        tls.Deadline = new HandshakeDeadline(this, transport);
        transport.Loop.Timers.Schedule(tls.Deadline, Within(transport, Options.Tls.HandshakeDeadline));
        if (tls is TlsTransport stream)
        {
            _ = stream.RunServerAsync(options, this);
        }
    }

    private void OnSecured(Transport transport)
    {
        if (Options.UsesWebSocket)
        {
            WebSocketUpgrade.Begin(this, transport);
        }
        else
        {
            HandOver(transport);
        }
    }

    private bool MayLog(NetworkAddress address) => _floodGate.MayLog(address);

    private static void EndDeadline(TlsLayer transport)
    {
        transport.Loop.Timers.Cancel(transport.Deadline!);
        transport.Deadline = null;
    }

    private sealed class HandshakeDeadline(Listener listener, Transport transport) : LoopTimer
    {
        protected override void OnDue()
        {
            // It may have gone in the very step in which the handshake was done.
            if (!transport.IsClosed)
            {
                listener.Refuse(transport, RefusalReason.HeaderTimeout);
            }
        }
    }
}
