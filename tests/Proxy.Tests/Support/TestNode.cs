using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Hosting;
using Trunkline.Hosting.Devices;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Proxy;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.ProxyTests.Support;

/// <summary>Gates, devices and directory of one node without links: what claims a client identifier and lets it go.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly ListenerSet _listeners;
    private readonly HostingMetrics _metrics;
    private readonly Meter _meter = new("test.directory");

    private TestNode(DirectoryMemory memory, string name, Func<IDirectory, IDirectory>? wrap, WhenAway whenAway, MqttOptions? mqtt, AdmissionOptions? admission, int takeOverDeadlineMs)
    {
        Loops = [.. Enumerable.Range(0, 2).Select(n => CreateLoop(n, Log))];
        Contexts = [.. Loops.Select(loop => new SessionContext(loop, mqtt ?? new MqttOptions { ReceiveMaximum = 100 }) { Router = new NoRouter() })];
        var self = new NodeInfo(NodeId.NewId(new Random(name.GetHashCode(StringComparison.Ordinal))), name, "", "", "0");
        var options = new DirectoryOptions { LeaseMs = 60_000, TakeOverDeadlineMs = takeOverDeadlineMs };
        var environment = new DirectoryEnvironment(TimeProvider.System, Log, _meter, 1);
        IDirectory own = new MemoryDirectory(memory, self, options, environment);
        Directory = wrap?.Invoke(own) ?? own;
        var lines = new LineBudgets();
        AttachNumbers numbers = Numbers;
        Gates = [.. Contexts.Select(context => new ConnectionGate(
            context, Directory, numbers, new ConnectAdmission(context.Loop, admission ?? new AdmissionOptions(), Contexts.Length), Log, lines)
        {
            WhenAway = whenAway,
        })];
        Devices = new DeviceServer(Contexts, Gates);
        Reviews = [.. Gates.Select(gate => new HeldReview(gate, Directory, Log))];
        Events = new DirectoryEvents(GateOf, Reviews, _ => { }, _ => { }, Log);
        _metrics = new HostingMetrics(null, Loops);
        _listeners = new ListenerSet(
            [new ListenerOptions { Name = name, Address = "127.0.0.1:0" }], Loops, _ => new DeviceAcceptor(Devices, 60_000), _metrics, Log);
    }

    public LogList Log { get; } = new();

    /// <summary>Faults that the test brings about itself.</summary>
    public int FaultsExpected { get; set; }

    public AttachNumbers Numbers { get; } = new();

    public Loop[] Loops { get; }

    public SessionContext[] Contexts { get; }

    public ConnectionGate[] Gates { get; }

    public HeldReview[] Reviews { get; }

    public DeviceServer Devices { get; }

    public IDirectory Directory { get; }

    public DirectoryEvents Events { get; }

    public System.Net.EndPoint EndPoint => _listeners.Bound[0].Address.ToEndPoint()!;

    public static async Task<TestNode> StartAsync(
        DirectoryMemory memory,
        string name,
        Func<IDirectory, IDirectory>? wrap = null,
        WhenAway whenAway = WhenAway.Refuse,
        MqttOptions? mqtt = null,
        AdmissionOptions? admission = null,
        int takeOverDeadlineMs = 20_000)
    {
        var node = new TestNode(memory, name, wrap, whenAway, mqtt, admission, takeOverDeadlineMs);
        foreach (Loop loop in node.Loops)
        {
            loop.Start();
        }

        Assert.Equal(DirectoryStatus.Ok, (await node.Directory.JoinAsync(new TierShape(0, ["group-0"]), node.Events)).Status);
        await node._listeners.StartAsync();
        return node;
    }

    public ConnectionGate GateOf(string clientId) => Gates[Array.IndexOf(Contexts, Devices.OwnerOf(clientId))];

    public Task<bool> HoldsAsync(string clientId)
    {
        SessionContext owner = Devices.OwnerOf(clientId);
        return owner.Loop.InvokeAsync(() => owner.Registry.Find(clientId) is { Channel.IsOpen: true });
    }

    public async Task<SessionToken> HolderAsync(string clientId) => (await Directory.LookUpAsync(clientId)).Value.Token;

    public Task DoubtAsync(string clientId, HeldDoubt doubt)
    {
        HeldReview review = Reviews[Array.IndexOf(Gates, GateOf(clientId))];
        return review.Loop.InvokeAsync(() => review.Begin(doubt));
    }

    /// <summary>A QoS 2 message comes for a device that is connected.</summary>
    public Task DeliverAsync(string clientId)
    {
        SessionContext context = Devices.OwnerOf(clientId);
        return context.Loop.InvokeAsync(() =>
        {
            SharedMessage message = context.Messages.Rent(new MessageContent
            {
                Topic = "t"u8,
                Payload = "x"u8,
                QoS = QoS.ExactlyOnce,
                ExpiresAtMs = long.MaxValue,
            });
            context.Registry.Find(clientId)!.Deliver(message, QoS.ExactlyOnce, false, []);
            message.Release();
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _listeners.DisposeAsync();
        await Devices.ShutDownAsync(TimeSpan.FromSeconds(20));
        await Directory.LeaveAsync();
        await Directory.DisposeAsync();
        foreach (Loop loop in Loops)
        {
            loop.Dispose();
        }

        _metrics.Dispose();
        _meter.Dispose();
        Assert.Equal(FaultsExpected, Loops.Sum(loop => loop.FaultCount));
    }

    private static Loop CreateLoop(int index, ILogger log)
    {
        var options = new LoopOptions { Name = $"loop-{index}", Index = index, Faults = new LoopFaultLog(log) };
        return OperatingSystem.IsLinux() ? new EpollLoop(options) : new ThreadLoop(options);
    }

    private sealed class NoRouter : IMessageRouter
    {
        public PublishOutcome Publish(in PublishRequest request, PublishTicket ticket) => PublishOutcome.Taken;

        public void Subscribe(SubscribeOperation operation) => operation.Complete();

        public void Unsubscribe(SubscribeOperation operation) => operation.Complete();

        public void Forget(Session session)
        {
        }

        public void AttachmentChanged(Session session)
        {
        }
    }
}
