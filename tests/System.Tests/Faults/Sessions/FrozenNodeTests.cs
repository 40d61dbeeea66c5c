using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 6: a proxy is held longer than its lease while its device moves, then wakes up. The old connection gets no QoS 2
/// message that the new one got, what it publishes is acknowledged only if it is in the log, and it ends.
/// </summary>
public sealed class FrozenNodeTests(ITestOutputHelper output)
{
    private const int Rounds = 3;
    private const string Death = "its lease stood still";
    private const string Start = " serves: ";

    [ProgramsFact("redis-server")]
    public async Task An_old_connection_gets_nothing_more_that_counts()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { ProxySettings = ShortLeases.Settings });
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, new DeviceOptions { ClientId = "p" });
        await using FaultDevice watcher = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, new DeviceOptions { ClientId = "w" });
        await watcher.SubscribeAsync("old/#", QoS.ExactlyOnce);
        for (int round = 0; round < Rounds; round++)
        {
            await RunAsync(tier, publisher, watcher, round);
        }
    }

    /// <summary>How often a proxy has logged a text.</summary>
    private static int Count(Tier tier, string name, string text) => tier.ReadLog(name).Split(text).Length - 1;

    private async Task RunAsync(Tier tier, FaultDevice publisher, FaultDevice watcher, int round)
    {
        DeviceOptions kept = new() { ClientId = $"kept-{round}", CleanStart = false, SessionExpirySeconds = 3600 };
        await using FaultDevice old = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, kept);
        Assert.Equal(ReasonCode.GrantedQoS2, await old.SubscribeAsync($"to/{round}", QoS.ExactlyOnce));
        var sending = new Sending(publisher, $"to/{round}");
        await old.AwaitMessagesAsync(20);
        int deaths = Count(tier, "proxy-2", Death);
        int starts = Count(tier, "proxy-1", Start);
        FaultDevice now;
        Task<ReasonCode> atLeastOnce;
        Task<ReasonCode> exactlyOnce;
        using (tier.Freeze("proxy-1"))
        {
            now = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, kept with { GoesOnFrom = old });
            Assert.True(now.IsSessionPresent);
            int had = now.Received.Count;
            await now.AwaitMessagesAsync(had + 20);

            // Longer than the lease of 2 s; what the device wrote to the old connection waits in its socket.
            atLeastOnce = await old.StartPublishAsync($"old/{round}", $"one {round}", QoS.AtLeastOnce);
            exactlyOnce = await old.StartPublishAsync($"old/{round}", $"two {round}", QoS.ExactlyOnce);
            await Eventually.HoldsAsync(() => Count(tier, "proxy-2", Death) > deaths, "proxy 2 declares proxy 1 dead");
        }

        await Eventually.InTimeAsync(old.Ended, "the end of the old connection");
        int published = await sending.StopAsync();
        string[] expected = [.. Enumerable.Range(0, published).Select(n => $"{n}")];
        await Eventually.HoldsAsync(
            () => old.Received.Concat(now.Received).Select(message => message.Payload).Distinct().Count() == published,
            () => $"{old.Received.Count} and {now.Received.Count} of {published} came");
        string[] both = [.. old.Received.Concat(now.Received).Select(message => message.Payload)];
        Assert.Equal(expected, both);
        ReasonCode[] answers = [await atLeastOnce, await exactlyOnce];
        output.WriteLine($"Round {round}: {old.Received.Count} before, {now.Received.Count} after; old publishes answered {string.Join(", ", answers)}.");
        foreach ((ReasonCode answer, string payload) in answers.Zip([$"one {round}", $"two {round}"]))
        {
            if (answer == ReasonCode.Success)
            {
                await Eventually.HoldsAsync(
                    () => watcher.Received.Any(message => message.Payload == payload), () => $"\"{payload}\" was acknowledged and came");
            }
        }

        Assert.InRange(watcher.Received.Count(message => message.Payload == $"two {round}"), 0, 1);
        await now.DisposeAsync();

        // Until the dead node has heard of its death it may let devices in, only to send them away.
        await Eventually.HoldsAsync(() => Count(tier, "proxy-1", Start) > starts, "proxy 1 starts anew");
    }

    /// <summary>Publishes numbers at QoS 2 one after the other until it is stopped.</summary>
    private sealed class Sending
    {
        private readonly Task<int> _run;
        private volatile bool _isStopped;

        public Sending(FaultDevice publisher, string topic) => _run = RunAsync(publisher, topic);

        public Task<int> StopAsync()
        {
            _isStopped = true;
            return _run;
        }

        private async Task<int> RunAsync(FaultDevice publisher, string topic)
        {
            int n = 0;
            for (; !_isStopped; n++)
            {
                Assert.Equal(ReasonCode.Success, await publisher.PublishAsync(topic, $"{n}", QoS.ExactlyOnce));
            }

            return n;
        }
    }
}
