using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Devices;
using Trunkline.Hosting.Management;
using Trunkline.Hosting.Memory;
using Trunkline.Hosting.Metrics;
using Trunkline.Links;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// One node: one run of the proxy from registration to the end of its lease. Start, await <see cref="Ended"/>, stop.
/// </summary>
internal sealed partial class ProxyNode : IAsyncDisposable
{
    private readonly ProxyOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Meter _meter = new("Trunkline.Proxy");
    private readonly Meter _directoryMeter = new("Trunkline.Directory");
    private readonly TaskCompletionSource<NodeEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Loop[] _loops;
    private readonly SessionContext[] _contexts;
    private readonly EmbeddedGroups _embedded;
    private readonly ForeignLogs _logs;
    private readonly IDirectory _directory;
    private readonly LinkNode _links;
    private readonly ConnectionGate[] _gates;
    private readonly CheckpointWriter _checkpoints;
    private readonly DueWorker _due;
    private readonly DeviceServer _devices;
    private readonly DirectoryEvents _events;
    private readonly HostingMetrics _hostingMetrics;
    private readonly ListenerSet _listeners;
    private readonly MemoryWatch _memory;
    private readonly NativeHeap _nativeHeap;
    private bool _isRunning;
    private bool _isStopped;
    private volatile bool _isServing;
    private volatile bool _hasStarted;
    private volatile string _waitingFor = "The node is starting.";

    /// <summary>Wires a node; nothing runs yet.</summary>
    public ProxyNode(ProxyOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        _options = options;
        _loggers = loggers;
        _logger = loggers.CreateLogger("Trunkline.Proxy");
        _time = time;
        _memory = new MemoryWatch(options.Memory, time, loggers.CreateLogger("Trunkline.Hosting"));
        _nativeHeap = new NativeHeap(options.Memory, time);
        _loops = [.. Enumerable.Range(0, options.Loops).Select(n => CreateLoop(n, time))];
        foreach (Loop loop in _loops.Skip(1))
        {
            loop.ShareThreadOf(_loops[0], options.LoopSharing);
        }

        _contexts = [.. _loops.Select(loop => new SessionContext(loop, options.Mqtt))];
        _embedded = new EmbeddedGroups(options, _loops, loggers);
        _directory = CreateDirectory(time);
        _logs = new ForeignLogs(options, EnvironmentOf(Guid.NewGuid().GetHashCode()));
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
        var lines = new LineBudgets();
        var numbers = new AttachNumbers();
        _gates = [.. _contexts.Select(context => new ConnectionGate(
            context, _directory, numbers, new ConnectAdmission(context.Loop, options.Admission, _contexts.Length), connections, lines)
        {
            WhenAway = options.Directory.WhenAway,

            // In memory this node is the tier.
            WaitsForRecovery = options.Directory.Endpoints.Count > 0,
        })];
        foreach (SessionContext context in _contexts)
        {
            context.Router = _links.RouterFor(context.Loop.Index);
        }

        _devices = new DeviceServer(_contexts, _gates);
        _checkpoints = new CheckpointWriter(_gates, _directory, numbers, options.Node.CheckpointIntervalMs, _logger);
        _due = new DueWorker(_gates, GateOf, _directory, options.Node, _logger);
        HeldReview[] reviews = [.. _gates.Select(gate => new HeldReview(gate, _directory, _logger))];
        foreach ((ConnectionGate gate, HeldReview review) in _gates.Zip(reviews))
        {
            gate.Keeper.Due = _due.Hurry;
            gate.Keeper.RecordFills = _checkpoints.Hurry;
            gate.Keeper.Holds.LimitMs = options.Directory.TakeOverDeadlineMs / 2;
            gate.Keeper.Doubted = () => review.Begin(HeldDoubt.Reconnected);
        }

        _events = new DirectoryEvents(
            GateOf,
            reviews,
            _links.UpdateSlots,
            reason => _ended.TrySetResult(new NodeEnd(NodeEndKind.DeclaredDead, reason)),
            _logger)
        {
            NodeIsGone = _due.NodeIsGone,
        };
        _hostingMetrics = new HostingMetrics(null, _loops);
        _listeners = new ListenerSet(
            options.Listeners,
            _loops,
            listener => new DeviceAcceptor(_devices, (long)listener.ConnectDeadline.TotalMilliseconds),
            _hostingMetrics,
            loggers.CreateLogger("Trunkline.Hosting"),
            _memory.Gauge);
        _memory.Register(_meter);
        _nativeHeap.Register(_meter);
        SessionMetrics.Register(_meter, _contexts);
        ProxyMetrics.Register(_meter, _gates, _links, _loops.Length, _embedded);
    }

    /// <summary>Completes when the node cannot go on: declared dead, or a group refused.</summary>
    public Task<NodeEnd> Ended => _ended.Task;

    /// <summary>The device side, for management.</summary>
    public DeviceServer Devices => _devices;

    /// <summary>The directory, for management.</summary>
    public IDirectory Directory => _directory;

    /// <summary>How many groups the tier has.</summary>
    public int GroupCount => _options.Groups.Count;

    /// <summary>The listeners that listen.</summary>
    public IReadOnlyList<BoundListener> Listeners => _listeners.Bound;

