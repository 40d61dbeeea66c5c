using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>What exactly once costs the directory: publisher and subscriber with sessions that are kept, on two proxies, and Redis counts.</summary>
internal sealed class QoS2RedisRow() : BenchRow("qos2-redis", "a QoS 2 message from a kept session on one proxy to one on another: what Redis does for it")
{
    // By design two writes a hop when a message is alone: entry and its end, "sent" and "received".
    private const double MostScriptsAlone = 4.2;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals { get; } =
    [
        new("alone.scripts", "one message at a time: at most two writes a hop", "calls", values => values["alone.scripts"], MostScriptsAlone),
        BenchGoal.Stated("alone.commands", "the same with commands inside scripts", "commands", values => values["alone.commands"]),
        BenchGoal.Stated("together.scripts", "64 at a time, calls a message", "calls", values => values["together.scripts"]),
        BenchGoal.Stated("together.commands", "the same with commands inside scripts", "commands", values => values["together.commands"]),
    ];

    /// <inheritdoc/>
    public override async Task PrepareAsync(RowRun run)
    {
        await run.Stage.TierAsync(new TierPlan(Proxies: 2, Groups: 2, Redis: true), run.Cancellation);
        await LoadAsync(run, 64, run.Settings.WarmUpSeconds);
    }

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        Part redis = run.Stage.Part(0, "redis-1");
        RedisCalls idle = await RedisCalls.IdleAsync(redis, run.Settings.Seconds, run.Time, run.Cancellation);
        foreach ((string name, int window) in new[] { ("alone", 1), ("together", 64) })
        {
            RedisCalls before = await RedisCalls.ReadAsync(redis, run.Cancellation);
            long start = run.Time.GetTimestamp();
            LoadReport report = await LoadAsync(run, window, run.Settings.Seconds);
            RedisCalls after = await RedisCalls.ReadAsync(redis, run.Cancellation);
            RedisCalls cost = RedisCalls.PerMessage(before, after, idle, run.Time.GetElapsedTime(start).TotalSeconds, report.Counts.Delivered);
            (values[$"{name}.scripts"], values[$"{name}.commands"]) = (cost.Scripts, cost.Commands);
            (values[$"{name}.rate"], values[$"{name}.p50"]) = (report.DeliverRate, report.Latencies["delivery"].P50Us);
        }
    }

    private static Task<LoadReport> LoadAsync(RowRun run, int window, double seconds) => LoadRunner.RunAsync(
        new LoadTarget($"127.0.0.1:{GrowthRows.Text(run.Stage.Port(0, "proxy-1", "mqtt"))},127.0.0.1:{GrowthRows.Text(run.Stage.Port(0, "proxy-2", "mqtt"))}", []),
        [
            "pair", "-c", "2", "-q", "2", "-s", "64", "-C", "false", "-x", "60", "-F", GrowthRows.Text(window), "--max",
            "--outstanding", "1000", "-d", LoadRunner.Seconds(seconds),
        ],
        run.Cancellation);
}
