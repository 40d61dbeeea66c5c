using System.Globalization;
using System.Net;
using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 32: a process that runs out of descriptors takes nobody new, keeps everybody it has, and can still dial.</summary>
public sealed class ExhaustionTests(ITestOutputHelper output)
{
    private const int Devices = 30;
    private const int Reserve = 20;

    [ProgramsFact("prlimit")]
    public async Task Without_descriptors_nobody_new_comes_in_and_nobody_is_lost()
    {
        TcpRelay? relay = null;
        await using Tier tier = await Tier.UpAsync(basePort =>
        {
            relay = new TcpRelay(basePort + 3, basePort + 60);
            return new TierOptions
            {
                Proxies = 1,
                Groups = 1,
                Redis = "none",
                ProxySettings =
                [
                    $"Groups:0:Address=127.0.0.1:{basePort + 3}",
                    "Links:BackoffMaximumMs=500",
                    .. Enumerable.Range(0, 4).Select(n => $"Listeners:{n}:DescriptorReserve={Reserve}"),
                ],
            };
        });
        await using TcpRelay links = relay!;
        int pid = tier.Pid("proxy-1");
        int port = tier.Now.Proxies[0].Mqtt;
        int management = tier.Now.Proxies[0].Management;
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(port, "exhausted");
        await healthy.AssertServedAsync();
        Assert.Equal(0, await ManagementClient.MetricAsync(management, "trunkline_listener_pauses_total"));

        // As many as are open and the reserve, then room for some more: fewer than come.
        int open = Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;
        await LimitAsync(pid, open + Reserve + 10);
        List<RawConnection> crowd = [];
        for (int n = 0; n < Devices; n++)
        {
            crowd.Add(await RawConnection.OpenAsync(port, IPAddress.Parse("127.0.8.1")));
        }

        await Eventually.HoldsAsync(
            async () => await ManagementClient.MetricAsync(management, "trunkline_listener_refused_total", "reason=\"descriptors\"") > 3,
            () => "the proxy refuses connections for want of descriptors");
        await tier.LogsAsync("proxy-1", "pauses accepting for 100 ms: only 20 descriptors");
        await healthy.AssertServedAsync();

        // A link that is lost now finds a descriptor to dial again.
        double lost = await ManagementClient.MetricAsync(management, "trunkline_links_events_total", "links_opened");
        links.Reset();
        await Eventually.HoldsAsync(
            async () => await ManagementClient.MetricAsync(management, "trunkline_links_events_total", "links_opened") > lost,
            () => "links are dialled again");
        await healthy.AssertServedAsync();
        crowd.ForEach(connection => connection.Dispose());

        // There is room again: the next one is let in without anybody's help.
        await Eventually.HoldsAsync(IsLetInAsync, () => "a device is let in again");
        await healthy.AssertServedAsync();
        output.WriteLine($"{open} descriptors open, limit {open + Reserve + 10}: "
            + $"{await ManagementClient.MetricAsync(management, "trunkline_listener_refused_total", "descriptors")} of {Devices} refused, "
            + $"{await ManagementClient.MetricAsync(management, "trunkline_listener_pauses_total")} pauses");

        async Task<bool> IsLetInAsync()
        {
            try
            {
                await using FaultDevice device = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = "next" });
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        }
    }

    // The soft limit alone, as ulimit -Sn would.
    private static async Task LimitAsync(int pid, int files) =>
        (await CommandRunner.RunAsync("prlimit", "--pid", pid.ToString(CultureInfo.InvariantCulture), $"--nofile={files}:")).EnsureSuccess();
}