    /// <summary>
    /// How the node stands. Any thread. It has started when every group was there once; it is ready while it takes devices,
    /// also while a group is away: publishes to the other groups go through, and a load balancer that took every proxy out
    /// because of one group would cut off all devices.
    /// </summary>
    public HealthReport Health()
    {
        var lines = new List<string>();
        if (!_isServing)
        {
            lines.Add(_waitingFor);
        }

        DirectoryHealth directory = _directory.Health;
        lines.Add($"directory: {LabelValue.Of(directory.State)}. {directory.Detail}".TrimEnd());
        bool wereAllThere = true;
        foreach (GroupStatus group in _links.Groups)
        {
            lines.Add($"{group.Name}: {LabelValue.Of(group.State)}. {group.Sentence}");
            wereAllThere &= group.State is GroupState.Ready or GroupState.Away;
        }

        _hasStarted |= _isServing && wereAllThere;
        return new HealthReport(_hasStarted, _isServing, lines);
    }

    /// <summary>Joins the directory, connects the groups, then listens. Returns why not when the node must not run.</summary>
    public async Task<NodeEnd?> StartAsync(CancellationToken cancellation)
    {
        _isRunning = true;
        _memory.Start();
        _nativeHeap.Start();
        foreach (Loop loop in _loops)
        {
            loop.Start();
        }

        await _embedded.StartAsync();
        _logs.Start();
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

        await _loops[0].InvokeAsync(() =>
        {
            _checkpoints.Start();
            _due.Start();
        });
        await _listeners.StartAsync();
        _isServing = true;
        return null;
    }

    /// <summary>The name of a group, or its number when there is none of that number.</summary>
    public string GroupName(int group) =>
        group < GroupCount ? _options.Groups[group].Name : group.ToString(System.Globalization.CultureInfo.InvariantCulture);

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
                    return await ShareSlotsAsync(cancellation);
                case DirectoryStatus.Unavailable or DirectoryStatus.Recovering or DirectoryStatus.Busy:
                    _waitingFor = $"The directory does not answer yet: {result.Detail}";
                    await Task.Delay(TimeSpan.FromMilliseconds(250), _time, cancellation);
                    break;
                case DirectoryStatus.Canceled:
                    return new NodeEnd(NodeEndKind.Stopped, "Stopped while starting.");
                default:
                    return new NodeEnd(NodeEndKind.Refused, result.Detail ?? $"The directory answered {result.Status}.");
            }
        }
    }

    /// <summary>The first node of a tier writes the even slot table; all others take what is there.</summary>
    private async Task<NodeEnd?> ShareSlotsAsync(CancellationToken cancellation)
    {
        DirectoryResult<SlotMap?> read = await _directory.ReadSlotMapAsync(cancellation);
        if (read is { IsOk: true, Value: null })
        {
            await _directory.PublishSlotMapAsync(SlotMap.Even(_options.Groups.Count), 0, cancellation);
            read = await _directory.ReadSlotMapAsync(cancellation);
        }

        if (read.Status == DirectoryStatus.NewerRecord)
        {
            return new NodeEnd(NodeEndKind.Refused, read.Detail ?? "The directory's slot map cannot be read.");
        }

        if (read is { IsOk: true, Value: { } map })
        {
            _events.SlotMapChanged(map);
        }

        return null;
    }

    private Loop CreateLoop(int index, TimeProvider time)
    {
        var options = new LoopOptions
        {
            Name = $"loop-{index}",
            Index = index,
            Time = time,
            Memory = _memory.Gauge,
            Coalescing = _options.Coalescing,
            Faults = new LoopFaultLog(_loggers.CreateLogger("Trunkline.Loops")),
        };
        return OperatingSystem.IsLinux() ? new EpollLoop(options) : new ThreadLoop(options);
    }

    /// <exception cref="DirectoryDataException">The directory's folder cannot be used.</exception>
    private IDirectory CreateDirectory(TimeProvider time)
    {
        DirectoryOptions options = _options.Directory;
        int seed = Guid.NewGuid().GetHashCode();
        var self = new NodeInfo(
            NodeId.NewId(new Random(seed)),
            _options.Node.Name,
            _options.Listeners.FirstOrDefault(listener => listener.Type == ListenerType.Tcp)?.Address ?? "",
            _options.Management.Advertised,
            ProgramVersion.Of(typeof(ProxyNode).Assembly));
        DirectoryEnvironment environment = EnvironmentOf(seed);
        return options.Endpoints.Count == 0
            ? MemoryDirectory.Open(self, options, environment)
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
        Log = _logs.Of(index),
    };

    private DirectoryEnvironment EnvironmentOf(int seed) => new(_time, _loggers.CreateLogger("Trunkline.Directory"), _directoryMeter, seed)
    {
        Loops = _loops,
        Dial = (host, port) => new TcpConnector(new TcpConnectorOptions
        {
            Host = host,
            Port = port,
            ConnectTimeout = TimeSpan.FromMilliseconds(_options.Directory.ConnectDeadlineMs),
        }),
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

    [LoggerMessage(1200, LogLevel.Warning, "{Count} connections had not taken their last bytes within CloseGraceMs ({GraceMs} ms) and were cut off.")]
    private static partial void LogDevicesLeft(ILogger logger, int count, int graceMs);

    [LoggerMessage(1201, LogLevel.Error, "Stopping went on, but one step of it failed: {Step}.")]
    private static partial void LogStepFailed(ILogger logger, Exception exception, string step);

    [LoggerMessage(1202, LogLevel.Warning, "{Count} devices are sent away before their turn by Drain:DevicesPerSecond, so that stopping keeps to Drain:MaximumMs ({MaximumMs} ms).")]
    private static partial void LogSentEarly(ILogger logger, int count, int maximumMs);
}
