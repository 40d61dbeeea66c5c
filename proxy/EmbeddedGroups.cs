using Microsoft.Extensions.Logging;
using Trunkline.Broker;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Devices;
using Trunkline.Links;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>The broker groups inside the proxy process: the broker's own code, reached by links over memory.</summary>
internal sealed class EmbeddedGroups
{
    private const long ConnectDeadlineMs = 10_000;
    private readonly Dictionary<int, (BrokerGroup Group, MemoryConnector Connector)> _groups = [];

    /// <exception cref="StoreException">A group's folder cannot be used.</exception>
    public EmbeddedGroups(ProxyOptions options, IReadOnlyList<Loop> loops, ILoggerFactory loggers)
    {
        ILogger logger = loggers.CreateLogger("Trunkline.Broker");
        for (int n = 0; n < options.Groups.Count; n++)
        {
            if (options.Groups[n].Kind != GroupKind.Embedded)
            {
                continue;
            }

            Loop loop = loops[n % loops.Count];
            var context = new SessionContext(loop, BrokerSessions.OptionsFor(options.Mqtt));
            var group = new BrokerGroup(new BrokerSetup
            {
                Name = options.Groups[n].Name,
                Options = options.Broker,
                Store = GroupStore.OpenIfAsked(options.Groups[n].Name, options.Broker, loop, logger),
                Context = context,
                Logger = logger,
                Version = ProgramVersion.Of(typeof(ProxyNode).Assembly),
            });
            var server = new DeviceServer([context], [group]);
            _groups.Add(n, (group, new MemoryConnector(options.Groups[n].Name, () => loop, new DeviceAcceptor(server, ConnectDeadlineMs))));
        }
    }

    /// <summary>The groups, for metrics.</summary>
    public IReadOnlyList<BrokerGroup> All => [.. _groups.Values.Select(entry => entry.Group)];

    /// <summary>How links reach an embedded group.</summary>
    public MemoryConnector ConnectorOf(int index) => _groups[index].Connector;

    /// <summary>Starts the groups' timers on their loops.</summary>
    public Task StartAsync() =>
        Task.WhenAll(_groups.Values.Select(entry => entry.Group.Context.Loop.InvokeAsync(entry.Group.Start)));

    /// <summary>Stops them.</summary>
    public Task StopAsync() =>
        Task.WhenAll(_groups.Values.Select(entry => entry.Group.Context.Loop.InvokeAsync(entry.Group.Stop)));
}
