using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Devices;
using Trunkline.Hosting.Metrics;
using Trunkline.Links;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// One node: one run of the proxy from registration to the end of its lease. Start, await <see cref="Ended"/>, stop.
/// </summary>
internal sealed class ProxyNode : IAsyncDisposable
{
    private readonly ProxyOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Meter _meter = new("Trunkline.Proxy");
    private readonly Meter _directoryMeter = new("Trunkline.Directory");
    private readonly TaskCompletionSource<NodeEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Loop[] _loops;
    private readonly SessionContext[] _contexts;
    private readonly EmbeddedGroups _embedded;
    private readonly IDirectory _directory;
    private readonly LinkNode _links;
    private readonly ConnectionGate[] _gates;
    private readonly DeviceServer _devices;
    private readonly DirectoryEvents _events;
    private readonly HostingMetrics _hostingMetrics;
    private readonly ListenerSet _listeners;
    private volatile bool _isServing;
    private volatile string _waitingFor = "The node is starting.";

    /// <summary>Wires a node; nothing runs yet.</summary>
    public ProxyNode(ProxyOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        _options = options;
        _loggers = loggers;
        _logger = loggers.CreateLogger("Trunkline.Proxy");
        _loops = [.. Enumerable.Range(0, options.Loops).Select(n => CreateLoop(n, time))];
        _contexts = [.. _loops.Select(loop => new SessionContext(loop, options.Mqtt))];
        _embedded = new EmbeddedGroups(options, _loops, loggers);
        _directory = CreateDirectory(time);
        _links = new LinkNode(new LinkNodeSetup
        {
            Options = options.Links,
            NodeId = _directory.Self.Id.ToString(),
            Contexts = _contexts,
            Groups = [.. options.Groups.Select((group, n) => Endpoint(group, n))],
            Slots = SlotMap.Even(options.Groups.Count),
            KeyLevels = options.Sharding.KeyLevels,
            Version = ProgramVersion.Of(typeof(ProxyNode).Assembly),
            LoggerFactory = loggers,
            Failed = failure => _ended.TrySetResult(new NodeEnd(NodeEndKind.Refused, failure.Sentence)),
        });
        ILogger connections = loggers.CreateLogger("Trunkline.Connections");
        _gates = [.. _contexts.Select(context => new ConnectionGate(context, _directory, connections))];
        foreach (SessionContext context in _contexts)
        {
            context.Router = _links.RouterFor(context.Loop.Index);
        }

        _devices = new DeviceServer(_contexts, _gates);
        _events = new DirectoryEvents(
            clientId => GateOf(clientId),
            [.. _contexts.Zip(_gates)],
            reason => _ended.TrySetResult(new NodeEnd(NodeEndKind.DeclaredDead, reason)),
            _logger);
        _events.Wire(_directory, _links);
        _hostingMetrics = new HostingMetrics(null, _loops);
        _listeners = new ListenerSet(
            options.Listeners,
            _loops,
            listener => new DeviceAcceptor(_devices, (long)listener.ConnectDeadline.TotalMilliseconds),
            _hostingMetrics,
            loggers.CreateLogger("Trunkline.Hosting"));
        SessionMetrics.Register(_meter, _contexts);
        ProxyMetrics.Register(_meter, _gates, _links, _loops.Length, _embedded);
    }

    /// <summary>Completes when the node cannot go on: declared dead, or a group refused.</summary>
    public Task<NodeEnd> Ended => _ended.Task;

    /// <summary>The device side, for management.</summary>
    public DeviceServer Devices => _devices;

    /// <summary>The directory, for management.</summary>
    public IDirectory Directory => _directory;

    /// <summary>The listeners that listen.</summary>
    public IReadOnlyList<BoundListener> Listeners => _listeners.Bound;

    /// <summary>What keeps the node from serving; empty when it is ready. Any thread.</summary>
    public IReadOnlyList<string> NotReady()
    {
        if (!_isServing)
        {
            return [_waitingFor];
        }

        return [.. _links.Groups.Where(group => group.State != GroupState.Ready).Select(group => group.Sentence)];
    }

    /// <summary>Joins the directory, connects the groups, then listens. Returns why not when the node must not run.</summary>
    public async Task<NodeEnd?> StartAsync(CancellationToken cancellation)
    {
        foreach (Loop loop in _loops)
        {
            loop.Start();
        }

        await _embedded.StartAsync();
        _waitingFor = "The directory does not answer yet.";
        NodeEnd? refusal = await JoinAsync(cancellation);
        if (refusal is not null)
        {
            return refusal;
        }

        _waitingFor = "The links to the groups are not up yet.";
        await _links.StartAsync(cancellation);
        if (_ended.Task.IsCompleted)
        {
            return await _ended.Task;
        }

        await _listeners.StartAsync();
        _isServing = true;
        return null;
    }

