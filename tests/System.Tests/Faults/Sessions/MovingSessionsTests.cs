using System.Globalization;
using System.Text.RegularExpressions;
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
public sealed partial class MovingSessionsTests(ITestOutputHelper output)
{
    private static readonly string[] ShortLeases =
    [
        "Directory:LeaseMs=2000",
        "Directory:LeaseRaiseIntervalMs=400",
        "Directory:TakeOverDeadlineMs=500",
        "Directory:OperationDeadlineMs=1000",
        "Directory:ReconnectMaxMs=500",
        "Directory:RecoveringGraceMs=1000",
        "Node:CheckpointIntervalMs=300",
    ];

    [ProgramsFact("redis-server")]
    public Task Proxies_are_killed() => RunAsync("proxy-kill", 21, 2);

    [ProgramsFact("redis-server")]
    public Task Proxies_are_held_longer_than_their_lease() => RunAsync("proxy-freeze", 22, 8);

    [ProgramsFact("redis-server")]
    public Task Proxies_are_asked_to_stop() => RunAsync("proxy-stop", 23, 2);

    [ProgramsFact("redis-server", "redis-cli")]
    public async Task After_Redis_came_back_empty_connected_sessions_are_found_anywhere()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 2, Groups = 2, ProxySettings = ShortLeases });
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

    [ProgramsFact("redis-server", "redis-cli")]
    public async Task Redis_hears_nothing_of_QoS_1_messages()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 2, Groups = 2 });
        int port = tier.Now.Redis[0].Port;
        await using FaultDevice subscriber = await FaultDevice.ConnectAsync(
            tier.Now.Proxies[0].Mqtt, new DeviceOptions { ClientId = "kept", CleanStart = false, Version = ProtocolVersion.Mqtt311 });
        Assert.Equal(ReasonCode.GrantedQoS1, await subscriber.SubscribeAsync("quiet/#", QoS.AtLeastOnce));
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, new DeviceOptions { ClientId = "p" });

        (long idle, TimeSpan idleFor) = await CommandsAsync(port, () => PublishAsync(publisher, 0, TimeSpan.FromSeconds(4)));
        (long busy, TimeSpan busyFor) = await CommandsAsync(port, () => PublishAsync(publisher, 4_000, TimeSpan.FromSeconds(4)));
        await subscriber.AwaitMessagesAsync(4_000);
        output.WriteLine($"{idle} commands in {idleFor.TotalSeconds:0.0} s without, {busy} in {busyFor.TotalSeconds:0.0} s with 4,000 messages.");

        // Two checkpoints a second at most come on top of what leases and due work ask anyway.
        double allowed = (1.2 * idle / idleFor.TotalSeconds * busyFor.TotalSeconds) + 100;
        Assert.True(busy < allowed, $"{busy} commands with 4,000 messages, {allowed:0} allowed");
    }

    private async Task RunAsync(string fault, int seed, int longestAwaySeconds)
    {
        output.WriteLine($"Seed {seed}.");
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 3, Groups = 2, ProxySettings = ShortLeases });
        ChaosOptions options = new()
        {
            Seed = seed,
            Duration = TimeSpan.FromSeconds(25),
            Faults = FaultKinds.Parse(fault),
            PairShare = 0,
            LongestAway = TimeSpan.FromSeconds(longestAwaySeconds),
            Pause = TimeSpan.FromSeconds(4),
            RoamInterval = TimeSpan.FromSeconds(1),

            // Shared subscriptions have promises, and tests, of their own.
            HasShares = false,
        };
        await using ChaosRun run = new(tier.Folder, options, output.WriteLine, TimeProvider.System);
        ChaosVerdict verdict = await run.RunAsync(CancellationToken.None);
        output.WriteLine(verdict.ToJson());
        Assert.True(verdict.Passed, verdict.ToJson());
        Assert.True(verdict.Acknowledged > 1_000, $"Only {verdict.Acknowledged} messages were acknowledged.");
    }

    private static async Task PublishAsync(FaultDevice publisher, int messages, TimeSpan atLeast)
    {
        long start = TimeProvider.System.GetTimestamp();
        for (int n = 0; n < messages; n++)
        {
            Assert.Equal(ReasonCode.Success, await publisher.PublishAsync($"quiet/{n % 50}", "x"));
        }

        await Eventually.HoldsAsync(() => TimeProvider.System.GetElapsedTime(start) >= atLeast, () => "time passes");
    }

    private static async Task<(long Commands, TimeSpan Time)> CommandsAsync(int port, Func<Task> work)
    {
        long before = await CommandsAsync(port);
        long start = TimeProvider.System.GetTimestamp();
        await work();
        return (await CommandsAsync(port) - before, TimeProvider.System.GetElapsedTime(start));
    }

    private static async Task<long> CommandsAsync(int port)
    {
        CommandResult result = await CommandRunner.RunAsync("redis-cli", "-p", port.ToString(CultureInfo.InvariantCulture), "INFO", "commandstats");
        return CallsPattern().Matches(result.EnsureSuccess().Output).Sum(match => long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"calls=(\d+)")]
    private static partial Regex CallsPattern();
}
