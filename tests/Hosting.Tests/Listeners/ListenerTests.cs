#pragma warning disable CA5359 // The tests trust themselves.
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Listeners;

public sealed class ListenerTests : IClassFixture<CertificateFixture>
{
    private readonly TestCertificates _certificates;

    public ListenerTests(CertificateFixture fixture) => _certificates = fixture.Certificates;

    public static TheoryData<TransportKind> Kinds => [TransportKind.Tcp, TransportKind.PortableTcp];

    [Theory, MemberData(nameof(Kinds))]
    public async Task At_the_limit_connections_are_closed_and_listening_goes_on(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, null, options => options with { MaximumConnections = 2 });
        using Socket first = await server.ConnectSocketAsync();
        using Socket second = await server.ConnectSocketAsync();
        await Task.WhenAll(EchoesAsync(first), EchoesAsync(second));
        using Socket third = await server.ConnectSocketAsync();
        Assert.Equal(0, await ReceiveAsync(third));
        await EchoesAsync(first);
        first.Dispose();
        Peer gone = await server.NextPeerAsync();
        Peer other = await server.NextPeerAsync();
        await Task.WhenAny(gone.Closed.Task, other.Closed.Task).WaitAsync(Deadline.Long);
        using Socket fourth = await server.ConnectSocketAsync();
        await EchoesAsync(fourth);
        await server.Log.AwaitLineAsync(line => line.Contains("MaximumConnections", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Denied_addresses_are_refused(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, null, options => options with
        {
            Deny = ["192.0.2.0/24"],
            Allow = ["127.0.0.0/8", "192.0.2.0/23"],
        });
        using Socket plain = await server.ConnectSocketAsync();
        await EchoesAsync(plain);
        using Socket denied = await server.ConnectSocketAsync();
        await denied.SendAsync(Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.9 127.0.0.1 5 6\r\nx"));
        await AssertClosedAsync(denied);
        using Socket outside = await server.ConnectSocketAsync();
        await outside.SendAsync(Encoding.ASCII.GetBytes("PROXY TCP4 192.0.4.1 127.0.0.1 5 6\r\nx"));
        await AssertClosedAsync(outside);
        using Socket allowed = await server.ConnectSocketAsync();
        await allowed.SendAsync(Encoding.ASCII.GetBytes("PROXY TCP4 192.0.3.1 127.0.0.1 5 6\r\n"));
        await EchoesAsync(allowed);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Below_the_reserve_of_memory_nobody_new_comes_in_and_those_there_live(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind);
        using Socket old = await server.ConnectSocketAsync();
        await EchoesAsync(old);
        server.Memory.Level = MemoryLevel.Low;
        using Socket refused = await server.ConnectSocketAsync();
        await AssertClosedAsync(refused);
        await EchoesAsync(old);
        await server.Log.AwaitLineAsync(line => line.StartsWith("2003", StringComparison.Ordinal));

        server.Memory.Level = MemoryLevel.Ample;
        using Socket late = await server.ConnectSocketAsync();
        await EchoesAsync(late);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task When_memory_is_short_connections_amid_a_large_packet_are_closed_and_no_others(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind);
        using Socket small = await server.ConnectSocketAsync();
        await EchoesAsync(small);
        Peer smallPeer = await server.NextPeerAsync();
        smallPeer.OnBytes = (_, _) => 0;
        server.OnBytes = (_, _) => 0;
        using Socket large = await server.ConnectSocketAsync();
        await large.SendAsync(new byte[80_000]);
        Peer largePeer = await server.NextPeerAsync();
        await small.SendAsync(new byte[10_000]);
        await Eventually.HoldsAsync(
            () => largePeer.Transport.RetainedBytes == 80_000 && smallPeer.Transport.RetainedBytes == 10_000, () => "both have come");

        server.Memory.Level = MemoryLevel.Short;
        await large.SendAsync(new byte[1]);
        await small.SendAsync(new byte[1]);
        Assert.Equal(TransportCloseReason.MemoryShort, await largePeer.Closed.Task.WaitAsync(Deadline.Long));
        await Eventually.HoldsAsync(() => smallPeer.Transport.RetainedBytes == 10_001, () => "the small rest stays");
        Assert.False(smallPeer.Closed.Task.IsCompleted);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Room_for_a_large_packet_is_not_taken_where_more_would_be_taken_until_the_next_look_than_is_left(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind);
        server.OnBytes = (_, _) => 0;
        using Socket small = await server.ConnectSocketAsync();
        await small.SendAsync(new byte[10_000]);
        Peer smallPeer = await server.NextPeerAsync();
        using Socket large = await server.ConnectSocketAsync();
        await large.SendAsync(new byte[80_000]);
        Peer largePeer = await server.NextPeerAsync();
        await Eventually.HoldsAsync(() => largePeer.Transport.RetainedBytes == 80_000, () => "80,000 bytes have come");

        // Room for the loops' small buffers, and not for the 256 KiB of the next step.
        server.Memory.Allow(250_000);
        await large.SendAsync(new byte[80_000]);
        Assert.Equal(TransportCloseReason.MemoryShort, await largePeer.Closed.Task.WaitAsync(Deadline.Long));
        Assert.False(server.Memory.IsShort, "nothing was taken that was not there");
        await small.SendAsync(new byte[1]);
        await Eventually.HoldsAsync(() => smallPeer.Transport.RetainedBytes == 10_001, () => "the small one goes on");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_silent_connection_is_probed_by_TCP(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, null, options => options with { TcpKeepAliveSeconds = 1000 });
        using Socket socket = await server.ConnectSocketAsync();
        await EchoesAsync(socket);

        // The server's end: "sl local remote state tx:rx timer:jiffies"; timer 02 is that of keep alive.
        string port = server.EndPoint.Port.ToString("X4", System.Globalization.CultureInfo.InvariantCulture);
        await Eventually.HoldsAsync(
            () => File.ReadAllLines("/proc/net/tcp")
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Any(fields => fields[1] == $"0100007F:{port}" && fields[3] == "01" && fields[5].StartsWith("02:", StringComparison.Ordinal)),
            () => "a timer of keep alive runs on the server's end");
    }

    [Fact]
    public void Certificate_files_that_do_not_serve_are_an_error_before_the_start()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "-----BEGIN NONSENSE-----");
        var errors = new List<string>();
        new ListenerOptions { Type = ListenerType.Tls, Tls = new TlsOptions { CertificatePath = file } }.Validate("Listeners:3", errors);
        string error = Assert.Single(errors);
        Assert.StartsWith("Listeners:3:Tls ", error, StringComparison.Ordinal);
        Assert.Contains(file, error, StringComparison.Ordinal);

        errors.Clear();
        new ListenerOptions
        {
            Type = ListenerType.Tls,
            Tls = new TlsOptions { CertificatePath = _certificates.CertificatePath, KeyPath = _certificates.ClientKeyPath },
        }.Validate("Listeners:3", errors);
        Assert.Single(errors);

        errors.Clear();
        new ListenerOptions
        {
            Type = ListenerType.Tls,
            Tls = new TlsOptions { CertificatePath = _certificates.CertificatePath, KeyPath = _certificates.KeyPath, ClientCaPath = _certificates.CaPath },
        }.Validate("Listeners:3", errors);
        Assert.Empty(errors);
        File.Delete(file);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_header_tells_the_address_byte_by_byte(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind);
        using Socket socket = await server.ConnectSocketAsync();
        foreach (byte value in Encoding.ASCII.GetBytes("PROXY TCP6 2001:db8::7 2001:db8::8 5000 1883\r\n"))
        {
            await socket.SendAsync(new[] { value });
        }

        await EchoesAsync(socket);
        Peer peer = await server.NextPeerAsync();
        Assert.Equal("[2001:db8::7]:5000", peer.Transport.Origin.Remote.ToString());
        Assert.Equal("127.0.0.1", peer.Transport.Origin.Details!.Peer.HostToString());
        Assert.Equal("test", peer.Transport.Origin.Listener.Name);
    }

