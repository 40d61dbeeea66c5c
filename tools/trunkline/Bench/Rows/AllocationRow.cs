using System.Globalization;
using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>
/// Bytes that the proxy allocates per message in steady state: two scrapes while a load runs, divided by what was
/// delivered between them, without what the same two scrapes and the same time allocate when nothing is sent.
/// </summary>
internal sealed class AllocationRow() : BenchRow("allocation", "bytes allocated by the proxy per delivered message in steady state, fan-in of 64 B")
{
    // Half a byte is below what can be told from nothing.
    private const double None = 0.5;

    private const double MostAtQoS1 = 100;
    private const double MessagesPerSecond = 30_000;

    // A subscriber has Mqtt:MaximumInFlight (256) messages under way at most: at 30,000 a second a round trip to it of 9 ms, which
    // a busy machine has, is too long, and the session's backlog drops what no window takes. This leaves it 25 ms.
    private const double MessagesPerSecondAtQoS1 = 10_000;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals { get; } =
    [
        new("qos0", "QoS 0: 0 B (below 0.5)", "B", values => values["qos0.bytes"], None),
        new("qos1", "QoS 1: at most 100 B", "B", values => values["qos1.bytes"], MostAtQoS1),
    ];

    /// <inheritdoc/>
    public override async Task PrepareAsync(RowRun run)
    {
        await run.Stage.TierAsync(new TierPlan(), run.Cancellation);
        await LoadAsync(run, 0, new RoundValues());
        await LoadAsync(run, 1, new RoundValues());
    }

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        (double idle, _) = await BetweenAsync(run, 0);
        values["idle.bytes"] = idle;
        foreach (int qos in new[] { 0, 1 })
        {
            (double bytes, double messages) = await LoadAsync(run, qos, values);
            values[string.Create(CultureInfo.InvariantCulture, $"qos{qos}.bytes")] = Math.Max(0, bytes - idle) / messages;
        }
    }

    private static double RateOf(int qos) => qos == 0 ? MessagesPerSecond : MessagesPerSecondAtQoS1;

    private static async Task<(double Bytes, double Messages)> LoadAsync(RowRun run, int qos, RoundValues values)
    {
        TimeSpan settle = TimeSpan.FromSeconds(run.Settings.WarmUpSeconds + 1);
        double seconds = settle.TotalSeconds + run.Settings.Seconds + 1;
        string[] load =
        [
            "fanin", "-c", "100", "-R", "2000", "-q", qos.ToString(CultureInfo.InvariantCulture), "-s", "64", "-V", "4",
            "--rate", RateOf(qos).ToString(CultureInfo.InvariantCulture), "-d", LoadRunner.Seconds(seconds),
        ];
        LoadTarget target = LoadTarget.Port(run.Stage.Port(0, "proxy-1", "mqtt"));
        Task<LoadReport> running = LoadRunner.RunAsync(target, load, run.Cancellation);
        await Task.Delay(settle, run.Time, run.Cancellation);
        (double bytes, double messages) = await BetweenAsync(run, qos);
        await running;
        double expected = RateOf(qos) * run.Settings.Seconds;
        if (messages < expected * 0.8 || messages > expected * 1.2)
        {
            throw new RoundFault(string.Create(CultureInfo.InvariantCulture, $"{messages:0} messages of QoS {qos} were delivered between the scrapes, and {expected:0} were to be"));
        }

        values[string.Create(CultureInfo.InvariantCulture, $"qos{qos}.messages")] = messages;
        return (bytes, messages);
    }

    private static async Task<(double Bytes, double Messages)> BetweenAsync(RowRun run, int qos)
    {
        int port = run.Stage.Port(0, "proxy-1", "management");
        string label = string.Create(CultureInfo.InvariantCulture, $"qos=\"{qos}\"");
        Metrics before = await Metrics.ReadAsync(port, run.Cancellation);
        await Task.Delay(TimeSpan.FromSeconds(run.Settings.Seconds), run.Time, run.Cancellation);
        Metrics after = await Metrics.ReadAsync(port, run.Cancellation);
        return (
            after.Sum("dotnet_gc_allocated_bytes_total") - before.Sum("dotnet_gc_allocated_bytes_total"),
            after.Sum("trunkline_messages_sent_total", label) - before.Sum("trunkline_messages_sent_total", label));
    }
}
