using Trunkline.Protocol;

namespace Trunkline.Loadtest;

/// <summary>Everything a run can be told; the parser fills it, docs/LOADTEST.md explains it.</summary>
internal sealed record LoadOptions
{
    /// <summary>Who does what.</summary>
    public LoadPattern Pattern { get; init; }

    /// <summary>-h as written; <see cref="Targets"/> has it read.</summary>
    public string Hosts { get; init; } = "127.0.0.1";

    /// <summary>-p: port of hosts without one; 0 is the usual one of the transport.</summary>
    public int Port { get; init; }

    /// <summary>--publish-to as written: publishers go there and not to -h; null for no difference.</summary>
    public string? PublishHosts { get; init; }

    /// <summary>--failover: after a loss or a failure a client tries the next target.</summary>
    public bool FailsOver { get; init; }

    /// <summary>-V.</summary>
    public ProtocolVersion Version { get; init; } = ProtocolVersion.Mqtt50;

    /// <summary>-c.</summary>
    public int Count { get; init; } = 200;

    /// <summary>-n: number of the first client.</summary>
    public int StartNumber { get; init; }

    /// <summary>-R: connections (churn: cycles) a second.</summary>
    public double ConnectRate { get; init; } = 1000;

    /// <summary>-I: one message a client in this many milliseconds; --rate overrides it.</summary>
    public double MessageIntervalMs { get; init; } = 1000;

    /// <summary>--rate: messages a second of all publishers together; 0 leaves it to -I.</summary>
    public double Rate { get; init; }

    /// <summary>--max: as fast as acknowledgements and transport allow.</summary>
    public bool IsMaximumRate { get; init; }

    /// <summary>--outstanding: with --max, messages on their way at most; 0 is no limit.</summary>
    public long Outstanding { get; init; }

    /// <summary>-t: topic; %i, %c, %u are replaced.</summary>
    public string? Topic { get; init; }

    /// <summary>--filter: what subscribers subscribe; null derives it from the topic.</summary>
    public string? Filter { get; init; }

    /// <summary>How many filters each client subscribes, one after the other; %f in the filter is the number from 0.</summary>
    public int FiltersPerClient { get; init; } = 1;

    /// <summary>-s: payload bytes.</summary>
    public int PayloadBytes { get; init; } = 256;

    /// <summary>-q.</summary>
    public QoS QoS { get; init; }

    /// <summary>--sub-qos: QoS of subscriptions; null takes -q.</summary>
    public QoS? SubscribeQoS { get; init; }

    /// <summary>-r.</summary>
    public bool Retain { get; init; }

    /// <summary>-k, in seconds.</summary>
    public ushort KeepAliveSeconds { get; init; } = 300;

    /// <summary>-C.</summary>
    public bool CleanStart { get; init; } = true;

    /// <summary>-x, in seconds.</summary>
    public uint SessionExpirySeconds { get; init; }

    /// <summary>-F: messages of one publisher in flight at QoS 1 and 2.</summary>
    public int Window { get; init; } = 32;

    /// <summary>-L: messages to publish in all; 0 is no limit.</summary>
    public long Limit { get; init; }

    /// <summary>-u; %i is replaced.</summary>
    public string? UserName { get; init; }

    /// <summary>-P.</summary>
    public string? Password { get; init; }

    /// <summary>-S.</summary>
    public bool UseTls { get; init; }

    /// <summary>--cacert.</summary>
    public string? CaPath { get; init; }

    /// <summary>--cert.</summary>
    public string? CertificatePath { get; init; }

    /// <summary>--key.</summary>
    public string? KeyPath { get; init; }

    /// <summary>--tls-name: name the certificate must carry.</summary>
    public string? TlsName { get; init; }

    /// <summary>--ws.</summary>
    public bool UseWebSocket { get; init; }

    /// <summary>--ws-path.</summary>
    public string WebSocketPath { get; init; } = "/mqtt";

    /// <summary>--ifaddr.</summary>
    public IReadOnlyList<string> SourceAddresses { get; init; } = [];

    /// <summary>--prefix of client ids; null makes one of the run's own.</summary>
    public string? Prefix { get; init; }

    /// <summary>--proxy-protocol: 0 none, 1 text, 2 binary.</summary>
    public int ProxyHeaderVersion { get; init; }

    /// <summary>-d; zero is no limit.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>--warmup, before the measured time.</summary>
    public TimeSpan WarmUp { get; init; }

    /// <summary>--drain: how long to wait for what is on its way at the end.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>--late: delay beyond which a message counts as late; null lists none.</summary>
    public TimeSpan? Late { get; init; }

    /// <summary>--connect-timeout of one attempt, MQTT included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>--reconnect: wait before a lost connection is made again; null leaves it lost.</summary>
    public TimeSpan? ReconnectDelay { get; init; }

    /// <summary>--rounds of storm.</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>--loops.</summary>
    public int Loops { get; init; } = 1;

    /// <summary>--tick: least time between two wake-ups of the pacer.</summary>
    public TimeSpan Tick { get; init; } = TimeSpan.FromMicroseconds(100);

    /// <summary>--pid.</summary>
    public IReadOnlyList<ProcessName> Processes { get; init; } = [];

    /// <summary>--threshold.</summary>
    public IReadOnlyList<Threshold> Thresholds { get; init; } = [];

    /// <summary>--json FILE or -.</summary>
    public string? JsonPath { get; init; }

    /// <summary>--csv FILE.</summary>
    public string? CsvPath { get; init; }

    /// <summary>--html FILE.</summary>
    public string? HtmlPath { get; init; }

    /// <summary>--name of the run in reports.</summary>
    public string? Name { get; init; }

    /// <summary>--quiet: no progress.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>The addresses, in the order of -h.</summary>
    public IReadOnlyList<Target> Targets => Target.ParseAll(Hosts, DefaultPort);

    /// <summary>Where publishers go that have targets of their own; empty otherwise.</summary>
    public IReadOnlyList<Target> PublishTargets => PublishHosts is null ? [] : Target.ParseAll(PublishHosts, DefaultPort);

    /// <summary>Both, in this order: what <see cref="ClientSpec.Target"/> counts.</summary>
    public IReadOnlyList<Target> AllTargets => [.. Targets, .. PublishTargets];

    private int DefaultPort => Port != 0 ? Port : (UseTls, UseWebSocket) switch
    {
        (false, false) => 1883,
        (true, false) => 8883,
        (false, true) => 8083,
        (true, true) => 8084,
    };

    /// <summary>Whether messages are sent by this process.</summary>
    public bool Publishes => Pattern is not (LoadPattern.Conn or LoadPattern.Sub or LoadPattern.Churn or LoadPattern.Storm);
}
