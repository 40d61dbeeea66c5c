using System.Diagnostics;
using System.Globalization;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
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

        await using var canary = await Canary.BeginAsync(port);
        await canary.RunAsync(TimeSpan.FromSeconds(2));
        double quiet = canary.TakePercentile(0.99);
        var watch = Stopwatch.StartNew();
        Task<FaultDevice[]> connecting = ConnectAllAsync(port, sessions);
        Task live = canary.RunUntilAsync(connecting.ContinueWith(_ => { }, TaskScheduler.Default));
        devices = await connecting;
        double connected = watch.Elapsed.TotalSeconds;
        Task upToDate = Task.WhenAll(devices.Select(device => device.AwaitMessagesAsync(missed, TimeSpan.FromSeconds(120))));
        await live;
        await canary.RunUntilAsync(upToDate);
        await upToDate;
        double done = watch.Elapsed.TotalSeconds;
        long after = ManagementClient.ResidentBytes(tier.Pid("proxy-1"));
        double pages = await ManagementClient.MetricAsync(tier.Now.Proxies[0].Management, "trunkline_links_events_total", "\"backlog_scans\"");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            {sessions} sessions of {missed} missed messages: all connected after {connected:F1} s, the last up to date after {done:F1} s, {pages} pages.
            Live traffic p99 {quiet:F1} ms before, {canary.TakePercentile(0.99):F1} ms meanwhile. RSS of the proxy {empty >> 20} MiB with the sessions away, {published >> 20} MiB when all was published, {after >> 20} MiB with all back.
            """));
        Assert.All(devices, device =>
        {
            string[] got = [.. device.Received.Select(message => message.Payload)];
            Assert.Equal(Enumerable.Range(0, missed).Select(n => $"{n:D6}"), got);
        });
        await DisposeAllAsync(devices);
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

    /// <summary>One message after the other from a publisher to a subscriber: how long each takes.</summary>
    private sealed class Canary(FaultDevice publisher, FaultDevice subscriber) : IAsyncDisposable
    {
        private readonly List<double> _times = [];
        private int _sent;

        public static async Task<Canary> BeginAsync(int port)
        {
            FaultDevice subscriber = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = "canary-in" });
            await subscriber.SubscribeAsync("canary/#", QoS.AtLeastOnce);
            return new Canary(await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = "canary-out" }), subscriber);
        }

        public async Task RunAsync(TimeSpan time)
        {
            var watch = Stopwatch.StartNew();
            while (watch.Elapsed < time)
            {
                await OneAsync();
            }
        }

        public async Task RunUntilAsync(Task end)
        {
            do
            {
                await OneAsync();
            }
            while (!end.IsCompleted);
        }

        /// <summary>Milliseconds that so many of the messages since the last call took at most.</summary>
        public double TakePercentile(double share)
        {
            _times.Sort();
            double value = _times[(int)((_times.Count - 1) * share)];
            _times.Clear();
            return value;
        }

        public async ValueTask DisposeAsync()
        {
            await publisher.DisposeAsync();
            await subscriber.DisposeAsync();
        }

        private async Task OneAsync()
        {
            var came = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            subscriber.OnMessage = _ => came.TrySetResult();
            long start = Stopwatch.GetTimestamp();
            await publisher.StartPublishAsync($"canary/{_sent++ % 8}", "now", QoS.AtLeastOnce);
            await Eventually.InTimeAsync(came.Task, "the live message");
            _times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
    }
}
