using System.Diagnostics;
using System.Globalization;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool.Bench.Load;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 20 with a backlog: many sessions return at once, each to messages it missed. In the standing suite with few; full
/// size by TRUNKLINE_RETURNING, for example 10000x100.
/// </summary>
public sealed class ReturningTests(ITestOutputHelper output)
{
    [TierFact]
    public async Task Sessions_that_return_together_are_up_to_date_soon_and_live_traffic_goes_on()
    {
        string[] size = (Environment.GetEnvironmentVariable("TRUNKLINE_RETURNING") ?? "500x20").Split('x');
        int sessions = int.Parse(size[0], CultureInfo.InvariantCulture);
        int missed = int.Parse(size[1], CultureInfo.InvariantCulture);
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 1, Redis = "none" });
        int port = tier.Now.Proxies[0].Mqtt;
        FaultDevice[] devices = await ConnectAllAsync(port, sessions);
        await Parallel.ForEachAsync(devices, Parallelism, async (device, _) => await device.SubscribeAsync($"{device.ClientId}/in", QoS.AtLeastOnce));
        await DisposeAllAsync(devices);
        long empty = ManagementClient.ResidentBytes(tier.Pid("proxy-1"));
        await PublishAsync(port, sessions, missed);
        long published = ManagementClient.ResidentBytes(tier.Pid("proxy-1"));

        LoadReport before = await LiveCanary.RunAsync(port, messages: 600);
        (int Pid, string Name)[] parts = [(tier.Pid("proxy-1"), "proxy"), .. tier.Now.Brokers.Select(broker => (tier.Pid(broker.Name), "brokers"))];
        await using LiveCanary canary = await LiveCanary.BeginAsync(port, parts);
        var watch = Stopwatch.StartNew();
        devices = await ConnectAllAsync(port, sessions);
        double connected = watch.Elapsed.TotalSeconds;
        await Task.WhenAll(devices.Select(device => device.AwaitMessagesAsync(missed, TimeSpan.FromSeconds(120))));
        double done = watch.Elapsed.TotalSeconds;
        LoadReport live = await canary.EndAsync();
        long after = ManagementClient.ResidentBytes(tier.Pid("proxy-1"));
        double pages = await ManagementClient.MetricAsync(tier.Now.Proxies[0].Management, "trunkline_links_events_total", "\"backlog_scans\"");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            {sessions} sessions of {missed} missed messages: all connected after {connected:F1} s, the last up to date after {done:F1} s, {pages} pages.
            Live traffic before: {Text(before)}; meanwhile: {Text(live)}.
            CPU meanwhile: {string.Join(", ", live.Processes.Select(process => string.Create(CultureInfo.InvariantCulture, $"{process.Name} {process.CpuSeconds:F1} s")))}.
            RSS of the proxy {empty >> 20} MiB with the sessions away, {published >> 20} MiB when all was published, {after >> 20} MiB with all back.
            """));
        Assert.Null(before.Fault());

        // The signal ends it with messages on their way: those are no loss.
        Assert.Equal((0L, 0L, 0L), (live.Counts.Disconnects, live.Counts.Refused, live.Counts.Duplicates));
        Assert.All(devices, device =>
        {
            string[] got = [.. device.Received.Select(message => message.Payload)];
            Assert.Equal(Enumerable.Range(0, missed).Select(n => $"{n:D6}"), got);
        });
        await DisposeAllAsync(devices);
    }

    private static string Text(LoadReport report)
    {
        LoadLatency delivery = report.Latencies["delivery"];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{delivery.Count} messages, p50 {delivery.P50Us / 1000:F1} ms, p99 {delivery.P99Us / 1000:F1} ms, max {delivery.MaxUs / 1000:F1} ms");
    }

    private static ParallelOptions Parallelism => new() { MaxDegreeOfParallelism = 64 };

    private static async Task<FaultDevice[]> ConnectAllAsync(int port, int count)
    {
        var devices = new FaultDevice[count];
        await Parallel.ForEachAsync(Enumerable.Range(0, count), Parallelism, async (n, _) => devices[n] = await FaultDevice.ConnectAsync(
            port, new DeviceOptions { ClientId = $"d{n}", CleanStart = false, SessionExpirySeconds = 3600 }));
        return devices;
    }

    private static Task DisposeAllAsync(FaultDevice[] devices) =>
        Parallel.ForEachAsync(devices, Parallelism, async (device, _) => await device.DisposeAsync());

    /// <summary>Four publishers, each for a quarter of the sessions, with a window of messages under way.</summary>
    private static Task PublishAsync(int port, int sessions, int messages) => Task.WhenAll(Enumerable.Range(0, 4).Select(async part =>
    {
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = $"p{part}" });
        Queue<Task<ReasonCode>> open = new();
        for (int n = 0; n < messages; n++)
        {
            for (int session = part; session < sessions; session += 4)
            {
                open.Enqueue(await publisher.StartPublishAsync($"d{session}/in", $"{n:D6}", QoS.AtLeastOnce));
                if (open.Count >= 200)
                {
                    Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(open.Dequeue(), "an acknowledgement"));
                }
            }
        }

        await Task.WhenAll(open);
    }));
}
