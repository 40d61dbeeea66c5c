using System.Globalization;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Report;

namespace Trunkline.SystemTests.Bench;

/// <summary>The command with a real row: real nginx, real mosquitto, our tier, small numbers. Speed itself is not judged here.</summary>
public sealed class BenchCommandTests
{
    [ProgramsFact("nginx", "mosquitto")]
    public async Task A_row_starts_its_peers_measures_both_sides_and_leaves_nothing_behind()
    {
        using TestPorts ports = TestPorts.Take();
        string folder = Tier.NewFolder();
        string file = Path.Combine(folder, "bench.json");
        CommandResult result = await Tier.ToolAsync(
            "bench", "--row", "fanin-qos1", "--rounds", "1", "--seconds", "1", "--json", file,
            "--base-port", ports.Base.ToString(CultureInfo.InvariantCulture));

        RowResult row = Assert.Single(BenchReport.Load(file).Rows);
        Directory.Delete(folder, recursive: true);
        Assert.True(row.Verdict is "met" or "missed", result.Errors);
        Assert.Equal(row.Verdict == "met" ? 0 : 1, result.ExitCode);
        Assert.True(row.Values["ours.us"][0] > 0 && row.Values["nginx.us"][0] > 0, "CPU of both sides is measured");
        Assert.Contains("| fanin-qos1 |", result.Output, StringComparison.Ordinal);
        Assert.Empty(Tool.Processes.PortHolders.Find([.. Enumerable.Range(ports.Base, 100)]));
    }

    [Fact]
    public async Task Rows_are_listed_and_an_unknown_one_is_refused()
    {
        CommandResult list = (await Tier.ToolAsync("bench", "--list")).EnsureSuccess();
        Assert.Contains("fanout-1000: ", list.Output, StringComparison.Ordinal);

        CommandResult unknown = await Tier.ToolAsync("bench", "--row", "nothing");
        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("--row nothing is none of", unknown.Errors, StringComparison.Ordinal);
    }
}
