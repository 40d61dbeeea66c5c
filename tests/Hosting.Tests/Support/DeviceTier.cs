using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Trunkline.Hosting.Devices;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Support;

/// <summary>A device server over two loops and one TCP listener, whose gates let everybody in.</summary>
internal sealed class DeviceTier : IAsyncDisposable
{
    private readonly HostingMetrics _metrics;
    private readonly ListenerSet _listeners;

    private DeviceTier(TimeSpan connectDeadline, bool holds)
    {
        Loops = [.. Enumerable.Range(0, 2).Select(n => CreateLoop(n, Log))];
        Contexts = [.. Loops.Select(loop => new SessionContext(loop, new MqttOptions { ReceiveMaximum = 100 }) { Router = Router })];
        Gates = [.. Contexts.Select(_ => new OpenGate(holds))];
        Server = new DeviceServer(Contexts, Gates);
        _metrics = new HostingMetrics(null, Loops);

        // No header is waited for: a device that says nothing is the server's at once.
        var options = new ListenerOptions { Name = "test", Address = "127.0.0.1:0", ProxyProtocol = new() { Mode = ProxyProtocolMode.Off } };
        _listeners = new ListenerSet(
            [options], Loops, _ => new DeviceAcceptor(Server, (long)connectDeadline.TotalMilliseconds), _metrics, Log);
    }

    public LogList Log { get; } = new();

    public WillRouter Router { get; } = new();

    public Loop[] Loops { get; }

    public SessionContext[] Contexts { get; }

    public OpenGate[] Gates { get; }

    public DeviceServer Server { get; }

    public EndPoint EndPoint => _listeners.Bound[0].Address.ToEndPoint()!;

    public static async Task<DeviceTier> StartAsync(TimeSpan? connectDeadline = null, bool holds = false)
    {
        var tier = new DeviceTier(connectDeadline ?? TimeSpan.FromMinutes(1), holds);
        foreach (Loop loop in tier.Loops)
        {
            loop.Start();
        }

        await tier._listeners.StartAsync();
        return tier;
    }

    public Task<int> CountAsync(int loop) => Loops[loop].InvokeAsync(() => Server.ConnectionsOf(Contexts[loop]).Count);

    public async ValueTask DisposeAsync()
    {
        await _listeners.DisposeAsync();
        foreach (Loop loop in Loops)
        {
            loop.Dispose();
        }

        _metrics.Dispose();
        Assert.All(Loops, loop => Assert.Equal(0, loop.FaultCount));
    }

    private static Loop CreateLoop(int index, LogList log)
    {
        var options = new LoopOptions { Name = $"loop-{index}", Index = index, Faults = new LoopFaultLog(log) };
        return OperatingSystem.IsLinux() ? new EpollLoop(options) : new ThreadLoop(options);
    }
}

/// <summary>Opens every channel, or holds it unanswered.</summary>
internal sealed class OpenGate(bool holds) : IConnectGate
{
    public ConcurrentQueue<ChannelClose> Closes { get; } = new();

    public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Ask(ConnectRequest request, Channel channel)
    {
        Asked.TrySetResult();
        if (!holds)
        {
            channel.Open();
        }
    }

    public void Closed(Channel channel, in ChannelClose close) => Closes.Enqueue(close);
}

/// <summary>Takes publishes and keeps their topics.</summary>
internal sealed class WillRouter : IMessageRouter
{
    public ConcurrentQueue<string> Topics { get; } = new();

    public PublishOutcome Publish(in PublishRequest request, PublishTicket ticket)
    {
        Topics.Enqueue(Encoding.UTF8.GetString(request.Topic));
        ticket.Complete(ReasonCode.Success);
        return PublishOutcome.Taken;
    }

    public void Subscribe(SubscribeOperation operation) => operation.Complete();

    public void Unsubscribe(SubscribeOperation operation) => operation.Complete();

    public void Forget(Session session)
    {
    }

    public void AttachmentChanged(Session session)
    {
    }
}
