using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Broker;
using Trunkline.Hosting;
using Trunkline.Hosting.Devices;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Loadtest.Tests.Support;

/// <summary>Our broker in this process, with listeners for TCP, TCP behind a PROXY header, and WebSocket.</summary>
internal sealed class EmbeddedBroker : IAsyncDisposable
{
    private readonly EpollLoop _loop = new(new LoopOptions { Name = "broker" });
    private readonly SessionContext _context;
    private readonly BrokerGroup _group;
    private readonly ListenerSet _listeners;

    private EmbeddedBroker()
    {
        _context = new SessionContext(_loop, BrokerSessions.OptionsFor(new MqttOptions()));
        _group = new BrokerGroup(new BrokerSetup { Name = "group-0", Options = new BrokerOptions(), Context = _context });
        var server = new DeviceServer([_context], [_group]);
        var tcp = new ListenerOptions { Name = "tcp", Address = "127.0.0.1:0", Type = ListenerType.Tcp };
        _listeners = new ListenerSet(
            [
                tcp,
                tcp with
                {
                    Name = "proxied",
                    ProxyProtocol = new ProxyProtocolOptions { Mode = ProxyProtocolMode.Required, TrustedAddresses = ["127.0.0.0/8"] },
                },
                tcp with { Name = "ws", Type = ListenerType.Ws },
            ],
            [_loop],
            _ => new DeviceAcceptor(server, 10_000),
            new HostingMetrics(null, [_loop]),
            NullLogger.Instance);
    }

    public int Port => PortOf("tcp");

    public int ProxiedPort => PortOf("proxied");

    public int WebSocketPort => PortOf("ws");

    /// <summary>Connections that stand now.</summary>
    public Task<int> CountAsync() => _loop.InvokeAsync(() => _context.Registry.All.Count(session => session.Channel is not null));

    /// <summary>Ends every connection; the broker lives on.</summary>
    public Task DropAllAsync() => _loop.InvokeAsync(() =>
    {
        foreach (Session session in _context.Registry.All.ToArray())
        {
            session.Channel?.Disconnect(CloseCause.ServerShutdown, Protocol.ReasonCode.ServerShuttingDown, null);
        }
    });

    public static async Task<EmbeddedBroker> StartAsync()
    {
        var broker = new EmbeddedBroker();
        broker._loop.Start();
        await broker._loop.InvokeAsync(broker._group.Start);
        await broker._listeners.StartAsync();
        return broker;
    }

    public async ValueTask DisposeAsync()
    {
        await _listeners.DisposeAsync();
        await _loop.StopAsync();
        _loop.Dispose();
    }

    private int PortOf(string name) =>
        int.Parse(_listeners.Bound.Single(listener => listener.Options.Name == name).Address.ToString().Split(':')[^1], CultureInfo.InvariantCulture);
}
