using System.Diagnostics;
using System.Text.Json;
using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>
/// 200,000 filters on a node, half of them with wildcards. The index alone, in the benchmarks' program: subscribe and match.
/// And the whole: a new proxy, 2,000 devices with 100 filters each; growth of RSS and the proxy's CPU for each SUBSCRIBE.
/// </summary>
internal sealed class ManyFiltersRow() : BenchRow("filters-200k", "200,000 filters on a node, half with wildcards; index: us to subscribe and to match; proxy: bytes and CPU per filter")
{
    private const int Filters = 200_000;
    private const int FiltersOfClient = 100;
    private const double MostUs = 5;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals { get; } =
    [
        new("subscribe", "subscribe: below 5 us", "us", values => values["index.subscribeUs"], MostUs),
        new("match", "match: below 5 us", "us", values => values["index.matchUs"], MostUs),
    ];

    /// <inheritdoc/>
    public override Task PrepareAsync(RowRun run) => run.Stage.TierAsync(new TierPlan(), run.Cancellation);

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        using JsonDocument index = JsonDocument.Parse(await IndexAsync(run.Cancellation));
        foreach (JsonProperty property in index.RootElement.EnumerateObject())
        {
            values[$"index.{property.Name}"] = property.Value.GetDouble();
        }

        await run.Stage.RestartPartAsync(0, "broker-0", run.Cancellation);
        await run.Stage.RestartPartAsync(0, "proxy-1", run.Cancellation);
        MeasuredProcess proxy = run.Stage.Measured(0, "proxy-1");
        double memory = ProcessMemory.Bytes(proxy);
        double cpu = ProcessCpu.Seconds([proxy]);
        foreach (string filter in new[] { "bench/exact/%i/%f/state", "bench/wild/%i/%f/#" })
        {
            await run.Stage.HoldAsync(
                0,
                "proxy-1",
                ["-c", GrowthRows.Text(Filters / FiltersOfClient / 2), "-R", "1000", "-V", "4", "-t", filter, "--filters", GrowthRows.Text(FiltersOfClient)],
                Filters / 2,
                run.Cancellation);
        }

        values["proxy.bytesPerFilter"] = (ProcessMemory.Bytes(proxy) - memory) / Filters;
        values["proxy.usPerFilter"] = (ProcessCpu.Seconds([proxy]) - cpu) * 1e6 / Filters;
        await run.Stage.LetGoAsync();
    }

    private static async Task<string> IndexAsync(CancellationToken cancellation)
    {
        ProcessStartInfo start = new(Programs.Own(Repository.BenchmarksProgram), ["filters", GrowthRows.Text(Filters)])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using Process process = Process.Start(start) ?? throw new ToolException("The benchmarks could not be started.");
        string output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? output : throw new RoundFault($"the index's benchmark ended with {process.ExitCode}");
    }
}
