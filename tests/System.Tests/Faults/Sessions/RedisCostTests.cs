using System.Globalization;
using System.Text.RegularExpressions;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// What kept sessions cost Redis, counted by Redis itself (INFO commandstats): nothing that grows with QoS 1 messages or with
/// sessions, and a stated number of writes per QoS 2 message.
/// </summary>
public sealed partial class RedisCostTests(ITestOutputHelper output)
{
    private const int Messages = 4_000;
    private const int Sessions = 200;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(4);

    [ProgramsFact("redis-server", "redis-cli")]
    public async Task Redis_hears_nothing_of_QoS_1_messages_however_many_sessions_get_them()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions());
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, new DeviceOptions { ClientId = "p" });
        await using FaultDevice one = await SubscribeAsync(tier, "kept", QoS.AtLeastOnce);
        Count idle = await CountAsync(tier, () => Task.CompletedTask);
        Count few = await CountAsync(tier, () => PublishAsync(publisher, QoS.AtLeastOnce, Messages, 1));
        await one.AwaitMessagesAsync(Messages);

        FaultDevice[] many = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(n => SubscribeAsync(tier, $"kept-{n}", QoS.AtLeastOnce)));
        Count all = await CountAsync(tier, () => PublishAsync(publisher, QoS.AtLeastOnce, Messages / 10, 1));
        await Task.WhenAll(many.Select(device => device.AwaitMessagesAsync(Messages / 10)));
        foreach (FaultDevice device in many)
        {
            await device.DisposeAsync();
        }

        output.WriteLine($"QoS 1, Redis commands a second: {idle.PerSecond:0} without messages, {few.PerSecond:0} while {Messages} came to 1 session in {few.Seconds:0.0} s, "
            + $"{all.PerSecond:0} while {Messages / 10} came to each of {Sessions + 1} sessions in {all.Seconds:0.0} s.");

        // A checkpoint a second of each node comes on top of what leases and due work ask anyway.
        double allowed = (1.2 * idle.PerSecond) + 25;
        Assert.True(few.PerSecond < allowed, $"{few.PerSecond:0} commands a second with {Messages} messages, {allowed:0} allowed");
        Assert.True(all.PerSecond < allowed, $"{all.PerSecond:0} commands a second with {Sessions} sessions, {allowed:0} allowed");
    }

    [ProgramsFact("redis-server", "redis-cli")]
    public Task A_QoS_2_message_alone_costs_Redis_two_writes_a_hop() => QoS2Async(1, 4.2);

    [ProgramsFact("redis-server", "redis-cli")]
    public Task QoS_2_messages_together_share_writes() => QoS2Async(64, 3);

    private async Task QoS2Async(int atATime, double allowed)
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions());
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(
            tier.Now.Proxies[1].Mqtt, new DeviceOptions { ClientId = "p", SessionExpirySeconds = 3600 });
        await using FaultDevice subscriber = await SubscribeAsync(tier, "kept", QoS.ExactlyOnce);
        Count idle = await CountAsync(tier, () => Task.CompletedTask);
        Count busy = await CountAsync(tier, async () =>
        {
            await PublishAsync(publisher, QoS.ExactlyOnce, Messages / 4, atATime);
            await subscriber.AwaitMessagesAsync(Messages / 4);
        });
        double calls = (busy.Calls - (idle.CallsPerSecond * busy.Seconds)) / (Messages / 4);
        double commands = (busy.Commands - (idle.PerSecond * busy.Seconds)) / (Messages / 4);
        output.WriteLine($"QoS 2, {atATime} at a time, publisher and subscriber kept: {calls:0.00} calls (scripts) a message, {commands:0.0} commands with those inside scripts.");
        Assert.True(calls < allowed, $"{calls:0.00} calls a message, {allowed} allowed");
    }

    private static async Task<FaultDevice> SubscribeAsync(Tier tier, string clientId, QoS qos)
    {
        FaultDevice device = await FaultDevice.ConnectAsync(
            tier.Now.Proxies[0].Mqtt, new DeviceOptions { ClientId = clientId, SessionExpirySeconds = 3600 });
        Assert.Equal((ReasonCode)qos, await device.SubscribeAsync("cost/#", qos));
        return device;
    }

    private static async Task PublishAsync(FaultDevice publisher, QoS qos, int messages, int atATime)
    {
        Queue<Task<ReasonCode>> open = new();
        for (int n = 0; n < messages; n++)
        {
            open.Enqueue(await publisher.StartPublishAsync($"cost/{n % 50}", "x", qos));
            if (open.Count >= atATime)
            {
                Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(open.Dequeue(), "an acknowledgement"));
            }
        }

        await Task.WhenAll(open);
    }

    /// <summary>Counts what Redis does during some work, for a few seconds at least.</summary>
    private static async Task<Count> CountAsync(Tier tier, Func<Task> work)
    {
        int port = tier.Now.Redis[0].Port;
        (long calls, long commands) = await ReadAsync(port);
        long start = TimeProvider.System.GetTimestamp();
        await work();
        await Eventually.HoldsAsync(() => TimeProvider.System.GetElapsedTime(start) >= Window, () => "time passes");
        double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        (long callsAfter, long commandsAfter) = await ReadAsync(port);
        return new Count(callsAfter - calls, commandsAfter - commands, seconds);
    }

    private static async Task<(long Calls, long Commands)> ReadAsync(int port)
    {
        CommandResult result = await CommandRunner.RunAsync("redis-cli", "-p", port.ToString(CultureInfo.InvariantCulture), "INFO", "commandstats");
        (string Name, long Calls)[] all =
        [
            .. CallsPattern().Matches(result.EnsureSuccess().Output)
                .Select(match => (match.Groups[1].Value, long.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture))),
        ];
        return (all.Where(command => command.Name.StartsWith("eval", StringComparison.Ordinal)).Sum(command => command.Calls), all.Sum(command => command.Calls));
    }

    [GeneratedRegex(@"cmdstat_(\S+?):calls=(\d+)")]
    private static partial Regex CallsPattern();

    /// <summary>What Redis counted: calls of scripts, and commands with those inside scripts.</summary>
    private sealed record Count(long Calls, long Commands, double Seconds)
    {
        public double PerSecond => Commands / Seconds;

        public double CallsPerSecond => Calls / Seconds;
    }
}