    /// <summary>Stops accepting, tells the devices, lets the links finish, leaves the directory.</summary>
    public async ValueTask DisposeAsync()
    {
        _waitingFor = "The node is stopping.";
        _isServing = false;
        await _listeners.StopAcceptingAsync();
        await _devices.ShutDownAsync();
        await _links.StopAsync();
        await _directory.LeaveAsync();
        await _directory.DisposeAsync();
        await _embedded.StopAsync();
        await _listeners.DisposeAsync();
        foreach (Loop loop in _loops)
        {
            await loop.StopAsync();
            loop.Dispose();
        }

        _meter.Dispose();
        _directoryMeter.Dispose();
        _hostingMetrics.Dispose();
    }

    private ConnectionGate GateOf(string clientId) => _gates[Array.IndexOf(_contexts, _devices.OwnerOf(clientId))];

    private async Task<NodeEnd?> JoinAsync(CancellationToken cancellation)
    {
        var shape = new TierShape(_options.Sharding.KeyLevels, [.. _options.Groups.Select(group => group.Name)]);
        while (true)
        {
            DirectoryResult result = await _directory.JoinAsync(shape, _events, cancellation);
            switch (result.Status)
            {
                case DirectoryStatus.Ok:
                    await ShareSlotsAsync(cancellation);
                    return null;
                case DirectoryStatus.Unavailable or DirectoryStatus.Recovering or DirectoryStatus.Busy:
                    _waitingFor = $"The directory does not answer yet: {result.Detail}";
                    await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System, cancellation);
                    break;
                case DirectoryStatus.Canceled:
                    return new NodeEnd(NodeEndKind.Stopped, "Stopped while starting.");
                default:
                    return new NodeEnd(NodeEndKind.Refused, result.Detail ?? $"The directory answered {result.Status}.");
            }
        }
    }

    /// <summary>The first node of a tier writes the even slot table; all others take what is there.</summary>
    private async Task ShareSlotsAsync(CancellationToken cancellation)
    {
        DirectoryResult<SlotMap?> read = await _directory.ReadSlotMapAsync(cancellation);
        if (read is { IsOk: true, Value: null })
        {
            await _directory.PublishSlotMapAsync(SlotMap.Even(_options.Groups.Count), 0, cancellation);
            read = await _directory.ReadSlotMapAsync(cancellation);
        }

        if (read is { IsOk: true, Value: { } map })
        {
            _events.SlotMapChanged(map);
        }
    }

    private Loop CreateLoop(int index, TimeProvider time)
    {
        var options = new LoopOptions
        {
            Name = $"loop-{index}",
            Index = index,
            Time = time,
            Faults = new LoopFaultLog(_loggers.CreateLogger("Trunkline.Loops")),
        };
        return OperatingSystem.IsLinux() ? new EpollLoop(options) : new ThreadLoop(options);
    }

    private IDirectory CreateDirectory(TimeProvider time)
    {
        DirectoryOptions options = _options.Directory;
        int seed = Guid.NewGuid().GetHashCode();
        var self = new NodeInfo(
            NodeId.NewId(new Random(seed)),
            _options.Node.Name,
            _options.Listeners.FirstOrDefault(listener => listener.Type == ListenerType.Tcp)?.Address ?? "",
            _options.Management.EndPoint?.ToString() ?? "",
            ProgramVersion.Of(typeof(ProxyNode).Assembly));
        var environment = new DirectoryEnvironment(
            time, _loggers.CreateLogger("Trunkline.Directory"), _directoryMeter, seed);
        return options.Endpoints.Count == 0
            ? new MemoryDirectory(new DirectoryMemory(time), self, options, environment)
            : new RedisDirectory(self, options, environment);
    }

    private GroupEndpoint Endpoint(GroupOptions group, int index) => new()
    {
        Name = group.Name,
        Kind = group.Kind,
        Connector = group.Kind == GroupKind.Embedded ? _embedded.ConnectorOf(index) : CreateConnector(group),
        UserName = group.UserName.Length > 0 ? group.UserName : null,
        Password = group.Password.Length > 0 ? group.Password : null,
        MaximumFiltersPerLink = group.MaximumFiltersPerLink,
    };

    private static TcpConnector CreateConnector(GroupOptions group)
    {
        int colon = group.Address.LastIndexOf(':');
        return new TcpConnector(new TcpConnectorOptions
        {
            Host = group.Address[..colon].Trim('[', ']'),
            Port = int.Parse(group.Address.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture),
            UseTls = group.Tls,
            CaPath = group.CaFile.Length > 0 ? group.CaFile : null,
        });
    }
}

/// <summary>Why a node ended by itself.</summary>
/// <param name="Kind">What follows from it.</param>
/// <param name="Sentence">What happened and what to do.</param>
internal sealed record NodeEnd(NodeEndKind Kind, string Sentence);

/// <summary>What follows from the end of a node.</summary>
internal enum NodeEndKind
{
    /// <summary>It was asked to stop.</summary>
    Stopped,

    /// <summary>The process starts again as a new node.</summary>
    DeclaredDead,

    /// <summary>The configuration does not fit the tier: the process ends.</summary>
    Refused,
}
