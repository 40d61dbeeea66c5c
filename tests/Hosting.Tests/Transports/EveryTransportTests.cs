using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Trunkline.Clauses;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Transports;

/// <summary>What every kind of transport has to do, over real sockets.</summary>
[SuppressMessage("Reliability", "CA2022:Avoid inexact read", Justification = "The tests ask for whatever comes.")]
public sealed class EveryTransportTests : IClassFixture<CertificateFixture>
{
    private readonly TestCertificates _certificates;

    public EveryTransportTests(CertificateFixture fixture) => _certificates = fixture.Certificates;

    public static TheoryData<TransportKind> Kinds =>
        [TransportKind.Tcp, TransportKind.PortableTcp, TransportKind.Tls, TransportKind.SslStream, TransportKind.Ws, TransportKind.Wss, TransportKind.PortableWss];

    public static TheoryData<TransportKind> TcpKinds => [TransportKind.Tcp, TransportKind.PortableTcp];

    [Theory, MemberData(nameof(Kinds))]
    [Clause(Specification.Mqtt311, "MQTT-7.1.1-1")]
    [Clause(Specification.Mqtt50, "MQTT-4.2.0-1")]
    public async Task Echoes_what_it_gets(TransportKind kind)
    {
        await using TestServer server = await StartAsync(kind);
        await using Stream client = await server.ConnectAsync();
        byte[] sent = Pattern(200_000, 1);
        Task writing = client.WriteAsync(sent).AsTask();
        Assert.Equal(sent, await ReadAsync(client, sent.Length));
        await writing;
        Peer peer = await server.NextPeerAsync();
        Assert.Equal("127.0.0.1", peer.Transport.Origin.Remote.HostToString());
        int retained = await peer.Transport.Loop.InvokeAsync(() => peer.Transport.RetainedBytes + peer.Transport.UnsentBytes);
        Assert.Equal(0, retained);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Frames_split_at_every_byte_are_put_together(TransportKind kind)
    {
        await using TestServer server = await StartAsync(kind, onBytes: (_, bytes) => bytes.Length / 7 * 7);
        await using Stream client = await server.ConnectAsync();
        for (int split = 1; split < 21; split++)
        {
            byte[] sent = Pattern(21, split);
            await client.WriteAsync(sent.AsMemory(0, split));
            if (split >= 7)
            {
                // What was whole has come back, so the first part has been looked at by itself.
                Assert.Equal(sent[..(split / 7 * 7)], await ReadAsync(client, split / 7 * 7));
            }

            await client.WriteAsync(sent.AsMemory(split));
            Assert.Equal(sent[(split / 7 * 7)..], await ReadAsync(client, 21 - (split / 7 * 7)));
        }
    }

    [Theory, MemberData(nameof(TcpKinds))]
    public async Task A_half_closed_client_gets_its_answer_and_the_end(TransportKind kind)
    {
        await using TestServer server = await StartAsync(kind);
        using var socket = await server.ConnectSocketAsync();
        await using var stream = new System.Net.Sockets.NetworkStream(socket);
        await socket.SendAsync(Pattern(1000, 3));
        socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.Equal(Pattern(1000, 3), await ReadAsync(stream, 1000));
        Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Deadline.Long));
        Peer peer = await server.NextPeerAsync();
        Assert.Equal(TransportCloseReason.PeerClosed, await peer.Closed.Task.WaitAsync(Deadline.Long));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_client_that_goes_is_noticed_once(TransportKind kind)
    {
        await using TestServer server = await StartAsync(kind);
        Stream client = await server.ConnectAsync();
        await client.WriteAsync(Pattern(10, 4));
        Peer peer = await server.NextPeerAsync();
        await peer.WaitForBytesAsync(10);
        await ReadAsync(client, 10);
        await client.DisposeAsync();
        TransportCloseReason reason = await peer.Closed.Task.WaitAsync(Deadline.Long);
        Assert.Contains(reason, new[] { TransportCloseReason.PeerClosed, TransportCloseReason.Reset, TransportCloseReason.ProtocolError });
        await peer.OnLoop(transport => transport.Close(TransportClose.Abort));
        await peer.OnLoop(_ => { });
        Assert.Equal(1, peer.CloseCalls);
        await Eventually.HoldsAsync(() => server.Listeners.OpenConnections == 0, "it is counted as gone");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_reset_is_told_even_while_paused(TransportKind kind)
    {
        await using TestServer server = await StartAsync(kind);
        System.Net.Sockets.Socket? socket = null;
        Stream client = await server.ConnectAsync(s => socket = s);
        await client.WriteAsync(Pattern(10, 4));
        Peer peer = await server.NextPeerAsync();
        await peer.WaitForBytesAsync(10);
        if (kind is TransportKind.Tcp)
        {
            await peer.OnLoop(transport => transport.PauseReading());
        }

        socket!.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        socket.Dispose();
        Assert.Equal(TransportCloseReason.Reset, await peer.Closed.Task.WaitAsync(Deadline.Long));
        await client.DisposeAsync().AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_paused_connection_stops_its_client_and_goes_on_later(TransportKind kind)
    {
        await using TestServer server = await StartAsync(kind, echo: false, onBytes: (peer, bytes) =>
        {
            if (peer.Received.IsEmpty)
            {
                peer.Transport.PauseReading();
            }

            return Math.Min(bytes.Length, 100);
        });
        await using Stream client = await server.ConnectAsync(s => { s.SendBufferSize = 65536; s.ReceiveBufferSize = 65536; });
        byte[] sent = Pattern(16_000_000, 5);
        Task writing = WriteInPiecesAsync(client, sent);
        Peer peer = await server.NextPeerAsync();
        await peer.WaitForBytesAsync(100);
        int retained = await peer.Transport.Loop.InvokeAsync(() => peer.Transport.RetainedBytes);
        Assert.InRange(retained, 0, 256 * 1024);
        Assert.False(writing.IsCompleted);
        peer.OnBytes = (_, bytes) => bytes.Length;
        await peer.OnLoop(transport => transport.ResumeReading());
        await peer.WaitForBytesAsync(sent.Length - 100);
        await writing.WaitAsync(Deadline.Long);
        Assert.Equal(sent, peer.Received.SelectMany(part => part));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_reader_that_stops_is_closed_after_the_send_timeout(TransportKind kind)
    {
        await using TestServer server = await StartAsync(kind, change: options => options with { SendTimeout = TimeSpan.FromMilliseconds(300) });
        await using Stream client = await server.ConnectAsync(s => s.ReceiveBufferSize = 8192);
        await client.WriteAsync(Pattern(10, 4));
        Peer peer = await server.NextPeerAsync();
        await peer.WaitForBytesAsync(10);
        int unsent = await peer.Transport.Loop.InvokeAsync(() => WriteUntilHigh(peer.Transport, 64 * 1024 * 1024));
        Assert.InRange(unsent, 64 * 1024, 256 * 1024);
        Assert.Contains(
            await peer.Closed.Task.WaitAsync(Deadline.Long), new[] { TransportCloseReason.SendTimeout });
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_writer_stopped_by_the_mark_is_told_when_to_go_on(TransportKind kind)
    {
        await using TestServer server = await StartAsync(kind, echo: false);
        await using Stream client = await server.ConnectAsync(s => s.ReceiveBufferSize = 8192);
        await client.WriteAsync(Pattern(10, 4));
        Peer peer = await server.NextPeerAsync();
        await peer.WaitForBytesAsync(10);
        int written = 0;
        await peer.OnLoop(transport =>
        {
            while (transport.UnsentBytes <= transport.Settings.HighWaterBytes)
            {
                transport.Output.Write(Pattern(10_000, written));
                written += 10_000;
            }
        });
        Assert.False(peer.Writable.Task.IsCompleted);
        byte[] received = await ReadAsync(client, written);
        await peer.Writable.Task.WaitAsync(Deadline.Long);
        for (int at = 0; at < written; at += 10_000)
        {
            Assert.Equal(Pattern(10_000, at), received[at..(at + 10_000)]);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_graceful_close_lets_the_last_words_arrive(TransportKind kind)
    {
        byte[] last = Pattern(500_000, 9);
        await using TestServer server = await StartAsync(kind, echo: false, onBytes: (peer, bytes) =>
        {
            peer.Transport.Output.Write(last);
            peer.Transport.Close(TransportClose.Graceful);
            return 0;
        });
        await using Stream client = await server.ConnectAsync();

        // More than is read: closing with bytes unread must not reset the connection.
        await client.WriteAsync(Pattern(5000, 4));
        Assert.Equal(last, await ReadAsync(client, last.Length));
        Assert.Equal(0, await client.ReadAsync(new byte[1]).AsTask().WaitAsync(Deadline.Long));
        Peer peer = await server.NextPeerAsync();
        Assert.Equal(TransportCloseReason.LocalClose, await peer.Closed.Task.WaitAsync(Deadline.Long));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Moving_under_traffic_loses_and_reorders_nothing(TransportKind kind)
    {
        int moves = 0;
        TestServer? started = null;
        await using TestServer server = await StartAsync(kind, onBytes: (peer, bytes) =>
        {
            if (bytes.Length > 1 && started is not null && moves < 500)
            {
                moves++;
                peer.Transport.MoveTo(started.Loops[(peer.Transport.Loop.Index + 1) % 2]);
                return bytes.Length - 1;
            }

            return bytes.Length;
        });
        started = server;
        await using Stream client = await server.ConnectAsync();
        byte[] sent = Pattern(4_000_000, 11);
        Task writing = WriteInPiecesAsync(client, sent);
        byte[] received = await ReadAsync(client, sent.Length);
        await writing;
        Assert.Equal(sent, received);
        Assert.True(moves > 10, $"moved {moves} times");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_handler_that_throws_ends_its_own_connection(TransportKind kind)
    {
        await using TestServer server = await StartAsync(kind, onBytes: (_, bytes) =>
            bytes[0] == 0xEE ? throw new InvalidOperationException("boom") : bytes.Length, loops: 1);
        server.ExpectsFaults = true;
        await using Stream bad = await server.ConnectAsync();
        await using Stream good = await server.ConnectAsync();
        await bad.WriteAsync(new byte[] { 0xEE });
        Peer peer = await server.NextPeerAsync();
        Assert.Equal(TransportCloseReason.HandlerFault, await peer.Closed.Task.WaitAsync(Deadline.Long));
        await good.WriteAsync(Pattern(100, 1));
        Assert.Equal(Pattern(100, 1), await ReadAsync(good, 100));
        await server.Log.AwaitLineAsync(line => line.StartsWith("2050", StringComparison.Ordinal) && line.Contains("boom", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(TransportKind.Tcp, 1000)]
    [InlineData(TransportKind.PortableTcp, 1000)]
    [InlineData(TransportKind.Ws, 1000)]
    [InlineData(TransportKind.Tls, 200)]
    [InlineData(TransportKind.SslStream, 200)]
    public async Task Many_connections_each_get_their_own(TransportKind kind, int count)
    {
        await using TestServer server = await StartAsync(kind);
        var clients = new List<Stream>();
        for (int i = 0; i < count; i++)
        {
            clients.Add(await server.ConnectAsync());
        }

        await Task.WhenAll(clients.Select((client, i) => client.WriteAsync(Pattern(50, i)).AsTask()));
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(Pattern(50, i), await ReadAsync(clients[i], 50));
            await clients[i].DisposeAsync();
        }
    }

    private static byte[] Pattern(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        bytes[0] = 1;
        return bytes;
    }

    private static int WriteUntilHigh(Transport transport, int most)
    {
        byte[] block = new byte[10_000];
        for (int total = 0; total < most && transport.UnsentBytes <= transport.Settings.HighWaterBytes; total += block.Length)
        {
            transport.Output.Write(block);
        }

        return transport.UnsentBytes;
    }

    private static async Task WriteInPiecesAsync(Stream client, byte[] bytes)
    {
        for (int at = 0; at < bytes.Length; at += 3000)
        {
            await client.WriteAsync(bytes.AsMemory(at, Math.Min(3000, bytes.Length - at)));
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int count)
    {
        byte[] bytes = new byte[count];
        int total = 0;
        while (total < count)
        {
            int read = await stream.ReadAsync(bytes.AsMemory(total)).AsTask().WaitAsync(Deadline.Long);
            Assert.True(read > 0, $"the end came after {total} of {count} bytes");
            total += read;
        }

        return bytes;
    }

    private async Task<TestServer> StartAsync(
        TransportKind kind,
        Func<ListenerOptions, ListenerOptions>? change = null,
        bool echo = true,
        Func<Peer, byte[], int>? onBytes = null,
        int loops = 2)
    {
        TestServer server = await TestServer.StartAsync(kind, _certificates, change, loops);
        server.Echo = echo;
        server.OnBytes = onBytes;
        return server;
    }
}
