using Trunkline.Protocol;

namespace Trunkline.Loadtest;

/// <summary>All options of a run. Letters mean what they mean to emqtt-bench where it has them.</summary>
internal static class OptionTable
{
    /// <summary>Every option, in the order of the help.</summary>
    public static IReadOnlyList<OptionSpec> All { get; } = [.. Connecting(), .. Sending(), .. Transport(), .. Running(), .. Reporting()];

    private static OptionSpec[] Connecting() =>
    [
        new(["-h", "--host"], "HOSTS", "targets: a, a:1883, a:1883,b:1884; clients take them in turn [127.0.0.1]", (o, v) => o with { Hosts = v }),
        new(["-p", "--port"], "PORT", "port of hosts without one [1883; TLS 8883, WebSocket 8083, both 8084]", (o, v) => o with { Port = (int)OptionValues.Whole(v, 1, 65535) }),
        new(["--publish-to"], "HOSTS", "fanin, fanout, pair: targets of the publishers alone [as -h]", (o, v) => o with { PublishHosts = v }),
        new(["-V", "--version"], "N", "MQTT version: 3 (3.1), 4 (3.1.1) or 5 [5]", (o, v) => o with { Version = OptionValues.Version(v) }),
        new(["-c", "--count"], "N", "clients; churn: connections at a time [200]", (o, v) => o with { Count = (int)OptionValues.Whole(v, 1, 10_000_000) }),
        new(["-n", "--startnumber"], "N", "number of the first client [0]", (o, v) => o with { StartNumber = (int)OptionValues.Whole(v, 0, int.MaxValue / 2) }),
        new(["-R", "--connrate"], "N", "connections (churn: cycles) a second; 0 is all at once [1000]", (o, v) => o with { ConnectRate = OptionValues.Number(v) }),
        new(["-i", "--interval"], "MS", "milliseconds between connections, instead of -R", (o, v) => o with { ConnectRate = OptionValues.Number(v) is var ms && ms > 0 ? 1000 / ms : 0 }),
        new(["-k", "--keepalive"], "S", "keep alive in seconds [300]", (o, v) => o with { KeepAliveSeconds = (ushort)OptionValues.Whole(v, 0, 65535) }),
        new(["-C", "--clean"], "BOOL", "clean start [true]", (o, v) => o with { CleanStart = OptionValues.Switch(v) }),
        new(["-x", "--session-expiry"], "S", "session expiry in seconds, 5.0 only [0]", (o, v) => o with { SessionExpirySeconds = (uint)OptionValues.Whole(v, 0, uint.MaxValue) }),
        new(["-u", "--username"], "NAME", "user name; %i is the client's number", (o, v) => o with { UserName = v }),
        new(["-P", "--password"], "TEXT", "password", (o, v) => o with { Password = v }),
        new(["--prefix"], "TEXT", "prefix of client ids [one of the run's own]", (o, v) => o with { Prefix = v }),
        new(["--connect-timeout"], "TIME", "for one attempt, CONNACK and SUBACK included [10s]", (o, v) => o with { ConnectTimeout = Durations.Parse(v, "s") }),
        new(["--reconnect"], "TIME", "connect again this long after a connection was lost [never]", (o, v) => o with { ReconnectDelay = Durations.Parse(v, "s") }),
        new(["--failover"], null, "with --reconnect: to the next target", (o, v) => o with { FailsOver = OptionValues.Switch(v) }),
    ];

    private static OptionSpec[] Sending() =>
    [
        new(["-t", "--topic"], "TOPIC", "%i is the number, %c the client id, %u the user name [loadtest/PATTERN/%i]", (o, v) => o with { Topic = v }),
        new(["--filter"], "FILTER", "what subscribers subscribe [from the topic]", (o, v) => o with { Filter = v }),
        new(["--filters"], "N", "conn: filters of each client; %f in --filter is the number, from 0 [1]", (o, v) => o with { FiltersPerClient = (int)OptionValues.Whole(v, 1, 1_000_000) }),
        new(["-s", "--size"], "BYTES", $"payload bytes, at least {MessageStamp.Length} [256]", (o, v) => o with { PayloadBytes = (int)OptionValues.Whole(v, MessageStamp.Length, 16 * 1024 * 1024) }),
        new(["-q", "--qos"], "N", "QoS of messages and subscriptions [0]", (o, v) => o with { QoS = (QoS)OptionValues.Whole(v, 0, 2) }),
        new(["--sub-qos"], "N", "QoS of subscriptions alone [as -q]", (o, v) => o with { SubscribeQoS = (QoS)OptionValues.Whole(v, 0, 2) }),
        new(["-r", "--retain"], null, "retain messages", (o, v) => o with { Retain = OptionValues.Switch(v) }),
        new(["-I", "--interval_of_msg", "--message-interval"], "MS", "milliseconds between two messages of one client; 0 is --max [1000]", (o, v) => OptionValues.Number(v) is var ms && ms > 0 ? o with { MessageIntervalMs = ms } : o with { IsMaximumRate = true }),
        new(["--rate"], "N", "messages a second of all clients together, instead of -I", (o, v) => o with { Rate = OptionValues.Number(v) }),
        new(["--max"], null, "as fast as acknowledgements and transport allow", (o, v) => o with { IsMaximumRate = OptionValues.Switch(v) }),
        new(["--outstanding"], "N", "with --max: messages sent and not delivered at most [no limit]", (o, v) => o with { Outstanding = OptionValues.Whole(v, 0, int.MaxValue) }),
        new(["-F", "--inflight"], "N", "messages of one publisher in flight at QoS 1 and 2 [32]", (o, v) => o with { Window = (int)OptionValues.Whole(v, 1, 65535) }),
        new(["-L", "--limit"], "N", "messages in all, then end [no limit]", (o, v) => o with { Limit = OptionValues.Whole(v, 0, long.MaxValue) }),
    ];

