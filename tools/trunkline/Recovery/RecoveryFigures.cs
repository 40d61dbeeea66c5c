using System.Globalization;
using Trunkline.Tool.Bench.Load;

namespace Trunkline.Tool.Recovery;

/// <summary>What one kill cost the devices. Times in milliseconds; its names are a contract.</summary>
internal sealed record RecoveryFigures
{
    /// <summary>Delay beyond which a message counts as late: a pause of the machine is none, the end of a process is.</summary>
    public const int LateMs = 250;

    /// <summary>What was killed.</summary>
    public required string Killed { get; init; }

    /// <summary>Subscribers of the run.</summary>
    public required long Devices { get; init; }

    /// <summary>Connections that were lost.</summary>
    public required long CutOff { get; init; }

    /// <summary>Devices cut off that have everything again.</summary>
    public required long UpToDate { get; init; }

    /// <summary>Until half of the devices were up to date: of those cut off from the loss on, otherwise of all from the kill on; null when there was none.</summary>
    public required double? UpToDateP50 { get; init; }

    /// <summary>The same, 99% of them.</summary>
    public required double? UpToDateP99 { get; init; }

    /// <summary>The same, the last of them.</summary>
    public required double? UpToDateLast { get; init; }

    /// <summary>From the kill until the process served again.</summary>
    public required double RestartMs { get; init; }

    /// <summary>The longest that a message took to a subscriber that was not cut off: the gap it saw.</summary>
    public required double LongestGap { get; init; }

    /// <summary>The longest that a publisher waited for an acknowledgement.</summary>
    public required double LongestAcknowledgement { get; init; }

    /// <summary>Messages published.</summary>
    public required long Published { get; init; }

    /// <summary>Acknowledged messages that never came.</summary>
    public required long Lost { get; init; }

    /// <summary>QoS 1 messages that came again.</summary>
    public required long Repeats { get; init; }

    /// <summary>What is wrong; empty when nothing is.</summary>
    public required IReadOnlyList<string> Faults { get; init; }

    /// <summary>ok, or failed.</summary>
    public string Verdict => Faults.Count == 0 ? "ok" : "failed";

    /// <summary>
    /// Counts are added up. A killed proxy: of times the slower process counts. A killed broker cuts nobody off: a device is
    /// behind until it had the last message that was due before the broker served again and came late.
    /// </summary>
    public static RecoveryFigures Of(string killed, long killedAtNs, long servedAtNs, IReadOnlyList<LoadReport> reports)
    {
        bool cutsOff = killed == "proxy";
        double[] behind = Behind(killedAtNs, servedAtNs, reports);
        double? Time(Func<LoadLatency, double> returned, double share) => cutsOff
            ? reports.Max(report => report.Latencies.TryGetValue("return", out LoadLatency? latency) ? returned(latency) / 1e3 : (double?)null)
            : behind[(int)Math.Ceiling(share * behind.Length) - 1];
        RecoveryFigures figures = new()
        {
            Killed = killed,
            Devices = reports.Sum(report => report.Clients / 2),
            CutOff = reports.Sum(report => report.Counts.Disconnects),
            RestartMs = (servedAtNs - killedAtNs) / 1e6,
            UpToDate = reports.Sum(report => report.Latencies.GetValueOrDefault("return")?.Count ?? 0),
            UpToDateP50 = Time(latency => latency.P50Us, 0.5),
            UpToDateP99 = Time(latency => latency.P99Us, 0.99),
            UpToDateLast = Time(latency => latency.MaxUs, 1),
            LongestGap = reports.Max(report => (report.Latencies.GetValueOrDefault("undisturbed") ?? report.Latencies["delivery"]).MaxUs / 1000),
            LongestAcknowledgement = reports.Max(report => report.Latencies["ack"].MaxUs / 1000),
            Published = reports.Sum(report => report.Counts.Published),
            Lost = reports.Sum(report => report.Counts.Lost),
            Repeats = reports.Sum(report => report.Counts.Duplicates),
            Faults = [],
        };
        return figures with { Faults = [.. figures.Find(cutsOff, reports.Sum(report => report.Counts.Published - report.Counts.Acknowledged))] };
    }

    /// <summary>One line for a terminal.</summary>
    public string ToLine() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Killed} killed, there again after {RestartMs:0} ms: {CutOff} of {Devices} subscribers cut off, up to date half {Text(UpToDateP50)}, 99% {Text(UpToDateP99)}, last {Text(UpToDateLast)}; longest gap of the others {LongestGap:0} ms, longest acknowledgement {LongestAcknowledgement:0} ms; {Published} published, {Lost} lost, {Repeats} repeated: {Verdict}{(Faults.Count > 0 ? ", " + string.Join(", ", Faults) : "")}");

    /// <summary>Milliseconds from the kill until a device had everything, of all devices in order; 0 where nothing was late.</summary>
    private static double[] Behind(long killedAtNs, long servedAtNs, IReadOnlyList<LoadReport> reports) =>
    [
        .. reports.SelectMany(report =>
        {
            double[] late =
            [
                .. report.Late.Where(late => late.DueNs <= servedAtNs && late.ArrivedNs > killedAtNs).GroupBy(late => late.Client)
                    .Select(device => (device.Max(late => late.ArrivedNs) - killedAtNs) / 1e6),
            ];
            return late.Concat(Enumerable.Repeat(0.0, Math.Max(0, (report.Clients / 2) - late.Length)));
        }).Order(),
    ];

    private static string Text(double? ms) => ms is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value:0} ms") : "-";

    private IEnumerable<string> Find(bool cutsOff, long unacknowledged)
    {
        if (Lost > 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{Lost} messages were lost");
        }

        if (unacknowledged > 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{unacknowledged} messages were not acknowledged");
        }

        if (cutsOff && (CutOff == 0 || UpToDate < CutOff))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{UpToDate} of {CutOff} cut off came back to everything");
        }

        if (!cutsOff && CutOff > 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"the end of a broker cut {CutOff} devices off");
        }
    }
}
