using System.Globalization;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Recovery;

/// <summary>
/// One tier, one load, one kill. Half of the subscribers are on proxy 1, which is the one that dies, half on proxy 3; all
/// publishers are on proxy 2, so that what subscribers miss is not what publishers could not send.
/// </summary>
internal sealed class RecoveryRun(RecoveryPlan plan, TimeProvider time)
{
    private const int Seconds = 20;

    // A device takes four connections (two subscribers, two publishers), and a process may have 20,000 files here.
    private const int MostDevicesOfProcess = 2500;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Peace = TimeSpan.FromSeconds(5);

    /// <summary>Kills <c>proxy</c> or <c>broker</c>.</summary>
    public async Task<RecoveryFigures> RunAsync(string killed, CancellationToken cancellation)
    {
        TierRunner runner = new(time);
        string folder = Path.Combine(Repository.Root, ".tier", string.Create(CultureInfo.InvariantCulture, $"recovery-{plan.BasePort}"));
        Directory.CreateDirectory(folder);
        TierSpecification specification = new(plan.BasePort, 3, 2, BrokerKind.Trunkline, RedisKind.Single, Nginx: false);
        TierState tier = await runner.UpAsync(specification, folder, Patience, cancellation);
        try
        {
            List<LoadProcessHandle> loads = [];
            try
            {
                int processes = (plan.Devices + MostDevicesOfProcess - 1) / MostDevicesOfProcess;
                loads.AddRange(Enumerable.Range(0, processes).Select(number => LoadRunner.Start(Arguments(tier, number, processes))));
                await UntilMessagesFlowAsync(tier, loads, cancellation);
                await Task.Delay(Peace, time, cancellation);
                string name = killed == "proxy" ? "proxy-1" : "broker-0";
                long killedAtNs = NowNs();
                await runner.StopAsync(folder, name, kill: true, cancellation);
                await Task.Delay(plan.Away, time, cancellation);
                await runner.StartAsync(folder, name, Patience, cancellation);
                long servedAtNs = NowNs();
                LoadReport[] reports = await Task.WhenAll(loads.Select(load => load.ReportAsync(cancellation)));
                return RecoveryFigures.Of(killed, killedAtNs, servedAtNs, reports);
            }
            finally
            {
                foreach (LoadProcessHandle load in loads)
                {
                    await load.DisposeAsync();
                }
            }
        }
        finally
        {
            await runner.DownAsync(folder, CancellationToken.None);
        }
    }

    // The machine's monotonic clock, as loadtest reads it.
    private long NowNs() => (long)(time.GetTimestamp() * (1e9 / time.TimestampFrequency));

    private static string Host(TierState tier, string name) =>
        string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{tier.Find(name).Port("mqtt")}");

    private string[] Arguments(TierState tier, int number, int processes) =>
    [
        "pair", "-c", (plan.Devices * 4 / processes).ToString(CultureInfo.InvariantCulture),
        "-t", string.Create(CultureInfo.InvariantCulture, $"recovery/{number}/%i"), "-q", "1", "-C", "false", "-x", "3600", "-R", "1500", "-k", "600",
        "--rate", (plan.Rate / processes).ToString(CultureInfo.InvariantCulture), "-d", string.Create(CultureInfo.InvariantCulture, $"{Seconds}s"), "--drain", "30s",
        "-h", $"{Host(tier, "proxy-3")},{Host(tier, "proxy-1")}", "--publish-to", Host(tier, "proxy-2"),
        "--reconnect", "100ms", "--failover", "--late", string.Create(CultureInfo.InvariantCulture, $"{RecoveryFigures.LateMs}ms"), "--json", "-", "--quiet",
    ];

    private async Task UntilMessagesFlowAsync(TierState tier, IReadOnlyList<LoadProcessHandle> loads, CancellationToken cancellation)
    {
        int management = tier.Find("proxy-2").Port("management")!.Value;
        long start = time.GetTimestamp();
        while ((await Metrics.ReadAsync(management, cancellation)).Sum("trunkline_links_events_total", "event=\"published_qos1\"") == 0)
        {
            if (loads.FirstOrDefault(load => !load.IsRunning) is { } ended)
            {
                LoadReport report = await ended.ReportAsync(cancellation);
                throw new ToolException($"loadtest ended before it published: {report.Fault()}");
            }

            if (time.GetElapsedTime(start) > ConnectPatience)
            {
                throw new ToolException(string.Create(CultureInfo.InvariantCulture, $"loadtest did not begin to publish within {ConnectPatience.TotalSeconds} s."));
            }

            await Task.Delay(Poll, time, cancellation);
        }
    }
}
