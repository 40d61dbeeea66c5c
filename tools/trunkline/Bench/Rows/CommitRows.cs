using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>What a message waits for, and costs, until it is as durable as its group says.</summary>
internal static class CommitRows
{
    public static IEnumerable<BenchRow> All()
    {
        yield return Acknowledgement("ack-memory", "log in memory", new TierPlan { Store = BrokerStore.Memory });
        yield return Acknowledgement("ack-os", "log in files, os", new TierPlan());
        yield return Acknowledgement("ack-always", "log in files, always", new TierPlan { Commit = BrokerCommit.Always });
        yield return Cpu();
    }

    /// <summary>The load of publishers that each send the next message when the last was acknowledged.</summary>
    public static string[] Publishers(int count) =>
        ["pub", "-c", GrowthRows.Text(count), "-R", "0", "-q", "1", "-s", "64", "-t", "bench/%i", "-F", "1", "--max"];

    /// <summary>The stated latencies of a side.</summary>
    public static IEnumerable<BenchGoal> Latencies(string side, string text) =>
    [
        BenchGoal.Stated($"{side}.p50", $"{text}: acknowledged, p50", "us", values => values[$"{side}.ack50"]),
        BenchGoal.Stated($"{side}.p99", $"{text}: acknowledged, p99", "us", values => values[$"{side}.ack99"]),
    ];

    private static LoadRow Acknowledgement(string name, string what, TierPlan plan) => new(
        name,
        $"{what}: QoS 1 of 64 B through one proxy and one broker, one message under way a publisher; from sent to acknowledged",
        run => run.Stage.TierAsync(plan, run.Cancellation),
        [new("one", Target(0), Publishers(1)), new("many", Target(0), Publishers(64))],
        [.. Latencies("one", "1 publisher"), .. Latencies("many", "64 publishers")]);

    private static LoadRow Cpu()
    {
        // 10,000 a second is what one subscriber's window carries on a busy machine, too (AllocationRow).
        string[] load = ["fanin", "-c", "100", "-R", "2000", "-q", "1", "-s", "64", "--rate", "10000"];
        return new LoadRow(
            "commit-cpu",
            "CPU of proxy and broker per QoS 1 message of 64 B, 10,000/s, 100 publishers to one subscriber: log in files with os against memory",
            async run =>
            {
                await run.Stage.TierAsync(new TierPlan(), run.Cancellation);
                await run.Stage.TierAsync(new TierPlan(Slot: 1) { Store = BrokerStore.Memory }, run.Cancellation);
            },
            [new("os", Target(0), load), new("memory", Target(1), load)],
            [
                BenchGoal.Stated("os", "os", "us", values => values["os.us"]),
                BenchGoal.Stated("memory", "memory", "us", values => values["memory.us"]),
                BenchGoal.Stated("ratio", "os against memory", "x", values => values["os.us"] / values["memory.us"]),
            ]);
    }

    private static Func<RowRun, LoadTarget> Target(int slot) => run => LoadTarget.Port(
        run.Stage.Port(slot, "proxy-1", "mqtt"), run.Stage.Measured(slot, "proxy-1"), run.Stage.Measured(slot, "broker-0"));
}
