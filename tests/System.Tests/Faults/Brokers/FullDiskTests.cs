using System.Diagnostics;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 13 with real processes under load: a broker whose log lies on a disk of its own, a tmpfs, which fills up.</summary>
public sealed class FullDiskTests
{
    private const int BallastBytes = 4 * 1024 * 1024;

    [RootFact]
    public async Task A_broker_on_a_full_disk_acknowledges_nothing_serves_QoS_0_and_goes_on_with_everything_when_there_is_room()
    {
        string disk = Directory.CreateTempSubdirectory("trunkline-full-").FullName;
        await RunAsync("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk);
        try
        {
            await FillAsync(disk);
        }
        finally
        {
            await RunAsync("umount", disk);
            Directory.Delete(disk);
        }
    }

    private static async Task FillAsync(string disk)
    {
        string ballast = Path.Combine(disk, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[BallastBytes]);
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Groups = 1,
            BrokerSettings = [$"Broker:DataDirectory={disk}", "Broker:LogSegmentBytes=1048576"],
            ProxySettings = [.. ShortLeases.Settings, "Links:GroupAwayTimeoutMs=120000", "Links:BackoffMaximumMs=500"],
        });
        int[] ports = [.. tier.Now.Proxies.Select(proxy => proxy.Mqtt)];
        await using Traffic traffic = await Traffic.StartAsync(ports, new TrafficOptions { Name = "full", SubscriberExpirySeconds = 600 });
        await using FaultDevice filler = await FaultDevice.ConnectAsync(ports[0], new DeviceOptions { ClientId = "filler" });
        await using FaultDevice watcher = await FaultDevice.ConnectAsync(ports[1], new DeviceOptions { ClientId = "watcher" });
        await watcher.SubscribeAsync("live", QoS.AtMostOnce);
        await traffic.EveryStreamFlowsAsync(3);

        Task<ReasonCode> last = Task.FromResult(ReasonCode.Success);
        string large = new('x', 100_000);
        await Eventually.HoldsAsync(
            async () =>
            {
                if (last.IsCompleted)
                {
                    last = await filler.StartPublishAsync("filler", large, QoS.AtLeastOnce);
                }

                return await ManagementClient.MetricAsync(tier.Now.Brokers[0].Management!.Value, "trunkline_broker_log_failing") > 0;
            },
            "the disk is full");
        last = last.IsCompleted ? await filler.StartPublishAsync("filler", large, QoS.AtLeastOnce) : last;
        await filler.PublishAsync("live", "QoS 0", QoS.AtMostOnce);
        Assert.Equal("QoS 0", (await watcher.AwaitMessagesAsync(1))[0].Payload);
        await Eventually.LastsAsync(TimeSpan.FromSeconds(2));
        Assert.False(last.IsCompleted, "a message was acknowledged that the disk has no room for");

        File.Delete(ballast);
        Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(last, "the acknowledgement when there is room"));
        await traffic.EveryStreamFlowsAsync(3);

        // What lies on the disk is whole.
        await tier.KillAsync("broker-0");
        await tier.StartAsync("broker-0");
        await traffic.EveryStreamFlowsAsync(3);
        await traffic.FinishAsync();
        traffic.AssertUnharmed();
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
