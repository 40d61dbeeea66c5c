using System.Globalization;
using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>Rows about what a message costs.</summary>
internal static class MessageRows
{
    private const int Publishers = 100;
    private const double FlashMqOfMosquitto = 0.28;

    // Nothing tells a publisher that a subscriber falls behind, and a broker drops at its limits: this many messages are
    // under way at most.
    private const string Outstanding = "1000";

    public static IEnumerable<BenchRow> All()
    {
        yield return FanIn("fanin-qos0-64", "fan-in QoS 0, 64 B, maximum rate; proxy's CPU per delivered message", 0.7, Maximum(0, 64), haproxy: true);
        yield return FanIn("fanin-qos0-1k", "fan-in QoS 0, 1 KiB, maximum rate; proxy's CPU per delivered message", 0.7, Maximum(0, 1024));
        yield return new LinksOnlyRow();
        yield return FanIn("fanin-5000", "fan-in QoS 0, 64 B, 5,000/s; proxy's CPU per delivered message", 1.0, [.. FanInOf(0, 64), "--rate", "5000"], timeFactor: 1.5);
        yield return FanIn("fanin-qos1", "fan-in QoS 1, 64 B, maximum rate; proxy's CPU per delivered message", 1.0, Maximum(1, 64));
        yield return FanOut();
        yield return WholeTier("tier-qos0", 0);
        yield return WholeTier("tier-qos1", 1);
        yield return Pairs();
    }

    private static string[] FanInOf(int qos, int size) =>
        ["fanin", "-c", Text(Publishers), "-R", "2000", "-q", Text(qos), "-s", Text(size), "-V", "4"];

    private static string[] Maximum(int qos, int size) =>
        [.. FanInOf(qos, size), "--max", "--outstanding", Outstanding];

    private static LoadRow FanIn(string name, string what, double ratio, string[] load, double timeFactor = 1, bool haproxy = false)
    {
        bool withHaproxy = haproxy && File.Exists("/usr/sbin/haproxy");
        List<LoadSide> sides =
        [
            new("ours", run => LoadTarget.Port(run.Stage.Port(0, "proxy-1", "mqtt"), run.Stage.Measured(0, "proxy-1")), load),
            new("nginx", run => LoadTarget.Port(run.Settings.Ports.Nginx, run.Stage.MeasuredPeer("nginx")), load),
        ];
        if (withHaproxy)
        {
            sides.Add(new("haproxy", run => LoadTarget.Port(run.Settings.Ports.Haproxy, run.Stage.MeasuredPeer("haproxy")), load));
        }

        return new LoadRow(
            name,
            what,
            async run =>
            {
                await run.Stage.TierAsync(new TierPlan(), run.Cancellation);
                await NginxAsync(run);
                if (withHaproxy)
                {
                    await run.Stage.PeerAsync(run.Stage.Peers.Haproxy(), run.Cancellation);
                }
            },
            sides,
            [Ratio($"at most {ratio:0.0} x nginx stream before mosquitto", ratio)])
        {
            TimeFactor = timeFactor,
        };
    }

    private static LoadRow FanOut()
    {
        string[] load = ["fanout", "-c", "1000", "-R", "5000", "-q", "0", "-s", "64", "-V", "4", "--max", "--outstanding", "20000"];
        return new LoadRow(
            "fanout-1000",
            "fan-out 1 to 1,000, QoS 0, 64 B, maximum rate; proxy's CPU per delivered message",
            async run =>
            {
                await run.Stage.TierAsync(new TierPlan(), run.Cancellation);
                await run.Stage.PeerAsync(
                    run.Settings.FlashMq is string program ? run.Stage.Peers.FlashMq(program) : run.Stage.Peers.Mosquitto(), run.Cancellation);
            },
            [
                new("ours", run => LoadTarget.Port(run.Stage.Port(0, "proxy-1", "mqtt"), run.Stage.Measured(0, "proxy-1")), load),
                new("peer", FanOutPeer, load),
            ],
            [
                new BenchGoal(
                    "cpu",
                    "at most 1.0 x FlashMQ, or 0.28 x mosquitto 2.0 where FlashMQ cannot be had",
                    "us",
                    values => values["ours.us"],
                    values => values["peer.us"] * (values.Names.Contains("peer.isFlashMq") ? 1 : FlashMqOfMosquitto)),
            ])
        {
            AfterRound = (run, values) =>
            {
                if (run.Settings.FlashMq is not null)
                {
                    values["peer.isFlashMq"] = 1;
                }
            },
        };
    }

