using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// Dials TCP and TLS. Names are resolved off the loop; on an epoll loop the descriptor is connected by the loop itself and
/// never known to .NET's sockets. Any thread.
/// </summary>
public sealed class TcpConnector : ITransportConnector, ITransportOwner
{
    private readonly TcpConnectorOptions _options;
    private readonly TransportSettings _settings;
    private readonly X509Certificate2Collection? _authorities;
    private readonly SslStreamCertificateContext? _certificate;

    /// <summary>Makes a connector; certificate files are read now, and a bad one throws.</summary>
    public TcpConnector(TcpConnectorOptions options)
    {
        _options = options;
        Address = $"{(options.UseTls ? "tls" : "tcp")}://{options.Host}:{options.Port}";
        LocalAddress = string.IsNullOrEmpty(options.LocalAddress)
            ? default
            : NetworkAddress.From(new IPEndPoint(IPAddress.Parse(options.LocalAddress), 0));
        _settings = new TransportSettings { SendTimeoutMs = (int)options.SendTimeout.TotalMilliseconds };
        Identity = new ListenerIdentity(Address, options.UseTls ? "tls" : "tcp", default);
        _authorities = string.IsNullOrEmpty(options.CaPath) ? null : TlsCredentials.ReadAll(options.CaPath);
        _certificate = string.IsNullOrEmpty(options.CertificatePath)
            ? null
            : SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(options.CertificatePath, options.KeyPath), null, offline: true);
    }

    /// <inheritdoc/>
    public string Address { get; }

    /// <inheritdoc/>
    public void Connect(Loop loop, IConnectAttempt attempt) => _ = ConnectAsync(loop, attempt);

    /// <inheritdoc/>
    void ITransportOwner.OnTransportClosed(Transport transport, TransportCloseReason reason)
    {
    }

    private async Task ConnectAsync(Loop loop, IConnectAttempt attempt)
    {
        using var timeout = new CancellationTokenSource(_options.ConnectTimeout, loop.Time);
        try
        {
            if (OperatingSystem.IsLinux() && loop is EpollLoop epoll)
            {
                IPAddress[] addresses = IPAddress.TryParse(_options.Host, out IPAddress? address)
                    ? [address]
                    : await Dns.GetHostAddressesAsync(_options.Host, timeout.Token);
                NetworkAddress[] targets = [.. addresses.Select(ip => NetworkAddress.From(new IPEndPoint(ip, _options.Port)))];
                epoll.Post(new EpollConnect(epoll, targets, this, attempt));
                return;
            }

            IPEndPoint? local = LocalAddress.ToEndPoint();
            Socket socket = local is null
                ? new Socket(SocketType.Stream, ProtocolType.Tcp)
                : new Socket(local.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.NoDelay = true;
                if (local is not null)
                {
                    socket.Bind(local);
                }

                await socket.ConnectAsync(_options.Host, _options.Port, timeout.Token);
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            var remote = NetworkAddress.From(socket.RemoteEndPoint);
            loop.Post(() =>
            {
                var transport = new SocketTransport(loop, socket, new ConnectionOrigin(Identity, remote), _settings, this);
                Begin(transport, attempt);
                transport.Open();
            });
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ArgumentException)
        {
            string reason = exception is OperationCanceledException ? NoAnswer : exception.Message;
            loop.Post(() => OnFailed(attempt, reason));
        }
    }

    /// <inheritdoc/>
    public ListenerIdentity Identity { get; }

    /// <summary>How long an attempt may take, and what is said when it took longer.</summary>
    internal long TimeoutMs => (long)_options.ConnectTimeout.TotalMilliseconds;

    /// <summary>Where to dial from; none leaves it to the system.</summary>
    internal NetworkAddress LocalAddress { get; }

    internal string NoAnswer => $"no answer within {_options.ConnectTimeout.TotalSeconds:0.#} s";

    internal void OnFailed(IConnectAttempt attempt, string reason) => attempt.OnConnectFailed($"{Address}: {reason}");

    /// <summary>Takes a connected descriptor; on the loop.</summary>
    [SupportedOSPlatform("linux")]
    internal void OnConnected(EpollLoop loop, int descriptor, NetworkAddress remote, IConnectAttempt attempt)
    {
        var transport = new EpollTransport(loop, descriptor, remote, _settings, this);
        Begin(transport, attempt);
        transport.Open();
    }

    private void Begin(Transport transport, IConnectAttempt attempt)
    {
        (attempt as IConnectPreamble)?.WritePreamble(transport.Output);
        if (!_options.UseTls)
        {
            attempt.OnConnected(transport);
            return;
        }

        var tls = new TlsTransport(transport);
        var handshake = new ClientHandshake(this, transport, attempt);
        transport.Loop.Timers.Schedule(handshake, (long)_options.ConnectTimeout.TotalMilliseconds);
        _ = tls.RunClientAsync(ClientOptions(), handshake);
    }

    private SslClientAuthenticationOptions ClientOptions() => new()
    {
        TargetHost = _options.TlsName ?? _options.Host,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = _authorities is null ? null : TlsCredentials.PolicyFor(_authorities),
        ClientCertificateContext = _certificate,
    };

    private sealed class ClientHandshake(TcpConnector connector, Transport inner, IConnectAttempt attempt) : LoopTimer, ITlsHandshake
    {
        private bool _isDone;

        public void OnTlsReady(TlsLayer transport)
        {
            Done();
            attempt.OnConnected(transport);
        }

        public void OnTlsFailed(TlsLayer transport, Exception exception)
        {
            if (!_isDone)
            {
                Done();
                inner.Close(TransportClose.Graceful);
                attempt.OnConnectFailed($"{connector.Address}: TLS failed: {(exception.InnerException ?? exception).Message}");
            }
        }

        protected override void OnDue()
        {
            Done();
            inner.Close(TransportClose.Abort);
            attempt.OnConnectFailed($"{connector.Address}: no TLS handshake within {connector._options.ConnectTimeout.TotalSeconds:0.#} s");
        }

        private void Done()
        {
            _isDone = true;
            inner.Loop.Timers.Cancel(this);
        }
    }
}
