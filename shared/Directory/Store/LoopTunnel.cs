using System.Net;
using RESPite.Transports;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;
using Trunkline.Transports;

#pragma warning disable SER009 // as in LoopTransport.cs

namespace Trunkline.Directory;

/// <summary>Gives the client library connections on a loop in place of sockets; messages to nodes keep a socket of the library's.</summary>
internal sealed class LoopTunnel(Loop loop, Func<string, int, ITransportConnector> dial) : Tunnel
{
    /// <inheritdoc/>
    public override async ValueTask<DuplexTransport?> ConnectTransportAsync(
        EndPoint endpoint, ConnectionType connectionType, TlsOptions tls, CancellationToken cancellationToken)
    {
        ITransportConnector? connector = connectionType != ConnectionType.Interactive || tls.IsEnabled ? null : endpoint switch
        {
            IPEndPoint ip => dial(ip.Address.ToString(), ip.Port),
            DnsEndPoint dns => dial(dns.Host, dns.Port),
            _ => null,
        };
        if (connector is null)
        {
            return null;
        }

        var attempt = new Attempt();
        connector.Connect(loop, attempt);
        return await attempt.Connected;
    }

    private sealed class Attempt : IConnectAttempt
    {
        private readonly TaskCompletionSource<DuplexTransport> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<DuplexTransport> Connected => _connected.Task;

        public void OnConnected(Transport transport) => _connected.SetResult(new LoopTransport(transport));

        public void OnConnectFailed(string reason) => _connected.SetException(new IOException(reason));
    }
}