    private static LoadTarget FanOutPeer(RowRun run) => run.Settings.FlashMq is null
        ? LoadTarget.Port(run.Settings.Ports.Mosquitto, run.Stage.MeasuredPeer("mosquitto"))
        : LoadTarget.Port(run.Settings.Ports.FlashMq, run.Stage.MeasuredPeer("flashmq"));

    /// <summary>Publishers on one proxy, the subscriber on the other, our broker between, against what people run today.</summary>
    private static LoadRow WholeTier(string name, int qos) => new(
        name,
        $"whole tier (proxy, broker, proxy), fan-in QoS {qos}, 64 B, maximum rate; CPU of all per delivered message",
        TwoProxiesAsync,
        [
            new("ours", WholeTarget, Maximum(qos, 64)),
            new("peers", PeersTarget, Maximum(qos, 64)),
        ],
        [new BenchGoal("cpu", "at most 1.0 x (nginx + mosquitto 2.0)", "x", values => values["ours.us"] / values["peers.us"], 1.0)]);

    private static LoadRow Pairs()
    {
        string[] load = ["pair", "-c", "1000", "-R", "2000", "-q", "1", "-s", "64", "-V", "4", "--rate", "2500"];
        return new LoadRow(
            "pairs",
            "500 QoS 1 pairs at 2,500/s, publisher and subscriber on different proxies",
            TwoProxiesAsync,
            [
                new("ours", PairsTarget, load),
                new("peers", PeersTarget, load),
            ],
            [
                new BenchGoal("p50", "p50 at most 2 x nginx + mosquitto", "x", values => values["ours.p50"] / values["peers.p50"], 2),
                new BenchGoal("p99", "p99 at most 2 x nginx + mosquitto", "x", values => values["ours.p99"] / values["peers.p99"], 2),
                new BenchGoal("below", "p99 below 1 ms on a quiet machine", "us", values => values["ours.p99"], 1000),
            ])
        {
            TimeFactor = 1.5,
        };
    }

    private static async Task TwoProxiesAsync(RowRun run)
    {
        await run.Stage.TierAsync(new TierPlan(Proxies: 2, Redis: true), run.Cancellation);
        await NginxAsync(run);
    }

    internal static async Task NginxAsync(RowRun run)
    {
        await run.Stage.PeerAsync(run.Stage.Peers.Mosquitto(), run.Cancellation);
        await run.Stage.PeerAsync(run.Stage.Peers.Nginx(), run.Cancellation);
    }

    // loadtest deals its clients out over the targets and puts the subscriber on the last: so all publishers meet the
    // first proxy, and the subscriber the second.
    private static LoadTarget WholeTarget(RowRun run)
    {
        string first = Host(run, "proxy-1");
        return new LoadTarget(
            string.Join(',', Enumerable.Repeat(first, Publishers).Append(Host(run, "proxy-2"))),
            [run.Stage.Measured(0, "proxy-1"), run.Stage.Measured(0, "broker-0"), run.Stage.Measured(0, "proxy-2")]);
    }

    private static LoadTarget PairsTarget(RowRun run) => new(
        $"{Host(run, "proxy-1")},{Host(run, "proxy-2")}",
        [run.Stage.Measured(0, "proxy-1"), run.Stage.Measured(0, "broker-0"), run.Stage.Measured(0, "proxy-2")]);

    private static LoadTarget PeersTarget(RowRun run) =>
        LoadTarget.Port(run.Settings.Ports.Nginx, [.. run.Stage.MeasuredPeer("nginx"), .. run.Stage.MeasuredPeer("mosquitto")]);

    private static string Host(RowRun run, string proxy) => $"127.0.0.1:{Text(run.Stage.Port(0, proxy, "mqtt"))}";

    private static BenchGoal Ratio(string text, double limit) =>
        new("cpu", text, "x", values => values["ours.us"] / values["nginx.us"], limit);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
