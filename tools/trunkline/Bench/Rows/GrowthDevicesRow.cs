using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>
/// From 1,000 to 19,000 devices on a proxy. Memory: what a device adds in the lower and in the upper half of those beyond the
/// first 1,000 to what a new process holds on to (<see cref="HeldMemory"/>), and, stated beside, to its resident memory while
/// nobody has asked for a collection. Connections and scrapes have come and gone before: what a process takes once, compiled
/// code above all, does not count as a device's. CPU: all devices publish, the rate in all is the same.
/// </summary>
internal sealed class GrowthDevicesRow() : BenchRow("growth-devices", "1,000 to 19,000 devices on a proxy; bytes a device adds, and proxy's CPU per delivered message at 10,000/s")
{
    private const int Few = 1000;
    private const double WarmSeconds = 3;
    private const int WarmScrapes = 200;

    /// <summary>How long the process, which has compiled most by then, is left alone before its memory counts.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(5);

    // Descriptors left for the subscriber, the links and the process itself.
    private const int Reserve = 100;

    // Few at a time, so that they leave no heap behind; some ten thousand cycles, so that what connects a device is compiled for good.
    private static readonly string[] ComeAndGo =
        ["churn", "-c", "20", "--max", "-q", "0", "-V", "4", "--ifaddr", "127.0.0.10-127.0.0.29"];

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals { get; } =
    [
        BenchGoal.Flat("bytes", "bytes per device: flat within 20%", values => values["bytes.lower"], values => values["bytes.upper"]),
        BenchGoal.Stated("resident", "resident bytes per device, uncollected", "B", values => (values["resident.lower"] + values["resident.upper"]) / 2),
        BenchGoal.Flat("cpu", "CPU per message: flat within 20%", values => values["few.us"], values => values["many.us"]),
    ];

    /// <inheritdoc/>
    public override Task PrepareAsync(RowRun run) => run.Stage.TierAsync(new TierPlan(), run.Cancellation);

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        await MemoryAsync(run, values);

        int few = Math.Min(Few, run.Settings.Devices / 10);
        LoadSide[] sides = [Side("few", few), Side("many", run.Settings.Devices - Reserve)];
        foreach (LoadSide side in round % 2 == 0 ? sides : sides.Reverse())
        {
            await side.RunAsync(run, run.Settings.WarmUpSeconds + 1, run.Settings.Seconds, values);
        }
    }

    private static async Task MemoryAsync(RowRun run, RoundValues values)
    {
        await run.Stage.RestartPartAsync(0, "broker-0", run.Cancellation);
        await run.Stage.RestartPartAsync(0, "proxy-1", run.Cancellation);
        int first = Math.Min(Few, run.Settings.Devices / 4);
        int half = (run.Settings.Devices - first) / 2;
        await new LoadSide("warm", Target, ComeAndGo).RunAsync(run, 0, Math.Min(WarmSeconds, run.Settings.Seconds), new RoundValues());
        for (int scrape = 0; scrape < WarmScrapes; scrape++)
        {
            await Metrics.ReadAsync(run.Stage.Port(0, "proxy-1", "management"), run.Cancellation);
        }

        (double Held, double Resident) low = await HoldAsync(run, first, "a");
        (double Held, double Resident) middle = await HoldAsync(run, half, "b");
        (double Held, double Resident) high = await HoldAsync(run, half, "c");
        await run.Stage.LetGoAsync();
        values["bytes.lower"] = (middle.Held - low.Held) / half;
        values["bytes.upper"] = (high.Held - middle.Held) / half;
        values["resident.lower"] = (middle.Resident - low.Resident) / half;
        values["resident.upper"] = (high.Resident - middle.Resident) / half;
    }

    private static LoadTarget Target(RowRun run) =>
        LoadTarget.Port(run.Stage.Port(0, "proxy-1", "mqtt"), run.Stage.Measured(0, "proxy-1"));

    private static LoadSide Side(string name, int devices) => new(
        name,
        Target,
        ["fanin", "-c", GrowthRows.Text(devices), "-R", "4000", "-q", "0", "-s", "64", "-V", "4", "--rate", "10000", "--connect-timeout", "60s"]);

    private static async Task<(double Held, double Resident)> HoldAsync(RowRun run, int devices, string part)
    {
        await run.Stage.HoldAsync(
            0, "proxy-1", ["-c", GrowthRows.Text(devices), "-R", "4000", "-V", "4", "-t", $"bench/{part}/%i/state"], devices, run.Cancellation);
        await Task.Delay(Settled, run.Time, run.Cancellation);
        MeasuredProcess proxy = run.Stage.Measured(0, "proxy-1");
        double resident = ProcessMemory.Bytes(proxy);
        return (await HeldMemory.BytesAsync(proxy, run.Stage.Port(0, "proxy-1", "management"), run.Time, run.Cancellation), resident);
    }
}
