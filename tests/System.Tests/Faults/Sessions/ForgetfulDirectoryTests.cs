using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 11: Redis is restarted empty. A device that moves at once, before the node it was at has written its session back,
/// finds its session all the same; and what a device gets while Redis is away is what the policy says.
/// </summary>
public sealed class ForgetfulDirectoryTests
{
    private static readonly DeviceOptions Kept = new() { ClientId = "kept", CleanStart = false, SessionExpirySeconds = 3600 };

    [ProgramsFact("redis-server")]
    public async Task A_device_that_moves_before_its_node_wrote_back_finds_its_session()
    {
        await using Tier tier = await UpAsync("Directory:RecoveringGraceMs=10000", "Directory:LeaseMs=5000");
        FaultDevice device = await ConnectAsync(tier, 0);
        Assert.Equal(ReasonCode.GrantedQoS2, await device.SubscribeAsync("emptied/#", QoS.ExactlyOnce));
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, new DeviceOptions { ClientId = "p" });
        await tier.KillAsync("redis-1");
        Task<FaultDevice> moving;
        using (tier.Freeze("proxy-1"))
        {
            await tier.StartAsync("redis-1");
            await device.DisposeAsync();
            Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("emptied/1", "away", QoS.ExactlyOnce));
            moving = ConnectAsync(tier, 1);
            await Eventually.HoldsAsync(
                async () => await KeepingAsync(tier, 1, "waited_for_recovery") > 0, "the device waits for its session");
            await Eventually.LastsAsync(TimeSpan.FromSeconds(1));
            Assert.False(moving.IsCompleted, "a device was let in although nobody had written its session back");
        }

        await using FaultDevice moved = await moving;
        Assert.True(moved.IsSessionPresent);
        Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("emptied/1", "after", QoS.ExactlyOnce));
        IReadOnlyList<ReceivedMessage> received = await moved.AwaitMessagesAsync(2);
        Assert.Equal(["away", "after"], received.Select(message => message.Payload));
    }

    [ProgramsFact("redis-server")]
    public async Task A_device_that_comes_again_to_its_own_node_finds_its_session()
    {
        await using Tier tier = await UpAsync();
        for (int round = 0; round < 3; round++)
        {
            await using FaultDevice device = await ConnectAsync(tier, 0);
            Assert.Equal(round > 0, device.IsSessionPresent);
            Assert.Equal(ReasonCode.GrantedQoS2, await device.SubscribeAsync("emptied/#", QoS.ExactlyOnce));
            await tier.KillAsync("redis-1");
            if (round == 1)
            {
                await device.DisposeAsync();
            }

            await tier.StartAsync("redis-1");
            await using FaultDevice again = await ConnectAsync(tier, 0);
            Assert.True(again.IsSessionPresent, $"round {round}");
            Assert.Equal(ReasonCode.Success, await again.PublishAsync("emptied/2", $"round {round}", QoS.ExactlyOnce));
            Assert.Equal($"round {round}", (await again.AwaitMessagesAsync(1))[0].Payload);
        }
    }

    [ProgramsFact("redis-server")]
    public async Task By_serve_clean_devices_are_served_while_redis_is_away_and_what_was_kept_is_found_after()
    {
        // A killed Redis has what it answered: with everysec it answers up to two seconds before it writes while the disk lags.
        await using Tier tier = await UpAsync("aof-always", ["Directory:WhenAway=serve-clean"]);
        FaultDevice before = await ConnectAsync(tier, 0);
        Assert.Equal(ReasonCode.GrantedQoS2, await before.SubscribeAsync("kept/#", QoS.ExactlyOnce));
        await before.DisposeAsync();
        await Eventually.HoldsAsync(async () => await KeepingAsync(tier, 0, "detached") == 1, "the session is in the directory");
        await tier.KillAsync("redis-1");

        await using FaultDevice clean = await ConnectAsync(tier, 1);
        Assert.False(clean.IsSessionPresent);
        Assert.Equal(ReasonCode.GrantedQoS2, await clean.SubscribeAsync("now/#", QoS.ExactlyOnce));
        Assert.Equal(ReasonCode.Success, await clean.PublishAsync("now/1", "now", QoS.ExactlyOnce));
        Assert.Equal(ReasonCode.Success, await clean.PublishAsync("kept/1", "kept", QoS.ExactlyOnce));
        Assert.Equal(["now"], (await clean.AwaitMessagesAsync(1)).Select(message => message.Payload));
        Assert.Equal(1, await KeepingAsync(tier, 1, "served_clean"));

        await tier.StartAsync("redis-1");
        await using FaultDevice after = await Eventually.InTimeAsync(ConnectKeptAsync(tier, 0), "the kept session");
        Assert.Equal(["kept"], (await after.AwaitMessagesAsync(1)).Select(message => message.Payload));
        await clean.PingAsync();
        await tier.LogsAsync("proxy-2", "devices that connect now are served clean sessions");
    }

    private static Task<Tier> UpAsync(params string[] settings) => UpAsync("memory", settings);

    private static Task<Tier> UpAsync(string durability, string[] settings) => Tier.UpAsync(new TierOptions
    {
        RedisDurability = durability,
        ProxySettings = [.. ShortLeases.Settings, .. settings],
    });

    /// <summary>Connects, again while the proxy has no directory yet.</summary>
    private static async Task<FaultDevice> ConnectAsync(Tier tier, int proxy)
    {
        FaultDevice? device = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    device = await FaultDevice.ConnectAsync(tier.Now.Proxies[proxy].Mqtt, Kept);
                    return true;
                }
                catch (ConnectRefusedException refused) when (refused.Reason == ReasonCode.ServerUnavailable)
                {
                    return false;
                }
            },
            "the device is let in");
        return device!;
    }

    /// <summary>Connects again until the session of before is found: a proxy that has not seen Redis come back serves a clean one.</summary>
    private static async Task<FaultDevice> ConnectKeptAsync(Tier tier, int proxy)
    {
        while (true)
        {
            FaultDevice device = await ConnectAsync(tier, proxy);
            if (device.IsSessionPresent)
            {
                return device;
            }

            await device.DisposeAsync();
        }
    }

    private static Task<double> KeepingAsync(Tier tier, int proxy, string name) => ManagementClient.MetricAsync(
        tier.Now.Proxies[proxy].Management, "trunkline_keeping_events_total", $"event=\"{name}\"");
}
