using System.Globalization;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 12 under load from sessions that are kept: a Redis that stands still (DEBUG SLEEP), and one that has no memory left
/// (maxmemory 8mb, noeviction). What needs it waits or is refused; nothing acknowledged is lost, nothing comes twice at
/// QoS 2, nobody is disconnected.
/// </summary>
public sealed class RedisMoodUnderLoadTests
{
    private const int MaximumMemory = 8 * 1024 * 1024;

    // How much further than its limit it is filled: what sessions write and delete meanwhile is far less.
    private const int Excess = 1024 * 1024;

    private static readonly DeviceOptions Kept = new() { ClientId = "kept", CleanStart = false, SessionExpirySeconds = 3600 };

    [ProgramsFact("redis-server", "redis-cli")]
    public async Task A_redis_that_sleeps_for_five_seconds_delays_what_is_written_ahead_and_loses_nothing()
    {
        await using Tier tier = await UpAsync();
        await tier.KillAsync("redis-1");
        await File.AppendAllTextAsync(Path.Combine(tier.Folder, "redis-1", "redis.conf"), "enable-debug-command local\n");
        await tier.StartAsync("redis-1");
        await AreLetInAsync(tier);
        await using Traffic traffic = await StartAsync(tier);
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, Kept);
        await publisher.SubscribeAsync("own", QoS.ExactlyOnce);

        Task<CommandResult> sleep = RedisAsync(tier, "DEBUG", "SLEEP", "5");
        await Eventually.HoldsAsync(async () => !await AnswersAsync(tier), "Redis sleeps");
        Task<ReasonCode> held = await publisher.StartPublishAsync("own", "two", QoS.ExactlyOnce);
        Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("other", "one needs no write of its own"));
        await Eventually.LastsAsync(TimeSpan.FromSeconds(2));
        Assert.False(held.IsCompleted, "a QoS 2 message was acknowledged that nobody could write down");
        Assert.False(sleep.IsCompleted, "Redis slept all the time that this looked at");

        (await sleep).EnsureSuccess();
        await FinishAsync(tier, traffic, publisher, held);
    }

    [ProgramsFact("redis-server", "redis-cli")]
    public async Task A_redis_without_memory_delays_what_is_written_ahead_refuses_new_sessions_and_loses_nothing()
    {
        await using Tier tier = await UpAsync();
        await using Traffic traffic = await StartAsync(tier);
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, Kept);
        await publisher.SubscribeAsync("own", QoS.ExactlyOnce);

        (await RedisAsync(tier, "CONFIG", "SET", "maxmemory", "8mb")).EnsureSuccess();
        int ballast = MaximumMemory - await UsedMemoryAsync(tier) + Excess;
        (await RedisAsync(tier, "SETRANGE", "ballast", ballast.ToString(CultureInfo.InvariantCulture), "x")).EnsureSuccess();
        Task<ReasonCode> held = await publisher.StartPublishAsync("own", "two", QoS.ExactlyOnce);
        for (int n = 0; n < tier.Now.Proxies.Count; n++)
        {
            ConnectRefusedException refused = await Assert.ThrowsAsync<ConnectRefusedException>(
                () => FaultDevice.ConnectAsync(tier.Now.Proxies[n].Mqtt, Kept with { ClientId = "late" }));
            Assert.Equal(ReasonCode.ServerUnavailable, refused.Reason);
        }

        // Longer than a lease.
        await Eventually.LastsAsync(TimeSpan.FromSeconds(3));
        Assert.False(held.IsCompleted, "a QoS 2 message was acknowledged that nobody could write down");
        Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("other", "one needs no write of its own"));

        (await RedisAsync(tier, "DEL", "ballast")).EnsureSuccess();
        await FinishAsync(tier, traffic, publisher, held);
    }

    private static Task<Tier> UpAsync() => Tier.UpAsync(new TierOptions { ProxySettings = ShortLeases.Settings });

    private static async Task<Traffic> StartAsync(Tier tier)
    {
        Traffic traffic = await Traffic.StartAsync(
            [.. tier.Now.Proxies.Select(proxy => proxy.Mqtt)], new TrafficOptions { Name = "mood", SubscriberExpirySeconds = 600 });
        await traffic.EveryStreamFlowsAsync(3);
        return traffic;
    }

    private static async Task FinishAsync(Tier tier, Traffic traffic, FaultDevice publisher, Task<ReasonCode> held)
    {
        Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(held, "the acknowledgement"));
        await traffic.EveryStreamFlowsAsync(5);
        await traffic.FinishAsync();
        traffic.AssertUnharmed();
        Assert.Equal("two", Assert.Single(await publisher.AwaitMessagesAsync(1)).Payload);
        foreach (ProxyDescription proxy in tier.Now.Proxies)
        {
            Assert.DoesNotContain("declared dead", tier.ReadLog(proxy.Name), StringComparison.OrdinalIgnoreCase);
        }

        await AreLetInAsync(tier);
    }

    private static async Task AreLetInAsync(Tier tier)
    {
        foreach (ProxyDescription proxy in tier.Now.Proxies)
        {
            await Eventually.HoldsAsync(() => RedisMoodTests.IsLetInAsync(proxy.Mqtt, "late"), "a new device is let in");
        }
    }

    private static async Task<int> UsedMemoryAsync(Tier tier)
    {
        const string Name = "used_memory:";
        string[] lines = (await RedisAsync(tier, "INFO", "memory")).EnsureSuccess().Output.Split('\n', StringSplitOptions.TrimEntries);
        return int.Parse(lines.Single(line => line.StartsWith(Name, StringComparison.Ordinal))[Name.Length..], CultureInfo.InvariantCulture);
    }

    private static async Task<bool> AnswersAsync(Tier tier) =>
        (await CommandRunner.RunAsync("timeout", ["0.3", "redis-cli", "-p", Port(tier), "PING"])).ExitCode == 0;

    private static Task<CommandResult> RedisAsync(Tier tier, params string[] command) =>
        CommandRunner.RunAsync("redis-cli", ["-e", "-p", Port(tier), .. command]);

    private static string Port(Tier tier) => tier.Now.Redis[0].Port.ToString(CultureInfo.InvariantCulture);
}
