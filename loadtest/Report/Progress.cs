using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>Takes the samples of a run and shows each on one line of a terminal, over the one before.</summary>
internal sealed class Progress(RunWatch watch, LoadClock clock, TextWriter? terminal)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private int _width;

    /// <summary>Runs until told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Step, clock.Time, stop);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            await ShowAsync(await watch.SampleAsync());
        }

        if (_width > 0)
        {
            await terminal!.WriteAsync($"\r{new string(' ', _width)}\r");
        }
    }

    private async Task ShowAsync(RunSecond second)
    {
        if (terminal is null)
        {
            return;
        }

        string latency = second.MaxUs > 0 ? $"  p50 {Units.Time(second.P50Us)}  p99 {Units.Time(second.P99Us)}" : "";
        string cpu = string.Concat(second.Processes.Select(process => $"  {process.Name} {Units.Percent(process.CpuShare)}"));
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{second.At,5:0} s  {second.Phase}  connected {Units.Count(second.Connected)}  out {Units.Count(Math.Round(second.PublishRate))}/s  in {Units.Count(Math.Round(second.DeliverRate))}/s{latency}  CPU{cpu}");
        string padding = new(' ', Math.Max(0, _width - line.Length));
        _width = line.Length;
        await terminal.WriteAsync($"\r{line}{padding}");
    }
}
