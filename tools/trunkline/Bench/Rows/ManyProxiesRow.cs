using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>
/// 150,000 devices on eight proxies, one broker and Redis, beside one proxy with its share of them. Each device has a filter
/// of its own and sends itself a message every 30 s: every message has to come back, once.
/// </summary>
internal sealed class ManyProxiesRow() : BenchRow("devices-150k", "150,000 devices on 8 proxies against 18,750 on one; bytes per device, and proxies' CPU per delivered message, one message per device and 30 s")
{
    private const int Proxies = 8;
    private const int DevicesOfProxy = 18_750;
    private const int FullDevices = 19_000;
    private const int ConnectsPerSecond = 3000;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals { get; } =
    [
        BenchGoal.Flat("bytes", "bytes per device: flat within 20%", values => values["one.bytes"], values => values["all.bytes"]),
        BenchGoal.Flat("cpu", "CPU per message: flat within 20%", values => values["one.us"], values => values["all.us"]),
    ];

    /// <summary>It takes more than two minutes.</summary>
    public override int MostRounds => 1;

    /// <inheritdoc/>
    public override async Task PrepareAsync(RowRun run)
    {
        await run.Stage.TierAsync(new TierPlan(Slot: 1, Redis: true), run.Cancellation);
        await run.Stage.TierAsync(new TierPlan(Proxies: Proxies, Redis: true), run.Cancellation);
    }

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        int devices = DevicesOfProxy * run.Settings.Devices / FullDevices;
        Write(values, "one", [await LoadAsync(run, 1, 1, devices, ConnectsPerSecond)]);
        Write(values, "all", await Task.WhenAll(Enumerable.Range(1, Proxies).Select(number => LoadAsync(run, 0, number, devices, ConnectsPerSecond / Proxies))));
    }

    private static Task<LoadReport> LoadAsync(RowRun run, int slot, int number, int devices, int connectRate)
    {
        string proxy = $"proxy-{GrowthRows.Text(number)}";
        return LoadRunner.RunAsync(
            LoadTarget.Port(run.Stage.Port(slot, proxy, "mqtt"), run.Stage.Measured(slot, proxy)),
            [
                "pubsub", "-c", GrowthRows.Text(devices), "-R", GrowthRows.Text(connectRate), "-t", $"bench/{proxy}/%i", "-q", "0", "-s", "64", "-V", "4",
                "-I", "30000", "--warmup", "5s", "-d", "20s", "-k", "600", "--connect-timeout", "60s",
            ],
            run.Cancellation);
    }

    private static void Write(RoundValues values, string name, IReadOnlyList<LoadReport> reports)
    {
        values[$"{name}.devices"] = reports.Sum(report => report.Connected);
        values[$"{name}.bytes"] = reports.Average(report => report.Process("proxy").RssPerConnection ?? 0);
        values[$"{name}.us"] = reports.Average(report => report.Process("proxy").CpuUsPerUnit ?? 0);
        values[$"{name}.rate"] = reports.Sum(report => report.DeliverRate);
        values[$"{name}.p99"] = reports.Max(report => report.Latencies["delivery"].P99Us);
    }
}
