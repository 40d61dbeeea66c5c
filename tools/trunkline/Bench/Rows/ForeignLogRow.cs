using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;
using Trunkline.Tool.Parts;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>Mosquitto behind a proxy with its log in Redis, beside the same without a log: latency, and what Redis does for a message.</summary>
internal sealed class ForeignLogRow() : BenchRow("foreign-log", "Mosquitto behind one proxy, QoS 1 of 64 B, one message under way a publisher: Log redis (appendonly everysec) against none; from sent to acknowledged, and Redis commands a message")
{
    private static readonly LoadSide[] Sides =
    [
        Side("redis.one", 0, 1), Side("redis.many", 0, 64), Side("none.one", 1, 1), Side("none.many", 1, 64),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals { get; } =
    [
        .. CommitRows.Latencies("redis.one", "log in Redis, 1 publisher"), .. CommitRows.Latencies("redis.many", "log in Redis, 64 publishers"),
        .. CommitRows.Latencies("none.one", "no log, 1 publisher"), .. CommitRows.Latencies("none.many", "no log, 64 publishers"),
        BenchGoal.Stated("commands.one", "Redis commands a message, 1 publisher", "commands", values => values["redis.one.commands"]),
        BenchGoal.Stated("commands.many", "Redis commands a message, 64 publishers", "commands", values => values["redis.many.commands"]),
    ];

    /// <inheritdoc/>
    public override async Task PrepareAsync(RowRun run)
    {
        await run.Stage.TierAsync(Plan(0, ForeignLogKind.Redis), run.Cancellation);
        await run.Stage.TierAsync(Plan(1, ForeignLogKind.None), run.Cancellation);
        foreach (LoadSide side in Sides)
        {
            await side.RunAsync(run, 0, run.Settings.WarmUpSeconds, new RoundValues());
        }
    }

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        Part redis = run.Stage.Part(0, "redis-1");
        RedisCalls idle = await RedisCalls.IdleAsync(redis, run.Settings.Seconds, run.Time, run.Cancellation);
        foreach (LoadSide side in round % 2 == 0 ? Sides : Sides.Reverse())
        {
            RedisCalls before = await RedisCalls.ReadAsync(redis, run.Cancellation);
            long start = run.Time.GetTimestamp();
            LoadReport report = await side.RunAsync(run, run.Settings.WarmUpSeconds, run.Settings.Seconds, values);
            RedisCalls after = await RedisCalls.ReadAsync(redis, run.Cancellation);
            double seconds = run.Time.GetElapsedTime(start).TotalSeconds;
            values[$"{side.Name}.commands"] = RedisCalls.PerMessage(before, after, idle, seconds, report.Counts.Acknowledged).Commands;
        }
    }

    private static LoadSide Side(string name, int slot, int publishers) => new(
        name,
        run => LoadTarget.Port(run.Stage.Port(slot, "proxy-1", "mqtt"), run.Stage.Measured(slot, "proxy-1"), run.Stage.Measured(slot, "broker-0"), run.Stage.Measured(slot, "redis-1")),
        CommitRows.Publishers(publishers));

    private static TierPlan Plan(int slot, ForeignLogKind log) => new(slot, Redis: true) { Broker = BrokerKind.Mosquitto, ForeignLog = log };
}