    [Fact]
    public async Task A_header_from_a_stranger_is_refused_with_the_setting_to_change()
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tcp, null, options => options with
        {
            ProxyProtocol = new ProxyProtocolOptions { TrustedAddresses = ["10.0.0.0/8"] },
        });
        using Socket socket = await server.ConnectSocketAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.9 127.0.0.1 5 6\r\n"));
        await AssertClosedAsync(socket);
        await server.Log.AwaitLineAsync(line => line.Contains("Listeners:n:ProxyProtocol:TrustedAddresses", StringComparison.Ordinal)
            && line.Contains("proxy_protocol on;", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_broken_header_and_a_missing_one_are_refused()
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tcp, null, options => options with
        {
            ProxyProtocol = new ProxyProtocolOptions { Mode = ProxyProtocolMode.Required },
        });
        using Socket broken = await server.ConnectSocketAsync();
        await broken.SendAsync(Encoding.ASCII.GetBytes("PROXY TCP4 nonsense\r\n"));
        await AssertClosedAsync(broken);
        using Socket missing = await server.ConnectSocketAsync();
        await missing.SendAsync(new byte[] { 0x10, 0x00 });
        await AssertClosedAsync(missing);
        await AssertNoneOpenAsync(server);
    }

    [Fact]
    public async Task Silence_where_a_header_is_due_runs_out()
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tcp, null, options => options with
        {
            ProxyProtocol = new ProxyProtocolOptions { Mode = ProxyProtocolMode.Required, HeaderDeadline = TimeSpan.FromMilliseconds(200) },
        });
        try
        {
            using Socket silent = await server.ConnectSocketAsync();
            await AssertClosedAsync(silent);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            // On a busy machine the deadline is over, and the reset there, before this side learns that it is connected.
        }

        await AssertNoneOpenAsync(server);
    }

    [Theory]
    [InlineData(TransportKind.Tls)]
    [InlineData(TransportKind.SslStream)]
    public async Task The_header_comes_before_TLS(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        using Socket socket = await server.ConnectSocketAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.9 127.0.0.1 5 6\r\n"));
        await using var ssl = new SslStream(new NetworkStream(socket), false, AcceptAny);
        await ssl.AuthenticateAsClientAsync("localhost").WaitAsync(Deadline.Long);
        await ssl.WriteAsync("x"u8.ToArray());
        Peer peer = await server.NextPeerAsync();
        Assert.Equal("192.0.2.9:5", peer.Transport.Origin.Remote.ToString());
        Assert.Equal("Tls13", peer.Transport.Origin.Details!.TlsVersion);
    }

    [Theory]
    [InlineData(TransportKind.Tls)]
    [InlineData(TransportKind.SslStream)]
    public async Task A_client_certificate_is_asked_for_and_told(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates, options => options with
        {
            Tls = options.Tls with { ClientCaPath = _certificates.CaPath },
        });
        using var certificate = X509Certificate2.CreateFromPemFile(_certificates.ClientCertificatePath, _certificates.ClientKeyPath);
        using Socket socket = await server.ConnectSocketAsync();
        await using var ssl = new SslStream(new NetworkStream(socket), false, AcceptAny);
        await ssl.AuthenticateAsClientAsync("localhost", [certificate], checkCertificateRevocation: false).WaitAsync(Deadline.Long);
        await ssl.WriteAsync("x"u8.ToArray());
        Peer peer = await server.NextPeerAsync();
        Assert.Equal("CN=device-7", peer.Transport.Origin.Details!.ClientCertificateSubject);

        using Socket without = await server.ConnectSocketAsync();
        await using var bare = new SslStream(new NetworkStream(without), false, AcceptAny);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await bare.AuthenticateAsClientAsync("localhost").WaitAsync(Deadline.Long);
            await bare.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Deadline.Long);
        });
        await server.Log.AwaitLineAsync(line => line.StartsWith("2030", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_busy_port_is_reported_with_its_holder()
    {
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        holder.Listen();
        ListenerStartException exception = await Assert.ThrowsAsync<ListenerStartException>(() => TestServer.StartAsync(
            TransportKind.Tcp, null, options => options with { Address = holder.LocalEndPoint!.ToString()! }));
        string error = Assert.Single(exception.Errors);
        Assert.Contains($"process {Environment.ProcessId} (", error, StringComparison.Ordinal);
        Assert.Contains("Listeners:n:Address", error, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Draining_refuses_new_connections_and_keeps_the_old(TransportKind kind)
    {
        // A port that nobody else is given when this server has left it.
        await using TestServer server = await TestServer.StartAsync(kind, null, options => options with { Address = $"127.0.0.1:{FreePorts.Take()}" });
        System.Net.IPEndPoint endPoint = server.EndPoint;
        using Socket old = await server.ConnectSocketAsync();
        await EchoesAsync(old);
        var queued = new List<Socket>();
        for (int i = 0; i < 50; i++)
        {
            queued.Add(await server.ConnectSocketAsync());
        }

        await server.Listeners.StopAcceptingAsync();
        await EchoesAsync(old);
        foreach (Socket socket in queued)
        {
            await EchoesAsync(socket);
            socket.Dispose();
        }

        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(endPoint));
    }

    [Fact]
    public void Every_error_of_the_options_is_named_with_its_path()
    {
        var options = new ListenerOptions
        {
            Type = ListenerType.Wss,
            Address = "nowhere",
            Backlog = 0,
            MaximumConnections = 0,
            Allow = ["x"],
            SendTimeout = TimeSpan.Zero,
            ProxyProtocol = new ProxyProtocolOptions { Mode = ProxyProtocolMode.Required, TrustedAddresses = [], MaximumHeaderBytes = 231 },
            Tls = new TlsOptions { CertificatePath = "/nowhere.pem" },
            WebSocket = new WebSocketOptions { Path = "mqtt", MaximumHeaderBytes = 1 },
        };
        var errors = new List<string>();
        options.Validate("Listeners:3", errors);
        Assert.Equal(10, errors.Count);
        Assert.All(errors, error => Assert.StartsWith("Listeners:3:", error, StringComparison.Ordinal));
    }

    private static bool AcceptAny(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => true;

    private static async Task EchoesAsync(Socket socket)
    {
        await socket.SendAsync("ping"u8.ToArray());
        byte[] buffer = new byte[16];
        int total = 0;
        while (total < 4)
        {
            int read = await socket.ReceiveAsync(buffer.AsMemory(total)).AsTask().WaitAsync(Deadline.Long);
            Assert.True(read > 0, "closed instead of echoing");
            total += read;
        }

        Assert.Equal("ping"u8.ToArray(), buffer[..4]);
    }

    private static Task<int> ReceiveAsync(Socket socket) => socket.ReceiveAsync(new byte[1].AsMemory()).AsTask().WaitAsync(Deadline.Long);

    // The client sees the end of its connection before the loop has counted it.
    private static Task AssertNoneOpenAsync(TestServer server) => Eventually.HoldsAsync(
        () => server.Listeners.OpenConnections == 0, () => $"none of {server.Listeners.OpenConnections} connections is open");

    private static async Task AssertClosedAsync(Socket socket)
    {
        try
        {
            Assert.Equal(0, await ReceiveAsync(socket));
        }
        catch (SocketException exception)
        {
            Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode);
        }
    }
}
