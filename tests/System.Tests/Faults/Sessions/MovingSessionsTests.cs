using System.Globalization;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool.Chaos;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Rows 1, 3, 20, 34: persistent devices publish and subscribe at QoS 1 and 2, roam between three proxies and leave wills,
/// while proxies are killed, held and stopped. Nothing acknowledged is lost, QoS 2 comes once, order holds, no session is
/// lost, every will comes once and none by a drain.
/// </summary>
public sealed class MovingSessionsTests(ITestOutputHelper output)
{
    [ProgramsFact("redis-server")]
    public Task Proxies_are_killed() => RunAsync("proxy-kill", 21, 2);

    [ProgramsFact("redis-server")]
    public Task Proxies_are_held_longer_than_their_lease() => RunAsync("proxy-freeze", 22, 8);

    [ProgramsFact("redis-server")]
    public Task Proxies_are_asked_to_stop() => RunAsync("proxy-stop", 23, 2);

    /// <summary>Rows 1, 2, 6 and 11 with logs in Redis: nothing less is promised to sessions that outlive their connection.</summary>
    [ProgramsFact("redis-server", "mosquitto")]
    public Task Mosquittos_proxies_and_Redis_are_killed_and_held() =>
        RunAsync("broker-kill,broker-freeze,proxy-kill,redis-kill", 31, 2, new TierOptions
        {
            Broker = "mosquitto",

            // A killed Redis has what it answered: with everysec it answers up to two seconds before it writes while the disk lags.
            RedisDurability = "aof-always",
        });

    [ProgramsFact("redis-server", "redis-cli")]
    public async Task After_Redis_came_back_empty_connected_sessions_are_found_anywhere()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 2, Groups = 2, ProxySettings = ShortLeases.Settings });
        DeviceOptions kept = new() { ClientId = "kept", CleanStart = false, Version = ProtocolVersion.Mqtt311 };
        FaultDevice subscriber = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, kept);
        Assert.Equal(ReasonCode.GrantedQoS2, await subscriber.SubscribeAsync("emptied/#", QoS.ExactlyOnce));
        CommandResult flushed = await CommandRunner.RunAsync(
            "redis-cli", "-p", tier.Now.Redis[0].Port.ToString(CultureInfo.InvariantCulture), "FLUSHALL");
        flushed.EnsureSuccess();

        // Nobody is disconnected, and QoS 2 waits at most until the sessions are written back.
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(
            tier.Now.Proxies[1].Mqtt, new DeviceOptions { ClientId = "p" });
        Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("emptied/1", "before", QoS.ExactlyOnce));
        await subscriber.AwaitMessagesAsync(1);
        await subscriber.DisposeAsync();
        Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("emptied/1", "away", QoS.ExactlyOnce));

        await using FaultDevice after = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, kept);
        IReadOnlyList<ReceivedMessage> received = await after.AwaitMessagesAsync(1);
        Assert.Equal(["away"], received.Select(message => message.Payload));
    }

    private async Task RunAsync(string faults, int seed, int longestAwaySeconds, TierOptions? tierOptions = null)
    {
        output.WriteLine($"Seed {seed}.");
        await using Tier tier = await Tier.UpAsync((tierOptions ?? new TierOptions()) with { Proxies = 3, Groups = 2, ProxySettings = ShortLeases.Settings });
        ChaosOptions options = new()
        {
            Seed = seed,
            Duration = TimeSpan.FromSeconds(25),
            Faults = FaultKinds.Parse(faults),
            PairShare = 0,
            LongestAway = TimeSpan.FromSeconds(longestAwaySeconds),
            Pause = TimeSpan.FromSeconds(4),
            RoamInterval = TimeSpan.FromSeconds(1),

            // On foreign groups shared subscriptions are the broker's own, live.
            HasShares = tierOptions?.Broker != "mosquitto",
        };
        await using ChaosRun run = new(tier.Folder, options, output.WriteLine, TimeProvider.System);
        ChaosVerdict verdict = await run.RunAsync(CancellationToken.None);
        output.WriteLine(verdict.ToJson());
        Assert.True(verdict.Passed, verdict.ToJson());
        Assert.True(verdict.Acknowledged > 1_000, $"Only {verdict.Acknowledged} messages were acknowledged.");
        Assert.NotEmpty(verdict.Faults);
    }
}