    private static OptionSpec[] Transport() =>
    [
        new(["-S", "--ssl"], null, "TLS", (o, v) => o with { UseTls = OptionValues.Switch(v) }),
        new(["--cacert", "--cacertfile"], "FILE", "authorities trusted (PEM) instead of the system's", (o, v) => o with { CaPath = ExistingFile(v) }),
        new(["--cert", "--certfile"], "FILE", "certificate to show (PEM)", (o, v) => o with { CertificatePath = ExistingFile(v) }),
        new(["--key", "--keyfile"], "FILE", "its key (PEM)", (o, v) => o with { KeyPath = ExistingFile(v) }),
        new(["--tls-name"], "NAME", "name the server's certificate must carry [the host]", (o, v) => o with { TlsName = v }),
        new(["--ws"], null, "MQTT over WebSocket", (o, v) => o with { UseWebSocket = OptionValues.Switch(v) }),
        new(["--ws-path"], "PATH", "path of the WebSocket [/mqtt]", (o, v) => o with { WebSocketPath = v }),
        new(["--ifaddr"], "ADDRESSES", "dial from these in turn: 10.0.0.1,10.0.0.2 or 127.0.0.1-127.0.0.20", (o, v) => o with { SourceAddresses = SourceAddresses.Parse(v) }),
        new(["--proxy-protocol"], "1|2", "begin with a PROXY header that names an address of its own for each client", (o, v) => o with { ProxyHeaderVersion = OptionValues.ProxyVersion(v) }),
    ];

    private static OptionSpec[] Running() =>
    [
        new(["-d", "--duration"], "TIME", "measured time; 0 until the limit or Ctrl-C [10s]", (o, v) => o with { Duration = Durations.Parse(v, "s") }),
        new(["--warmup"], "TIME", "load before the measured time [0]", (o, v) => o with { WarmUp = Durations.Parse(v, "s") }),
        new(["--drain"], "TIME", "wait at the end for what is on its way [5s]", (o, v) => o with { Drain = Durations.Parse(v, "s") }),
        new(["--late"], "TIME", "list in the JSON what came later than that after it was due [nothing]", (o, v) => o with { Late = Durations.Parse(v, "ms") }),
        new(["--rounds"], "N", "storm: how often all are dropped [1]", (o, v) => o with { Rounds = (int)OptionValues.Whole(v, 1, 1000) }),
        new(["--loops"], "N", "threads that carry the clients [1]", (o, v) => o with { Loops = (int)OptionValues.Whole(v, 1, 64) }),
        new(["--tick"], "TIME", "least time between wake-ups of the pacer; more costs less and sends in bursts [100us]", (o, v) => o with { Tick = Durations.Parse(v, "us") }),
        new(["--pid"], "PID[=NAME]", "measure CPU and memory of this process; may be repeated", (o, v) => o with { Processes = [.. o.Processes, ProcessName.Parse(v)] }),
    ];

    private static OptionSpec[] Reporting() =>
    [
        new(["--json"], "FILE", "the whole report as JSON; - is standard output", (o, v) => o with { JsonPath = v }),
        new(["--csv"], "FILE", "one line a second", (o, v) => o with { CsvPath = v }),
        new(["--html"], "FILE", "a page with plots that needs nothing else", (o, v) => o with { HtmlPath = v }),
        new(["--threshold"], "RULE", "for example 'p99<5ms', 'lost=0', 'rate>1000'; exit code 99 when missed; may be repeated", (o, v) => o with { Thresholds = [.. o.Thresholds, Threshold.Parse(v)] }),
        new(["--name"], "TEXT", "name of the run in reports", (o, v) => o with { Name = v }),
        new(["-Q", "--quiet"], null, "no progress line", (o, v) => o with { IsQuiet = OptionValues.Switch(v) }),
    ];

    private static string ExistingFile(string path) =>
        File.Exists(path) ? path : throw new OptionException($"\"{path}\" does not exist.");
}
