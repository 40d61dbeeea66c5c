using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Tls;

/// <summary>TLS as peers see it, the same whoever does the cryptography.</summary>
public sealed class TlsLayerTests(CertificateFixture fixture) : IClassFixture<CertificateFixture>
{
    private readonly TestCertificates _certificates = fixture.Certificates;

    public static TheoryData<TransportKind> Kinds => [TransportKind.Tls, TransportKind.SslStream];

    [Fact]
    public void OpenSSL_is_there_and_takes_the_certificate()
    {
        using OpenSslContext? context = OpenSslContext.TryCreate(
            new TlsOptions { CertificatePath = _certificates.CertificatePath, KeyPath = _certificates.KeyPath }, out string none);
        Assert.NotNull(context);
        Assert.Empty(none);
        Assert.Null(OpenSslContext.TryCreate(
            new TlsOptions { CertificatePath = _certificates.CertificatePath, KeyPath = _certificates.ClientKeyPath }, out string error));
        Assert.Contains("key values mismatch", error, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Handshake_and_data_may_come_byte_by_byte(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        using Socket socket = await server.ConnectSocketAsync();
        await using var ssl = new SslStream(new TrickleStream(new NetworkStream(socket)), false, AcceptAny);
        await ssl.AuthenticateAsClientAsync("localhost").WaitAsync(Deadline.Long);
        byte[] sent = [.. Enumerable.Range(0, 300).Select(i => (byte)i)];
        await ssl.WriteAsync(sent);
        byte[] echoed = new byte[300];
        await ssl.ReadExactlyAsync(echoed).AsTask().WaitAsync(Deadline.Long);
        Assert.Equal(sent, echoed);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Version_1_2_is_served_and_1_1_is_not(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        await using SslStream ssl = await HandshakeAsync(server, SslProtocols.Tls12);
        await EchoesAsync(ssl);
        Peer peer = await server.NextPeerAsync();
        Assert.Equal("Tls12", peer.Transport.Origin.Details!.TlsVersion);
        Assert.StartsWith("TLS_ECDHE_", peer.Transport.Origin.Details.TlsCipher, StringComparison.Ordinal);
#pragma warning disable SYSLIB0039, CA5397 // The old version is what is tried.
        await Assert.ThrowsAnyAsync<Exception>(() => HandshakeAsync(server, SslProtocols.Tls11));
#pragma warning restore SYSLIB0039, CA5397
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_name_asked_for_and_the_cipher_are_told(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        await using SslStream ssl = await HandshakeAsync(server, SslProtocols.Tls13);
        await EchoesAsync(ssl);
        ConnectionOriginDetails details = (await server.NextPeerAsync()).Transport.Origin.Details!;
        Assert.Equal("localhost", details.ServerName);
        Assert.Equal(ssl.NegotiatedCipherSuite.ToString(), details.TlsCipher);
        Assert.Null(details.ClientCertificateSubject);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_close_is_said_after_the_last_bytes(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        await using SslStream ssl = await HandshakeAsync(server, SslProtocols.None);
        await EchoesAsync(ssl);
        Peer peer = await server.NextPeerAsync();
        await peer.Transport.Loop.InvokeAsync(() =>
        {
            peer.Transport.Output.GetSpan(5)[..5].Fill(7);
            peer.Transport.Output.Advance(5);
            peer.Transport.Close(TransportClose.Graceful);
        });

        // Without close_notify the second read would be an error: the end could be an attacker's.
        byte[] last = new byte[5];
        await ssl.ReadExactlyAsync(last).AsTask().WaitAsync(Deadline.Long);
        Assert.Equal(0, await ssl.ReadAsync(new byte[1]).AsTask().WaitAsync(Deadline.Long));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_close_of_the_peer_is_its_end(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        SslStream ssl = await HandshakeAsync(server, SslProtocols.None);
        await EchoesAsync(ssl);
        Peer peer = await server.NextPeerAsync();
        await ssl.ShutdownAsync();
        Assert.Equal(TransportCloseReason.PeerClosed, await peer.Closed.Task.WaitAsync(Deadline.Long));
        await ssl.DisposeAsync();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Records_that_were_tampered_with_end_the_connection(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        using Socket socket = await server.ConnectSocketAsync();
        await using var ssl = new SslStream(new NetworkStream(socket), false, AcceptAny);
        await ssl.AuthenticateAsClientAsync("localhost").WaitAsync(Deadline.Long);
        await EchoesAsync(ssl);
        Peer peer = await server.NextPeerAsync();
        byte[] record = [0x17, 3, 3, 0, 32, .. new byte[32]];
        await socket.SendAsync(record);
        Assert.Equal(TransportCloseReason.ProtocolError, await peer.Closed.Task.WaitAsync(Deadline.Long));
    }

    [Theory]
    [InlineData(TransportKind.Tls, "GET / HTTP/1.1\r\n\r\n")]
    [InlineData(TransportKind.SslStream, "GET / HTTP/1.1\r\n\r\n")]
    [InlineData(TransportKind.Tls, "\u0016\u0003\u0001\u0000\u0005\u0001\u0000\u0000\u0001\u0000")]
    [InlineData(TransportKind.SslStream, "\u0016\u0003\u0001\u0000\u0005\u0001\u0000\u0000\u0001\u0000")]
    public async Task What_is_no_handshake_is_refused_logged_and_closed(TransportKind kind, string first)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        using Socket socket = await server.ConnectSocketAsync();
        await socket.SendAsync(System.Text.Encoding.Latin1.GetBytes(first));
        await ReadToEndAsync(socket);
        await Eventually.HoldsAsync(() => server.Listeners.OpenConnections == 0, "it is closed");
        await server.Log.AwaitLineAsync(line => line.StartsWith("2030", StringComparison.Ordinal));
        await using SslStream good = await HandshakeAsync(server, SslProtocols.None);
        await EchoesAsync(good);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_handshake_that_stops_halfway_ends_with_its_deadline(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates, options => options with
        {
            Tls = options.Tls with { HandshakeDeadline = TimeSpan.FromMilliseconds(300) },
        });
        try
        {
            using Socket socket = await server.ConnectSocketAsync();
            await socket.SendAsync(new byte[] { 0x16, 3, 1, 2, 0, 1 });
            await ReadToEndAsync(socket);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // On a busy machine the deadline is over, and the reset there, before this side has sent anything.
        }

        await Eventually.HoldsAsync(() => server.Listeners.OpenConnections == 0, "it is closed");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_storm_of_handshakes_is_served_on_one_loop(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates, loops: 1);
        SslStream[] all = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => HandshakeAsync(server, SslProtocols.None)));
        foreach (SslStream ssl in all)
        {
            await EchoesAsync(ssl);
            await ssl.DisposeAsync();
        }

        await Eventually.HoldsAsync(() => server.Listeners.OpenConnections == 0, "all are gone");
    }

    [Fact]
    public void A_turn_takes_so_many_handshake_steps_and_no_more()
    {
        int putOff = 0;
        using OpenSslContext context = OpenSslContext.TryCreate(
            new TlsOptions { CertificatePath = _certificates.CertificatePath, KeyPath = _certificates.KeyPath, HandshakeStepsPerTurn = 3 },
            out _,
            () => putOff++)!;
        using var loop = new ManualLoop();
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => context.TakeHandshakeStep(loop)));
        Assert.Equal(7, putOff);
        loop.RunTurn();
        Assert.True(context.TakeHandshakeStep(loop));
        Assert.Equal(7, putOff);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Renegotiation_is_refused(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, _certificates);
        var start = new ProcessStartInfo("openssl", ["s_client", "-connect", server.EndPoint.ToString(), "-tls1_2", "-legacy_renegotiation"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process client = Process.Start(start)!;
        Task<string> said = client.StandardOutput.ReadToEndAsync();
        Task<string> errors = client.StandardError.ReadToEndAsync();
        Peer peer = await server.NextPeerAsync();
        await client.StandardInput.WriteAsync("R\n");
        await client.StandardInput.FlushAsync();
        await client.WaitForExitAsync().WaitAsync(Deadline.Long);
        Assert.Contains("Verify return code", await said, StringComparison.Ordinal);
        Assert.Contains("RENEGOTIATING", await errors, StringComparison.Ordinal);
        Assert.Contains("error:", await errors, StringComparison.Ordinal);
        await peer.Closed.Task.WaitAsync(Deadline.Long);
    }

    [Fact]
    public async Task Where_OpenSSL_cannot_serve_SslStream_does_and_the_log_says_why()
    {
        // .NET reads a key of 1,024 bits, OpenSSL's security level refuses it.
        using var key = RSA.Create(1024);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        DateTimeOffset from = DateTimeOffset.UtcNow.AddDays(-1);
        using X509Certificate2 weak = request.CreateSelfSigned(from, from.AddDays(2));
        string path = Path.Combine(_certificates.Folder, "weak.pem");
        await File.WriteAllTextAsync(path, weak.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tls, _certificates, options => options with
        {
            Tls = options.Tls with { CertificatePath = path, KeyPath = null },
        });
        await server.Log.AwaitLineAsync(line => line.StartsWith("2031", StringComparison.Ordinal) && line.Contains("key too small", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(TransportKind.Tls, true)]
    [InlineData(TransportKind.Tls, false)]
    [InlineData(TransportKind.SslStream, true)]
    [InlineData(TransportKind.SslStream, false)]
    public async Task A_strangers_certificate_is_refused_and_none_only_where_one_is_required(TransportKind kind, bool required)
    {
        using var strangers = new TestCertificates();
        await using TestServer server = await TestServer.StartAsync(kind, _certificates, options => options with
        {
            Tls = options.Tls with { ClientCaPath = _certificates.CaPath, RequireClientCertificate = required },
        });
        using var stranger = X509Certificate2.CreateFromPemFile(strangers.ClientCertificatePath, strangers.ClientKeyPath);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using SslStream refused = await HandshakeAsync(server, SslProtocols.None, stranger);
            await EchoesAsync(refused);
        });
        Task<bool> bare = TryWithoutAsync(server);
        Assert.Equal(!required, await bare);
    }

    private static async Task<bool> TryWithoutAsync(TestServer server)
    {
        try
        {
            await using SslStream ssl = await HandshakeAsync(server, SslProtocols.None);
            await EchoesAsync(ssl);
            return true;
        }
        catch (Exception exception) when (exception is IOException or AuthenticationException)
        {
            return false;
        }
    }

    private static async Task<SslStream> HandshakeAsync(TestServer server, SslProtocols protocols, X509Certificate2? certificate = null)
    {
        Socket socket = await server.ConnectSocketAsync();
        var ssl = new SslStream(new NetworkStream(socket, ownsSocket: true), false, AcceptAny);
        await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = protocols,
            LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
        }).WaitAsync(Deadline.Long);
        return ssl;
    }

    private static async Task EchoesAsync(SslStream ssl)
    {
        await ssl.WriteAsync("hello"u8.ToArray());
        byte[] echoed = new byte[5];
        await ssl.ReadExactlyAsync(echoed).AsTask().WaitAsync(Deadline.Long);
        Assert.Equal("hello"u8.ToArray(), echoed);
    }

    private static async Task ReadToEndAsync(Socket socket)
    {
        try
        {
            byte[] buffer = new byte[1000];
            while (await socket.ReceiveAsync(buffer).WaitAsync(Deadline.Long) > 0)
            {
                // An alert, perhaps.
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            // As good an end.
        }
    }

    /// <summary>The test trusts itself.</summary>
    private static bool AcceptAny(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => certificate is not null;

    /// <summary>Sends every byte by itself.</summary>
    private sealed class TrickleStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (int i = 0; i < buffer.Length; i++)
            {
                await inner.WriteAsync(buffer.Slice(i, 1), cancellationToken);
            }
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count)
        {
            for (int i = 0; i < count; i++)
            {
                inner.Write(buffer, offset + i, 1);
            }
        }

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
