using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Owns a new connection until its first bytes have shown whether there is a PROXY header, and what it says.</summary>
internal sealed class ProxyHeaderHandler : LoopTimer, ITransportHandler
{
    private readonly Listener _listener;
    private readonly Transport _transport;
    private readonly NetworkAddress _peer;

    private ProxyHeaderHandler(Listener listener, Transport transport)
    {
        _listener = listener;
        _transport = transport;
        _peer = transport.Remote;
    }

    /// <summary>Begins to wait for the first bytes; on the transport's loop.</summary>
    public static void Begin(Listener listener, Transport transport)
    {
        var handler = new ProxyHeaderHandler(listener, transport);
        transport.Handler = handler;
        transport.Loop.Timers.Schedule(handler, listener.Within(transport, listener.Options.ProxyProtocol.HeaderDeadline));
    }

    /// <inheritdoc/>
    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        ProxyHeaderStatus status = ProxyHeaderParser.TryParse(
            bytes, _listener.Options.ProxyProtocol.MaximumHeaderBytes, out ProxyHeader header, out string error);
        if (status == ProxyHeaderStatus.NeedMore)
        {
            return 0;
        }

        _transport.Loop.Timers.Cancel(this);
        if (status == ProxyHeaderStatus.Absent)
        {
            if (_listener.Options.ProxyProtocol.Mode == ProxyProtocolMode.Required)
            {
                _listener.RefuseProxyHeader(_transport, HostingLog.ProxyHeaderMissing);
                return bytes.Length;
            }

            _listener.OnProxyHeaderDone(_transport);
            return 0;
        }

        if (!_listener.IsTrustedProxy(_peer))
        {
            _listener.RefuseProxyHeader(_transport, HostingLog.ProxyHeaderUntrusted);
            return bytes.Length;
        }

        if (status == ProxyHeaderStatus.Broken)
        {
            _listener.RefuseProxyHeader(_transport, (log, name, peer) => log.ProxyHeaderBroken(name, peer, error));
            return bytes.Length;
        }

        if (!header.Source.IsNone)
        {
            _transport.Origin = new ConnectionOrigin(_listener.Identity, header.Source, new ConnectionOriginDetails
            {
                Peer = _peer,
                Destination = header.Destination,
                ServerName = header.Authority,
            });
        }

        _listener.OnProxyHeaderDone(_transport);
        return header.Length;
    }

    /// <inheritdoc/>
    public void OnWritable()
    {
    }

    /// <inheritdoc/>
    public void OnClosed(TransportCloseReason reason) => _transport.Loop.Timers.Cancel(this);

    /// <inheritdoc/>
    protected override void OnDue() => _listener.Refuse(_transport, RefusalReason.HeaderTimeout);
}
