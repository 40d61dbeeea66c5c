using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>All devices dropped at once and back as fast as one proxy and one Redis take them, each to its kept session.</summary>
internal sealed class ReconnectRow() : BenchRow("reconnects", "devices with a kept session and a filter each, all dropped by reset at once: how fast one proxy and one Redis take them back")
{
    private const int MostDevices = 10_000;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals { get; } =
    [
        BenchGoal.Stated("rate", "devices back, until the last of them", "a second", values => values["rate"]),
        BenchGoal.Stated("back99", "until 99% are back", "ms", values => values["back99"]),
        BenchGoal.Stated("proxy", "CPU of the proxy a device", "us", values => values["proxy.us"]),
        BenchGoal.Stated("redis", "CPU of Redis a device", "us", values => values["redis.us"]),
    ];

    /// <inheritdoc/>
    public override async Task PrepareAsync(RowRun run)
    {
        await run.Stage.TierAsync(new TierPlan(Redis: true), run.Cancellation);
        await StormAsync(run, Math.Min(run.Settings.Devices, 1000));
    }

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        int devices = Math.Min(run.Settings.Devices, MostDevices);
        LoadReport report = await StormAsync(run, devices);
        LoadStorm storm = report.Storms.Single();
        if (storm is not { Share99Us: double most, AllUs: double all } || storm.Back < devices)
        {
            throw new RoundFault(FormattableString.Invariant($"{storm.Back} of {devices} devices came back"));
        }

        values["devices"] = devices;
        values["rate"] = storm.Back / (all / 1e6);
        values["back99"] = most / 1000;
        values["proxy.us"] = report.Process("proxy").CpuUsPerUnit ?? 0;
        values["redis.us"] = report.Process("redis").CpuUsPerUnit ?? 0;
        values["loader"] = report.Processes[^1].CpuShare;
    }

    private static Task<LoadReport> StormAsync(RowRun run, int devices) => LoadRunner.RunAsync(
        LoadTarget.Port(run.Stage.Port(0, "proxy-1", "mqtt"), run.Stage.Measured(0, "proxy-1"), run.Stage.Measured(0, "redis-1")),
        [
            "storm", "-c", GrowthRows.Text(devices), "-R", "3000", "-t", "bench/storm/%i", "-q", "1", "-C", "false", "-x", "60", "-k", "600",
            "-d", "60s", "--connect-timeout", "60s",
        ],
        run.Cancellation);
}
