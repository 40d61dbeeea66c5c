using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>One side of a row: where the load goes, and which load it is.</summary>
/// <param name="Name">Prefix of its values: ours, nginx, mosquitto.</param>
/// <param name="Target">Found anew each round, for processes may have been restarted.</param>
/// <param name="Load">Arguments of loadtest without target and times.</param>
internal sealed record LoadSide(string Name, Func<RowRun, LoadTarget> Target, IReadOnlyList<string> Load)
{
    /// <summary>Runs the load once and writes what it cost.</summary>
    public async Task<LoadReport> RunAsync(RowRun run, double warmUp, double seconds, RoundValues values)
    {
        LoadReport report = await LoadRunner.RunAsync(
            Target(run),
            [.. Load, "--warmup", LoadRunner.Seconds(warmUp), "-d", LoadRunner.Seconds(seconds)],
            run.Cancellation);
        Write(report, values);
        return report;
    }

    private void Write(LoadReport report, RoundValues values)
    {
        LoadProcess[] measured = [.. report.Processes.SkipLast(1)];
        values[$"{Name}.us"] = measured.Sum(process => process.CpuUsPerUnit ?? 0);
        if (measured.Length > 1)
        {
            foreach (LoadProcess process in measured)
            {
                values[$"{Name}.us.{process.Name}"] = process.CpuUsPerUnit ?? 0;
            }
        }

        values[$"{Name}.share"] = measured.Sum(process => process.CpuShare);
        values[$"{Name}.loader"] = report.Processes[^1].CpuShare;
        values[$"{Name}.rate"] = report.Pattern switch
        {
            "churn" => report.CycleRate,
            "pub" => report.PublishRate,
            _ => report.DeliverRate,
        };
        if (report.Latencies.TryGetValue("delivery", out LoadLatency? latency))
        {
            values[$"{Name}.p50"] = latency.P50Us;
            values[$"{Name}.p99"] = latency.P99Us;
        }
        else if (report.Latencies.TryGetValue("ack", out LoadLatency? acknowledged))
        {
            values[$"{Name}.ack50"] = acknowledged.P50Us;
            values[$"{Name}.ack99"] = acknowledged.P99Us;
        }
    }
}
