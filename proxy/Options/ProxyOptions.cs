using Trunkline.Broker;
using Trunkline.Directory;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Management;
using Trunkline.Hosting.Memory;
using Trunkline.Links;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>Everything that can be set of a proxy; the properties are the keys of docs/CONFIGURATION.md.</summary>
internal sealed record ProxyOptions
{
    /// <summary>Who this node is.</summary>
    public NodeOptions Node { get; init; } = new();

    /// <summary>Event loops, each one thread; 0 takes one per core, at most 2.</summary>
    public int Loops { get; init; }

    /// <summary>When a loop lets several events share one wake-up.</summary>
    public CoalescingOptions Coalescing { get; init; } = new();

    /// <summary>When the loops run on one thread.</summary>
    public LoopSharingOptions LoopSharing { get; init; } = new();

    /// <summary>Milliseconds a stopping node waits until its devices have taken their last bytes.</summary>
    public int CloseGraceMs { get; init; } = 2_000;

    /// <summary>The listeners; without any, those of <see cref="Default"/>.</summary>
    public IReadOnlyList<ListenerOptions> Listeners { get; init; } = [];

    /// <summary>The listeners of a proxy that names none.</summary>
    public DefaultListenerOptions Default { get; init; } = new();

    /// <summary>The management port.</summary>
    public ManagementOptions Management { get; init; } = new();

    /// <summary>The broker groups, in order; without any, <see cref="EmbeddedGroups"/> embedded ones.</summary>
    public IReadOnlyList<GroupOptions> Groups { get; init; } = [];

    /// <summary>Embedded groups of a proxy that names no groups.</summary>
    public int EmbeddedGroups { get; init; } = 2;

    /// <summary>Settings of embedded groups.</summary>
    public BrokerOptions Broker { get; init; } = new();

    /// <summary>How topics are spread over groups.</summary>
    public ShardingOptions Sharding { get; init; } = new();

    /// <summary>The session and route directory.</summary>
    public DirectoryOptions Directory { get; init; } = new();

    /// <summary>How many devices may connect at a time.</summary>
    public AdmissionOptions Admission { get; init; } = new();

    /// <summary>The logs of foreign groups in Redis.</summary>
    public GroupStreamOptions Streams { get; init; } = new();

    /// <summary>How much memory is left free.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>How devices are sent to other nodes when this one stops.</summary>
    public DrainOptions Drain { get; init; } = new();

    /// <summary>The upstream links.</summary>
    public LinkOptions Links { get; init; } = new();

    /// <summary>What devices are offered, and the limits of sessions.</summary>
    public MqttOptions Mqtt { get; init; } = new();

    /// <summary>Logging.</summary>
    public LoggingOptions Logging { get; init; } = new();
}

/// <summary>Who a node is.</summary>
internal sealed record NodeOptions
{
    /// <summary>Name in logs, metrics and the directory; empty takes host name and process id.</summary>
    public string Name { get; init; } = "";

    /// <summary>Milliseconds between two checkpoints: how much a device may get again at QoS 1 after the death of this node.</summary>
    public int CheckpointIntervalMs { get; init; } = 1_000;

    /// <summary>
    /// Milliseconds between two looks for wills and expiries that nobody has in mind: sessions end up to this much late; wills
    /// only of nodes that died meanwhile, and after a death all nodes look each second.
    /// </summary>
    public int DueIntervalMs { get; init; } = 5_000;

    /// <summary>Delayed wills of this node's devices that are kept in mind to the moment; beyond it they come with a look, up to `DueIntervalMs` late.</summary>
    public int MaximumDueInMind { get; init; } = 100_000;

    /// <summary>Wills of a newer version that are remembered as such; at the limit all are forgotten and looked at, and logged, again.</summary>
    public int MaximumNewerWills { get; init; } = 10_000;
}

/// <summary>What a node takes on when many devices connect at once; refused is cheap and before anything is asked of the directory.</summary>
internal sealed record AdmissionOptions
{
    /// <summary>CONNECTs a second, split over the loops; beyond it 0x9F (3.x: return code 3). 0 lets all in.</summary>
    public int ConnectsPerSecond { get; init; }

    /// <summary>CONNECTs under way in the directory at a time, split over the loops; beyond it 0x97 (3.x: return code 3).</summary>
    public int MaximumClaims { get; init; } = 10_000;

    /// <summary>Claims of one CONNECT, when with each another node was quicker; beyond it 0x89 (3.x: return code 3).</summary>
    public int MaximumClaimTries { get; init; } = 5;
}

/// <summary>How a node that stops sends its devices to the others: spread over time, so that they are no storm there.</summary>
internal sealed record DrainOptions
{
    /// <summary>Devices a second that are sent away by a stopping node with Redis; 0 sends all at once.</summary>
    public int DevicesPerSecond { get; init; } = 2_000;

    /// <summary>Milliseconds that takes at most: with more devices than fit, more are sent away a second.</summary>
    public int MaximumMs { get; init; } = 10_000;

    /// <summary>
    /// Seconds that the will of a device that is sent away waits at least for the device to be back; one and a half keep
    /// alives and the will's delay where those are longer.
    /// </summary>
    public int WillWaitSeconds { get; init; } = 30;
}

/// <summary>The two listeners of the embedded default.</summary>
internal sealed record DefaultListenerOptions
{
    /// <summary>Address both listen on. Anything wider than loopback lets anyone in who can reach it.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port of MQTT over TCP.</summary>
    public int MqttPort { get; init; } = 1883;

    /// <summary>Port of MQTT over WebSocket, at /mqtt.</summary>
    public int WebSocketPort { get; init; } = 8083;
}

/// <summary>How topics are spread over groups.</summary>
internal sealed record ShardingOptions
{
    /// <summary>How many topic levels are the key of a topic's slot; 0 takes the whole topic.</summary>
    public int KeyLevels { get; init; }
}

/// <summary>One broker group.</summary>
internal sealed record GroupOptions
{
    /// <summary>Name in logs and metrics; empty takes <c>group-n</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>What it is.</summary>
    public GroupKind Kind { get; init; } = GroupKind.Embedded;

    /// <summary>Host and port of its broker; not for embedded groups.</summary>
    public string Address { get; init; } = "";

    /// <summary>Whether links use TLS.</summary>
    public bool Tls { get; init; }

    /// <summary>PEM file of the authorities the broker's certificate may come from; empty takes the system's.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>User name for the broker, or empty.</summary>
    public string UserName { get; init; } = "";

    /// <summary>Password for the broker, or empty.</summary>
    public string Password { get; init; } = "";

    /// <summary>Foreign: filters on one receive link.</summary>
    public int MaximumFiltersPerLink { get; init; } = 20_000;

    /// <summary>Foreign: where the group's log stands; <c>none</c> serves sessions while they are connected.</summary>
    public GroupLogKind Log { get; init; } = GroupLogKind.None;
}

/// <summary>Where the log of a foreign group stands.</summary>
internal enum GroupLogKind
{
    /// <summary>Nowhere: the group serves sessions while they are connected.</summary>
    None,

    /// <summary>In the directory's Redis.</summary>
    Redis,
}
