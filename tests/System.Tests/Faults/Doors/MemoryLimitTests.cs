using System.Globalization;
using System.Net;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.SystemTests.Up;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 32, memory: a process with brokers inside and 150 MB in all takes nobody new when little is left, lets go of what can
/// be let go of, keeps everybody it has, and is not ended by the system.
/// </summary>
public sealed class MemoryLimitTests(ITestOutputHelper output)
{
    private const int Hogs = 300;

    [CgroupFact]
    public async Task In_150_MB_neither_a_growing_log_nor_packets_that_never_end_kill_the_process_or_touch_its_devices()
    {
        // What has to be built is built outside.
        (await Tier.ToolAsync("check")).EnsureSuccess();
        using MemoryCgroup group = MemoryCgroup.Make(150L << 20);
        await using UpProcess up = await UpProcess.StartInAsync(group.Folder);
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(up.Mqtt, "limited");
        await healthy.AssertServedAsync();
        Assert.Equal(150L << 20, await MetricAsync("trunkline_memory_limit_bytes"));

        // A log in memory that would be twice the limit.
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(up.Mqtt, new DeviceOptions { ClientId = "publisher" });
        string payload = new('x', 60_000);
        for (int n = 0; n < 5_000; n += 10)
        {
            ReasonCode[] answers = await Task.WhenAll(Enumerable.Range(n, 10).Select(number => publisher.PublishAsync($"log/{number}", payload)));
            Assert.All(answers, answer => Assert.False(ReasonCodes.IsError(answer)));
        }

        await healthy.AssertServedAsync();
        double dropped = await MetricAsync("trunkline_broker_events_total", "event=\"log_dropped\"");
        output.WriteLine($"300 MB published, {dropped} messages dropped from the logs; {await UsedAsync()}");
        Assert.True(dropped > 0, "the log gave memory back");

        // As many again, amid packets of a megabyte that never end: together twice the limit.
        byte[] head = [.. Packets.Connect(new DeviceOptions { ClientId = "" }), 0x30, 0x80, 0x80, 0x3F];
        byte[] part = new byte[900_000];
        List<RawConnection> hogs = [];
        await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
        {
            for (int n = 0; n < Hogs / 10; n++)
            {
                RawConnection hog = await RawConnection.OpenAsync(up.Mqtt, IPAddress.Parse("127.0.8.9"));
                lock (hogs)
                {
                    hogs.Add(hog);
                }

                await hog.SendAsync(head);
                await hog.SendAsync(part);
            }
        }));
        double refused = 0;
        double shed = 0;
        await Eventually.HoldsAsync(
            async () =>
            {
                refused = await MetricAsync("trunkline_listener_refused_total", "reason=\"memory\"");
                shed = await MetricAsync("trunkline_listener_closed_total", "reason=\"memory_short\"");
                return refused + shed > Hogs / 3;
            },
            () => $"a third of the connections is refused or closed ({refused} and {shed} so far)");
        output.WriteLine($"{Hogs} connections amid a packet: {refused} refused, {shed} closed; {await UsedAsync()}");
        await healthy.AssertServedAsync();
        hogs.ForEach(hog => hog.Dispose());

        // There is room again: the next one is let in without anybody's help.
        await Eventually.HoldsAsync(IsLetInAsync, () => "a device is let in again");
        await healthy.AssertServedAsync();
        Assert.False(up.Process.HasExited);
        // Who reads a failure wants to know what it was.
        foreach (string line in up.Process.Lines.Where(line => line.Contains("Fault on loop", StringComparison.Ordinal)).Take(3))
        {
            output.WriteLine(line);
        }

        Assert.Equal(0, await MetricAsync("trunkline_loop_faults_total"));

        async Task<double> MetricAsync(string name, string labels = "")
        {
            try
            {
                return await ManagementClient.MetricAsync(up.Management, name, labels);
            }
            catch (HttpRequestException exception)
            {
                throw new InvalidOperationException($"No answer to a scrape. The process:\n{string.Join('\n', up.Process.Lines.TakeLast(60))}", exception);
            }
        }

        async Task<string> UsedAsync()
        {
            double used = await MetricAsync("trunkline_memory_used_bytes");
            double level = await MetricAsync("trunkline_memory_level");
            return string.Create(CultureInfo.InvariantCulture, $"{used / (1 << 20):F0} MiB in use, level {level}");
        }

        async Task<bool> IsLetInAsync()
        {
            try
            {
                await using FaultDevice device = await FaultDevice.ConnectAsync(up.Mqtt, new DeviceOptions { ClientId = "next" });
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        }
    }
}
