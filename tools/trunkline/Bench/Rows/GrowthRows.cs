using System.Globalization;
using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>Rows about what a message and a device cost when there are many.</summary>
internal static class GrowthRows
{
    private const int ManyGroups = 8;

    // One side alone costs half as much again from one run to the next, by whether its loops share a thread.
    private const int PassesOfGroups = 3;

    private const int FiltersOfClient = 100;
    private const int ManyFilters = 100_000;

    // Topics that the many filters compete for: their first levels are the same.
    private static readonly string[] Maximum =
        ["fanin", "-c", "100", "-R", "2000", "-q", "0", "-s", "64", "-V", "4", "-t", "bench/in/%i", "--max", "--outstanding", "1000"];

    private static readonly string[] Paced =
        ["fanin", "-c", "100", "-R", "2000", "-q", "0", "-s", "64", "-V", "4", "-t", "bench/in/%i", "--rate", "5000"];

    public static IEnumerable<BenchRow> All()
    {
        yield return new GrowthDevicesRow();
        yield return Groups();
        yield return Filters();
        yield return new ManyProxiesRow();
    }

    private static LoadRow Groups() => new(
        "growth-groups",
        "1 to 8 groups, fan-in QoS 0, 64 B; proxy's CPU per delivered message",
        async run =>
        {
            await run.Stage.TierAsync(new TierPlan(), run.Cancellation);
            await run.Stage.TierAsync(new TierPlan(Slot: 1, Groups: ManyGroups), run.Cancellation);
        },
        [
            new("one.max", run => Proxy(run, 0), Maximum),
            new("eight.max", run => Proxy(run, 1), Maximum),
            new("one.5000", run => Proxy(run, 0), Paced),
            new("eight.5000", run => Proxy(run, 1), Paced),
        ],
        [
            BenchGoal.Flat("max", "maximum rate: flat within 20%", values => values["one.max.us"], values => values["eight.max.us"]),
            BenchGoal.Flat("5000", "5,000/s: flat within 20%", values => values["one.5000.us"], values => values["eight.5000.us"]),
        ])
    {
        Passes = PassesOfGroups,
    };

    private static LoadRow Filters() => new(
        "growth-filters",
        "10 to 100,000 filters on a proxy, half of them with wildcards; fan-in QoS 0, 64 B, maximum rate, proxy's CPU per delivered message",
        async run =>
        {
            await run.Stage.TierAsync(new TierPlan(), run.Cancellation);
            await run.Stage.TierAsync(new TierPlan(Slot: 1), run.Cancellation);
            await HoldFiltersAsync(run, 0, clients: 1, filters: 5);
            await HoldFiltersAsync(run, 1, clients: ManyFilters / FiltersOfClient / 2, filters: FiltersOfClient);
        },
        [
            new("few", run => Proxy(run, 0), Maximum),
            new("many", run => Proxy(run, 1), Maximum),
        ],
        [BenchGoal.Flat("cpu", "flat within 20%", values => values["few.us"], values => values["many.us"])]);

    private static LoadTarget Proxy(RowRun run, int slot) =>
        LoadTarget.Port(run.Stage.Port(slot, "proxy-1", "mqtt"), run.Stage.Measured(slot, "proxy-1"));

    private static async Task HoldFiltersAsync(RowRun run, int slot, int clients, int filters)
    {
        foreach (string filter in new[] { "bench/exact/%i/%f", "bench/+/wild%i/%f/#" })
        {
            await run.Stage.HoldAsync(slot, "proxy-1", ["-c", Text(clients), "-R", "1000", "-V", "4", "-t", filter, "--filters", Text(filters)], clients * filters, run.Cancellation);
        }
    }

    internal static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
