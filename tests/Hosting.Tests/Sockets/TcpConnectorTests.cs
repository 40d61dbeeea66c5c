using System.Buffers;
using System.Net.Sockets;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Sockets;

public sealed class TcpConnectorTests : IClassFixture<CertificateFixture>
{
    private readonly TestCertificates _certificates;

    public TcpConnectorTests(CertificateFixture fixture) => _certificates = fixture.Certificates;

    [Theory]
    [InlineData(TransportKind.Tcp, "127.0.0.1")]
    [InlineData(TransportKind.Tcp, "localhost")]
    [InlineData(TransportKind.PortableTcp, "localhost")]
    [InlineData(TransportKind.Tls, "localhost")]
    [InlineData(TransportKind.Tls, "127.0.0.1")]
    public async Task Connects_and_carries_bytes(TransportKind kind, string host)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        var attempt = new Attempt();
        Connector(server, host).Connect(server.Loops[0], attempt);
        Peer client = await attempt.Connected.Task.WaitAsync(Deadline.Long);
        byte[] sent = new byte[300_000];
        new Random(3).NextBytes(sent);
        await client.OnLoop(transport => transport.Output.Write(sent));
        await client.WaitForBytesAsync(sent.Length);
        Assert.Equal(sent, client.Received.SelectMany(part => part));
        await client.OnLoop(transport => transport.Close(TransportClose.Graceful));
        Peer far = await server.NextPeerAsync();
        Assert.Equal(TransportCloseReason.PeerClosed, await far.Closed.Task.WaitAsync(Deadline.Long));
        Assert.Equal(TransportCloseReason.LocalClose, await client.Closed.Task.WaitAsync(Deadline.Long));
    }

    [Theory]
    [InlineData(TransportKind.Tcp)]
    [InlineData(TransportKind.PortableTcp)]
    public async Task A_port_where_nobody_listens_fails_with_a_sentence(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind);
        using var reserved = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        reserved.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        int port = ((System.Net.IPEndPoint)reserved.LocalEndPoint!).Port;
        var attempt = new Attempt();
        new TcpConnector(new TcpConnectorOptions { Port = port }).Connect(server.Loops[0], attempt);
        Assert.StartsWith($"tcp://127.0.0.1:{port}: Connection refused", await attempt.Failed.Task.WaitAsync(Deadline.Long), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ports_of_both_parities_are_taken_so_that_half_a_range_in_use_costs_no_search()
    {
        // Left to itself the kernel takes every second port until those are used up, then walks them all for each connection.
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tcp);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen(64);
        var connector = new TcpConnector(new TcpConnectorOptions { Port = ((System.Net.IPEndPoint)listener.LocalEndPoint!).Port });
        var parities = new int[2];
        for (int i = 0; i < 32; i++)
        {
            var attempt = new Attempt();
            connector.Connect(server.Loops[0], attempt);
            using Socket far = await listener.AcceptAsync().WaitAsync(Deadline.Long);
            Peer near = await attempt.Connected.Task.WaitAsync(Deadline.Long);
            parities[((System.Net.IPEndPoint)far.RemoteEndPoint!).Port % 2]++;
            await near.OnLoop(transport => transport.Close(TransportClose.Abort));
        }

        Assert.All(parities, count => Assert.InRange(count, 1, 31));
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_not_trusted()
    {
        using var strangers = new TestCertificates();
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tls, _certificates);
        var attempt = new Attempt();
        new TcpConnector(new TcpConnectorOptions { Host = "localhost", Port = server.EndPoint.Port, UseTls = true, CaPath = strangers.CaPath })
            .Connect(server.Loops[0], attempt);
        Assert.Contains("TLS failed", await attempt.Failed.Task.WaitAsync(Deadline.Long), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_says_nothing_runs_into_the_timeout()
    {
        // The listener of plain TCP takes the ClientHello for bytes and never answers. On a busy machine connecting alone takes a while.
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tcp);
        server.Echo = false;
        var attempt = new Attempt();
        var options = new TcpConnectorOptions { Port = server.EndPoint.Port, UseTls = true, ConnectTimeout = TimeSpan.FromMilliseconds(1_500) };
        new TcpConnector(options).Connect(server.Loops[0], attempt);
        Assert.Contains("no TLS handshake within 1.5 s", await attempt.Failed.Task.WaitAsync(Deadline.Long), StringComparison.Ordinal);
    }

    private TcpConnector Connector(TestServer server, string host) => new(new TcpConnectorOptions
    {
        Host = host,
        Port = server.EndPoint.Port,
        UseTls = server.Kind == TransportKind.Tls,
        CaPath = _certificates.CaPath,
    });

    private sealed class Attempt : IConnectAttempt
    {
        public TaskCompletionSource<Peer> Connected { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<string> Failed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnConnected(Transport transport)
        {
            var peer = new Peer(transport, echo: false);
            transport.Handler = peer;
            Connected.TrySetResult(peer);
        }

        public void OnConnectFailed(string reason)
        {
            Connected.TrySetException(new IOException(reason));
            Failed.TrySetResult(reason);
        }
    }
}
