using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>
/// What handing out a message of a shared subscription costs: the same publishers, first to one plain subscriber, then to
/// eight members of a share. A round counts only when the proxy sent each message once.
/// </summary>
internal sealed class ShareRow() : BenchRow("share-cpu", "CPU of proxy and broker per QoS 1 message of 64 B, 2,000/s: a share of eight members against one plain subscriber")
{
    private const int Members = 8;
    private const int PerSecond = 2000;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals { get; } =
    [
        BenchGoal.Stated("share", "a hand-out of a share", "us", values => values["share.us"]),
        BenchGoal.Stated("plain", "a plain delivery", "us", values => values["plain.us"]),
    ];

    /// <inheritdoc/>
    public override async Task PrepareAsync(RowRun run)
    {
        await run.Stage.TierAsync(new TierPlan(), run.Cancellation);
        await run.Stage.TierAsync(new TierPlan(Slot: 1), run.Cancellation);
        await run.Stage.HoldAsync(0, "proxy-1", ["-c", GrowthRows.Text(Members), "--filter", "$share/members/bench/#", "-q", "1"], Members, run.Cancellation);
        await run.Stage.HoldAsync(1, "proxy-1", ["-c", "1", "--filter", "bench/#", "-q", "1"], 1, run.Cancellation);
        await RoundAsync(run, 0, new RoundValues());
    }

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        (string Name, int Slot)[] sides = [("share", 0), ("plain", 1)];
        foreach ((string name, int slot) in round % 2 == 0 ? sides : sides.Reverse())
        {
            MeasuredProcess[] processes = [run.Stage.Measured(slot, "proxy-1"), run.Stage.Measured(slot, "broker-0")];
            double sent = await SentAsync(run, slot);
            double cpu = ProcessCpu.Seconds(processes);
            LoadReport report = await LoadRunner.RunAsync(
                LoadTarget.Port(run.Stage.Port(slot, "proxy-1", "mqtt")),
                [
                    "pub", "-c", "20", "-R", "0", "-q", "1", "-s", "64", "-t", "bench/%i", "--rate", GrowthRows.Text(PerSecond), "-d", LoadRunner.Seconds(run.Settings.Seconds),
                ],
                run.Cancellation);
            double handed = await AwaitAsync(run, slot, sent, report.Counts.Published);
            values[$"{name}.us"] = (ProcessCpu.Seconds(processes) - cpu) * 1e6 / handed;
            values[$"{name}.messages"] = handed;
        }
    }

    private static async Task<double> AwaitAsync(RowRun run, int slot, double before, long published)
    {
        long start = run.Time.GetTimestamp();
        double handed;
        while ((handed = await SentAsync(run, slot) - before) < published && run.Time.GetElapsedTime(start) < Patience)
        {
            await Task.Delay(Poll, run.Time, run.Cancellation);
        }

        return (long)handed == published
            ? handed
            : throw new RoundFault(FormattableString.Invariant($"{published} messages were published, {handed:0} were handed out"));
    }

    private static async Task<double> SentAsync(RowRun run, int slot) =>
        (await Metrics.ReadAsync(run.Stage.Port(slot, "proxy-1", "management"), run.Cancellation)).Sum("trunkline_messages_sent_total", "qos=\"1\"");
}
