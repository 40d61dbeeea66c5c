using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>The row about connecting.</summary>
internal static class ConnectRows
{
    private const double MostForRedisUs = 100;

    // Many source addresses: one has 28,000 ports, and each cycle leaves one behind for a while.
    private static readonly string[] Churn =
        ["churn", "-c", "20", "--max", "-q", "0", "-V", "4", "--ifaddr", "127.0.0.10-127.0.0.29"];

    public static IEnumerable<BenchRow> All()
    {
        yield return new LoadRow(
            "connect",
            "connect, subscribe, disconnect, new client id and filter each time; CPU per cycle",
            async run =>
            {
                await run.Stage.TierAsync(new TierPlan(), run.Cancellation);
                await run.Stage.TierAsync(new TierPlan(Slot: 1, Redis: true), run.Cancellation);
                await MessageRows.NginxAsync(run);
            },
            [
                new("memory", run => LoadTarget.Port(run.Stage.Port(0, "proxy-1", "mqtt"), run.Stage.Measured(0, "proxy-1")), Churn),
                new("redis", run => LoadTarget.Port(run.Stage.Port(1, "proxy-1", "mqtt"), run.Stage.Measured(1, "proxy-1"), run.Stage.Measured(1, "redis-1")), Churn),
                new("nginx", run => LoadTarget.Port(run.Settings.Ports.Nginx, run.Stage.MeasuredPeer("nginx")), Churn),
            ],
            [
                new BenchGoal("memory", "directory in memory: at most 1.0 x nginx", "x", values => values["memory.us"] / values["nginx.us"], 1.0),
                new BenchGoal("redis", "directory in Redis, Redis included: at most 100 us more", "us", values => values["redis.us"] - values["memory.us"], MostForRedisUs),
            ]);
    }
}
