using System.Globalization;
using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>
/// What an idle device with a session and a filter of its own costs: growth of resident memory over the empty process,
/// which is a new one each round, once both have been left alone for some seconds: a process that starts, or that was just
/// connected to, still compiles. Nobody asks for a collection. What it is when the last has just connected is shown beside.
/// </summary>
internal sealed class IdleRow(
    string name,
    string what,
    string port,
    IReadOnlyList<string> transport,
    IdleRow.Peer? peer,
    IReadOnlyList<BenchGoal> goals) : BenchRow(name, what)
{
    /// <summary>What stands beside ours in a row about idle devices.</summary>
    /// <param name="Name">Prefix of its values.</param>
    /// <param name="StartAsync">Starts it empty; says where it listens and what is measured.</param>
    internal sealed record Peer(string Name, Func<RowRun, Task<LoadTarget>> StartAsync);

    /// <summary>How long a process is left alone before its memory counts, empty and with its devices.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    /// <summary>Share of the devices asked for: handshakes take time, and fewer devices make the figure no better.</summary>
    public double DevicesFactor { get; init; } = 1;

    /// <summary>Connections a second.</summary>
    public int ConnectsPerSecond { get; init; } = 4000;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchGoal> Goals => goals;

    /// <inheritdoc/>
    public override Task PrepareAsync(RowRun run) => run.Stage.TierAsync(new TierPlan(), run.Cancellation);

    /// <inheritdoc/>
    public override async Task RoundAsync(RowRun run, int round, RoundValues values)
    {
        await run.Stage.RestartPartAsync(0, "broker-0", run.Cancellation);
        await run.Stage.RestartPartAsync(0, "proxy-1", run.Cancellation);
        LoadTarget ours = LoadTarget.Port(run.Stage.Port(0, "proxy-1", port), run.Stage.Measured(0, "proxy-1"));
        await SideAsync(run, "ours", ours, values);
        if (peer is not null)
        {
            await SideAsync(run, peer.Name, await peer.StartAsync(run), values);
        }
    }

    private async Task SideAsync(RowRun run, string side, LoadTarget target, RoundValues values)
    {
        await Task.Delay(Settled, run.Time, run.Cancellation);
        int devices = (int)(run.Settings.Devices * DevicesFactor);
        List<string> load =
        [
            "conn", "-c", devices.ToString(CultureInfo.InvariantCulture), "-R", ConnectsPerSecond.ToString(CultureInfo.InvariantCulture),
            "-t", "bench/idle/%i/state", "-q", "0", "-V", "4", "-k", "600", "-d", string.Create(CultureInfo.InvariantCulture, $"{Settled.TotalSeconds}s"), "--connect-timeout", "60s", .. transport,
        ];
        if (transport.Contains("-S"))
        {
            load.AddRange(["--cacert", run.Stage.CaFile(0)]);
        }

        LoadReport report = await LoadRunner.RunAsync(target, load, run.Cancellation);
        LoadProcess process = report.Processes[0];
        values[$"{side}.bytes"] = (double)(process.RssEnd - process.RssBefore) / devices;
        values[$"{side}.at-once"] = process.RssPerConnection ?? throw new ToolException($"loadtest measured no memory of {side}.");
        values[$"{side}.empty"] = process.RssBefore;
    }
}
