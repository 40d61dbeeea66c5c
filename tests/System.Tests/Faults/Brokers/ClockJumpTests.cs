using System.Globalization;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 15: the wall clock of one process jumps by an hour and by ten years, both ways, under load. Whatever waits for time
/// to pass goes by the monotonic clock, and a log keeps what it has.
/// </summary>
public sealed class ClockJumpTests(ITestOutputHelper output)
{
    private const int Missed = 50;

    private static readonly string[] Jumps = ["+1h", "-1h", "+10y", "-10y", "+0"];

    private static readonly DeviceOptions Kept = new() { ClientId = "kept", CleanStart = false, SessionExpirySeconds = 3600 };

    [ProgramsFact("redis-server", "faketime", "mosquitto_pub")]
    public async Task Of_a_proxy()
    {
        using FakeClock clock = new();
        await using Tier tier = await UpAsync();
        await tier.StopAsync("proxy-1");
        await tier.StartAsync("proxy-1", clock.Apply);
        await MissAsync(tier);
        await using FaultDevice kept = await FaultDevice.ConnectAsync(Ports(tier)[0], new DeviceOptions { ClientId = "alive", KeepAliveSeconds = 60 });
        await using Traffic traffic = await Traffic.StartAsync(Ports(tier), new TrafficOptions { Name = "proxyclock" });
        await JumpAsync(clock, tier, traffic);
        Assert.True(kept.IsConnected);
        await FinishAsync(tier, traffic);
        AssertJumped(tier, "proxy-1");
    }

    [ProgramsFact("redis-server", "faketime", "mosquitto_pub")]
    public async Task Of_a_broker_also_over_its_restarts()
    {
        using FakeClock clock = new();
        await using Tier tier = await UpAsync();
        await tier.StopAsync("broker-0");
        await tier.StartAsync("broker-0", clock.Apply);
        await MissAsync(tier);
        await using Traffic traffic = await Traffic.StartAsync(Ports(tier), new TrafficOptions { Name = "brokerclock" });
        await JumpAsync(clock, tier, traffic);
        foreach (string jump in (string[])["+10y", "-10y", "+0"])
        {
            clock.Jump(jump);
            await tier.KillAsync("broker-0");
            await tier.StartAsync("broker-0", clock.Apply);
            await traffic.EveryStreamFlowsAsync(3);
        }

        await FinishAsync(tier, traffic);
        AssertJumped(tier, "broker-0");
    }

    private static Task<Tier> UpAsync() => Tier.UpAsync(new TierOptions
    {
        Proxies = 2,
        Groups = 1,
        ProxySettings = [.. ShortLeases.Settings, "Links:BackoffMaximumMs=500", "Links:GroupAwayTimeoutMs=120000", "Links:SubscribeTimeoutMs=120000"],
    });

    private static int[] Ports(Tier tier) => [.. tier.Now.Proxies.Select(proxy => proxy.Mqtt)];

    /// <summary>A session is away while messages come for it, some with an expiry far from now.</summary>
    private static async Task MissAsync(Tier tier)
    {
        FaultDevice device = await FaultDevice.ConnectAsync(Ports(tier)[0], Kept);
        Assert.Equal(ReasonCode.GrantedQoS1, await device.SubscribeAsync("missed/#", QoS.AtLeastOnce));
        await device.DisposeAsync();
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(Ports(tier)[1], new DeviceOptions { ClientId = "before" });
        for (int n = 0; n < Missed; n++)
        {
            Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("missed/a", $"{n:D3}"));
        }

        await MosquittoPublisher.PublishAsync(
            Ports(tier)[1], "-V", "5", "-t", "missed/expires", "-m", "expires", "-q", "1", "-D", "publish", "message-expiry-interval", "7200");
    }

    private static async Task JumpAsync(FakeClock clock, Tier tier, Traffic traffic)
    {
        foreach (string jump in Jumps)
        {
            clock.Jump(jump);

            // The library looks at the file once a second; then a lease passes.
            await Eventually.LastsAsync(TimeSpan.FromSeconds(3));
            await traffic.EveryStreamFlowsAsync(3);

            // A device of its own each time: its line in the log tells the clock.
            await using FaultDevice device = await FaultDevice.ConnectAsync(Ports(tier)[0], new DeviceOptions { ClientId = $"at{jump}" });
            await device.PingAsync();
        }
    }

    /// <summary>The process did live by the clock that jumped.</summary>
    private static void AssertJumped(Tier tier, string name)
    {
        int year = TimeProvider.System.GetUtcNow().Year;
        string log = tier.ReadLog(name);
        Assert.Contains($"\n{year + 10}-", log, StringComparison.Ordinal);
        Assert.Contains($"\n{year - 10}-", log, StringComparison.Ordinal);
    }

    private async Task FinishAsync(Tier tier, Traffic traffic)
    {
        await traffic.FinishAsync();
        traffic.AssertUnharmed();
        foreach (ProxyDescription proxy in tier.Now.Proxies)
        {
            Assert.Equal(0, await ManagementClient.MetricAsync(proxy.Management, "trunkline_directory_deaths_total"));
        }

        await using FaultDevice back = await FaultDevice.ConnectAsync(Ports(tier)[0], Kept);
        Assert.True(back.IsSessionPresent);
        await back.AwaitMessagesAsync(Missed);
        Assert.Equal(
            Enumerable.Range(0, Missed).Select(n => n.ToString("D3", CultureInfo.InvariantCulture)),
            back.Received.Where(message => message.Topic == "missed/a").Select(message => message.Payload).Distinct());
        output.WriteLine($"{traffic.Ledger.Acknowledged} acknowledged, 0 lost");
    }
}
