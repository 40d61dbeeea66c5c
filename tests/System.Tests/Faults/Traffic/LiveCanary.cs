using System.Diagnostics;
using System.Globalization;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;
using Trunkline.Tool.Bench.Load;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Live traffic in a process of its own: pairs that publish and receive at QoS 1 by a fixed clock, so that what a busy test
/// process does is not measured, and every stall counts for all messages that were due in it.
/// </summary>
internal sealed class LiveCanary : IAsyncDisposable
{
    private const int Pairs = 8;
    private readonly LiveProcess _process;
    private readonly string _file;

    private LiveCanary(LiveProcess process, string file)
    {
        _process = process;
        _file = file;
    }

    /// <summary>Starts it, and returns when a message of each pair has arrived; <paramref name="pids"/> are measured beside it.</summary>
    public static async Task<LiveCanary> BeginAsync(int port, params (int Pid, string Name)[] pids)
    {
        await using FaultDevice watcher = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = "canary-watcher" });
        await watcher.SubscribeAsync("canary/#", QoS.AtMostOnce);
        LiveCanary canary = Start(port, [.. pids.SelectMany(process => new[] { "--pid", string.Create(CultureInfo.InvariantCulture, $"{process.Pid}={process.Name}") })]);
        await watcher.AwaitMessagesAsync(Pairs, TimeSpan.FromSeconds(60));
        return canary;
    }

    /// <summary>Runs it for so many messages.</summary>
    public static async Task<LoadReport> RunAsync(int port, int messages)
    {
        await using LiveCanary canary = Start(port, ["-L", messages.ToString(CultureInfo.InvariantCulture)]);
        return await canary.AwaitReportAsync();
    }

    /// <summary>Ends it; what it found.</summary>
    public async Task<LoadReport> EndAsync()
    {
        // Not by SIGINT: a shell starts what it puts into the background with it ignored, and a suite begun so inherits that.
        using (var kill = Process.Start("kill", ["-TERM", _process.Pid.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        return await AwaitReportAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        File.Delete(_file);
    }

    private static LiveCanary Start(int port, string[] further)
    {
        string file = Path.GetTempFileName();
        var process = LiveProcess.Start(
            Path.Combine(Repository.Root, "trunkline"),
            [
                "loadtest", "pair", "-p", port.ToString(CultureInfo.InvariantCulture),
                "-c", (2 * Pairs).ToString(CultureInfo.InvariantCulture), "-t", "canary/%i", "--rate", "200", "-q", "1",
                "--warmup", "0", "-d", "300", "-Q", "--json", file, .. further,
            ]);
        return new LiveCanary(process, file);
    }

    private async Task<LoadReport> AwaitReportAsync()
    {
        int code = await _process.AwaitExitAsync(TimeSpan.FromSeconds(60));
        Assert.True(code == 0, string.Join('\n', _process.Lines));
        return LoadReport.Parse(await File.ReadAllTextAsync(_file));
    }
}
