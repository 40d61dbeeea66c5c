using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Threading.Channels;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Support;

/// <summary>Loops, one listener and the server's ends of its connections.</summary>
internal sealed class TestServer : IAsyncDisposable, IConnectionAcceptor
{
    private readonly Channel<Peer> _peers = Channel.CreateUnbounded<Peer>();
    private readonly HostingMetrics _metrics;
    private readonly ListenerSet _listeners;
    private int _accepted;

    private TestServer(TransportKind kind, ListenerOptions options, int loops, bool sharesThread, CoalescingOptions? coalescing)
    {
        Kind = kind;
        Loops = [.. Enumerable.Range(0, loops).Select(index => CreateLoop(kind, index, coalescing ?? new CoalescingOptions { IntervalUs = 0 }))];
        foreach (Loop loop in sharesThread ? Loops[1..] : [])
        {
            // More than a whole thread: no load parts them, only the test.
            loop.ShareThreadOf(Loops[0], new LoopSharingOptions { BelowPercent = 101 });
        }

        _metrics = new HostingMetrics(null, Loops);

        // Guests only, or what they leave in a listener's queue the host would take.
        _listeners = new ListenerSet([options], sharesThread ? Loops[1..] : Loops, _ => this, _metrics, Log, Memory);
    }

    public TransportKind Kind { get; }

    public Loop[] Loops { get; }

    public LogList Log { get; } = new();

    public MemoryGauge Memory { get; } = new();

    public bool Echo { get; set; } = true;

    public bool ExpectsFaults { get; set; }

    /// <summary>Whether connections go to all loops in turn, as devices go to the loop of their identifier.</summary>
    public bool Spreads { get; set; }

    public Func<Peer, byte[], int>? OnBytes { get; set; }

    public IPEndPoint EndPoint => _listeners.Bound[0].Address.ToEndPoint()!;

    public ListenerSet Listeners => _listeners;

    public static async Task<TestServer> StartAsync(
        TransportKind kind, TestCertificates? certificates = null, Func<ListenerOptions, ListenerOptions>? change = null, int loops = 2,
        bool sharesThread = false, CoalescingOptions? coalescing = null)
    {
        var options = new ListenerOptions
        {
            Name = "test",
            Address = "127.0.0.1:0",
            Type = kind switch
            {
                TransportKind.Tls or TransportKind.SslStream => ListenerType.Tls,
                TransportKind.Ws => ListenerType.Ws,
                TransportKind.Wss or TransportKind.PortableWss => ListenerType.Wss,
                _ => ListenerType.Tcp,
            },
            Tls = new TlsOptions { CertificatePath = certificates?.CertificatePath, KeyPath = certificates?.KeyPath, UseOpenSsl = kind is TransportKind.Tls or TransportKind.Wss },
        };
        var server = new TestServer(kind, change?.Invoke(options) ?? options, loops, sharesThread, coalescing);
        foreach (Loop loop in server.Loops)
        {
            loop.Start();
        }

        await server._listeners.StartAsync();
        return server;
    }

    public static bool IsWebSocket(TransportKind kind) => kind is TransportKind.Ws or TransportKind.Wss or TransportKind.PortableWss;

    public static bool IsTls(TransportKind kind) => kind is TransportKind.Tls or TransportKind.SslStream or TransportKind.Wss or TransportKind.PortableWss;

    public void OnAccepted(Transport transport)
    {
        var peer = new Peer(transport, Echo) { OnBytes = OnBytes };
        transport.Handler = peer;
        if (Spreads)
        {
            transport.MoveTo(Loops[Interlocked.Increment(ref _accepted) % Loops.Length]);
        }

        _peers.Writer.TryWrite(peer);
    }

    public Task<Peer> NextPeerAsync() => _peers.Reader.ReadAsync().AsTask().WaitAsync(Deadline.Long);

    public async Task<Socket> ConnectSocketAsync(Action<Socket>? configure = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        configure?.Invoke(socket);
        await socket.ConnectAsync(EndPoint).WaitAsync(Deadline.Long);
        return socket;
    }

    /// <summary>A client's stream of MQTT bytes, whatever lies below.</summary>
    public async Task<Stream> ConnectAsync(Action<Socket>? configure = null)
    {
        Stream stream = new NetworkStream(await ConnectSocketAsync(configure), ownsSocket: true);
        if (IsTls(Kind))
        {
#pragma warning disable CA5359 // The test trusts itself.
            var ssl = new SslStream(stream, false, (_, _, _, _) => true);
#pragma warning restore CA5359
            await ssl.AuthenticateAsClientAsync("localhost").WaitAsync(Deadline.Long);
            stream = ssl;
        }

        if (IsWebSocket(Kind))
        {
            await WebSocketStream.HandshakeAsync(stream);
            var webSocket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { SubProtocol = "mqtt" });
            stream = new WebSocketStream(webSocket);
        }

        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        await _listeners.DisposeAsync();
        foreach (Loop loop in Loops)
        {
            loop.Dispose();
        }

        _metrics.Dispose();
        Assert.True(ExpectsFaults || Loops.All(loop => loop.FaultCount == 0), string.Join('\n', Log.Lines));
    }

    private Loop CreateLoop(TransportKind kind, int index, CoalescingOptions coalescing)
    {
        var options = new LoopOptions { Name = $"loop-{index}", Index = index, Memory = Memory, Coalescing = coalescing, Faults = new LoopFaultLog(Log) };
        return OperatingSystem.IsLinux() && kind is not (TransportKind.PortableTcp or TransportKind.PortableWss)
            ? new EpollLoop(options)
            : new ThreadLoop(options);
    }
}
