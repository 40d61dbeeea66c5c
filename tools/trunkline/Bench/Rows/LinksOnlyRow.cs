using System.Globalization;
using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>
/// Devices to links alone: nobody subscribes. A fixed number of messages, and CPU from before the first until the broker has
/// the last: between publishers and a slower broker lie megabytes of socket buffers, and what is still in them is not
/// delivered. Two loads, for they are two questions: single messages of many devices, where each is a read of its own, and
/// bursts as large as sockets take, where a byte copier moves hundreds of messages at a time.
/// </summary>
internal sealed class LinksOnlyRow() : BenchRow("links-only", "publishers alone, QoS 0, 64 B, nobody subscribed; proxy's CPU per message that the broker got")
{
    // At maximum rate a tier may drop QoS 0 by its policies, but not so much that another load was measured than asked for.
    private const double MostDropped = 0.02;

    private const int SinglePerSecond = 50_000;

    // Messages a second of measured time, about what each side carries: both sides then measure equally long.
    private const int OursBurstPerSecond = 1_000_000;
    private const int NginxBurstPerSecond = 100_000;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals { get; } =
    [
        new("single", "single messages, 50,000/s: at most 0.5 x nginx stream carrying publishers alone", "x", values => values["ours.single"] / values["nginx.single"], 0.5),
        new("burst", "bursts, maximum rate: at most 0.5 x nginx stream carrying publishers alone", "x", values => values["ours.burst"] / values["nginx.burst"], 0.5),
    ];

    /// <inheritdoc/>
    public override async Task PrepareAsync(RowRun run)
    {
        await run.Stage.TierAsync(new TierPlan(), run.Cancellation);
        await MessageRows.NginxAsync(run);
        await RoundAsync(run, 0, new RoundValues());
    }

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        LinkSide[] sides =
        [
            new("ours", run.Stage.Port(0, "proxy-1", "mqtt"), [run.Stage.Measured(0, "proxy-1")], OursBurstPerSecond, () => BrokerCounts.OursAsync(run)),
            new("nginx", run.Settings.Ports.Nginx, run.Stage.MeasuredPeer("nginx"), NginxBurstPerSecond, () => BrokerCounts.MosquittoAsync(run)),
        ];
        foreach (LinkSide side in round % 2 == 0 ? sides : sides.Reverse())
        {
            await LoadAsync(run, side, "single", SinglePerSecond, ["--rate", SinglePerSecond.ToString(CultureInfo.InvariantCulture)], values);
            await LoadAsync(run, side, "burst", side.BurstPerSecond, ["--max"], values);
        }
    }

    private static async Task LoadAsync(RowRun run, LinkSide side, string kind, int perSecond, string[] pace, RoundValues values)
    {
        long messages = (long)(run.Settings.Seconds * perSecond);
        double before = await AwaitAsync(run, side.Count, double.PositiveInfinity);
        double cpu = ProcessCpu.Seconds(side.Processes);
        long start = run.Time.GetTimestamp();
        await LoadRunner.RunAsync(
            LoadTarget.Port(side.Port),
            ["pub", "-c", "100", "-R", "2000", "-q", "0", "-s", "64", "-V", "4", "-d", "60s", "-L", messages.ToString(CultureInfo.InvariantCulture), .. pace],
            run.Cancellation);
        double got = await AwaitAsync(run, side.Count, before + messages) - before;
        double seconds = run.Time.GetElapsedTime(start).TotalSeconds;
        if (got < messages * (1 - MostDropped) || got > messages + 100)
        {
            throw new RoundFault(string.Create(CultureInfo.InvariantCulture, $"{messages} messages were published, the broker of {side.Name} got {got:0}"));
        }

        values[$"{side.Name}.{kind}"] = (ProcessCpu.Seconds(side.Processes) - cpu) * 1e6 / got;
        values[$"{side.Name}.{kind}.dropped"] = 1 - (got / messages);
        values[$"{side.Name}.{kind}.rate"] = got / seconds;
    }

    /// <summary>Waits until a counter reaches a number, or stands still.</summary>
    private static async Task<double> AwaitAsync(RowRun run, Func<Task<double>> count, double wanted)
    {
        double last = await count();
        TimeSpan patience = double.IsPositiveInfinity(wanted) ? TimeSpan.FromSeconds(1.2) : Stall;
        long since = run.Time.GetTimestamp();
        while (last < wanted && run.Time.GetElapsedTime(since) < patience)
        {
            await Task.Delay(Poll, run.Time, run.Cancellation);
            double now = await count();
            if (now > last)
            {
                last = now;
                since = run.Time.GetTimestamp();
            }
        }

        return last;
    }

    /// <summary>One side: where publishers go, who is measured, and who knows what arrived.</summary>
    private sealed record LinkSide(string Name, int Port, IReadOnlyList<MeasuredProcess> Processes, int BurstPerSecond, Func<Task<double>> Count);
}
