using System.Diagnostics;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 29: one subscription to # over 100,000 retained messages, which nobody else notices.</summary>
public sealed class SweepTests(ITestOutputHelper output)
{
    private const int Retained = 100_000;
    private const int Window = 200;

    [TierFact]
    public async Task A_sweep_over_all_retained_messages_gives_each_once_and_disturbs_nobody()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 2, Groups = 2, Redis = "single" });
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, new DeviceOptions { ClientId = "filler" });
        for (int n = 0; n < Retained; n += Window)
        {
            // One window at a time, as a 5.0 client must.
            Task<ReasonCode>[] answers = new Task<ReasonCode>[Window];
            for (int i = 0; i < Window; i++)
            {
                answers[i] = await publisher.StartPublishAsync($"sweep/{i}/{n}", "kept", QoS.AtLeastOnce, retain: true);
            }

            Assert.All(await Task.WhenAll(answers), code => Assert.False(ReasonCodes.IsError(code)));
        }

        int port = tier.Now.Proxies[1].Mqtt;
        await using FaultDevice quiet = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = "quiet" });
        int pid = tier.Pid("proxy-2");
        long before = ManagementClient.ResidentBytes(pid);
        await using FaultDevice sweeper = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = "sweeper" });
        long start = Stopwatch.GetTimestamp();
        Task<ReasonCode> subscribing = sweeper.SubscribeAsync("#", QoS.AtLeastOnce);
        TimeSpan slowest = TimeSpan.Zero;
        await Eventually.HoldsAsync(
            async () =>
            {
                long asked = Stopwatch.GetTimestamp();
                await quiet.PingAsync();
                slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(asked).Ticks));
                return sweeper.Received.Count >= Retained;
            },
            () => $"{sweeper.Received.Count} of {Retained} retained messages came",
            TimeSpan.FromMinutes(2));
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        Assert.Equal(ReasonCode.GrantedQoS1, await subscribing);
        long grown = ManagementClient.ResidentBytes(pid) - before;
        output.WriteLine($"{Retained} retained in {took.TotalSeconds:F1} s, slowest answer to another device {slowest.TotalMilliseconds:F0} ms, RSS grown by {grown >> 10} KiB");
        Assert.Equal(Retained, sweeper.Received.Select(message => message.Topic).Distinct().Count());
        List<ReceivedMessage> all = [.. sweeper.Received];
        string[] repeats = [.. all.GroupBy(message => message.Topic).Where(group => group.Count() > 1).Select(group =>
            $"{group.Key} at {string.Join(", ", group.Select(message => $"{all.IndexOf(message)} (retain {message.Retain}, DUP {message.Duplicate})"))}")];
        Assert.Equal([], repeats);
        Assert.All(sweeper.Received, message => Assert.True(message.Retain));
        Assert.True(grown < 64 << 20, $"RSS has grown by {grown >> 10} KiB");
        Assert.True(slowest < TimeSpan.FromSeconds(5), $"another device waited {slowest}");
    }
}
