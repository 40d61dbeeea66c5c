using System.Globalization;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 13 with real processes under load: a broker whose disk gives EIO for a while, for syncs, for writes (and it is killed then), for reads.</summary>
public sealed class FailingDiskTests : IAsyncLifetime
{
    private const int Backlog = 300;
    private readonly string _data = Directory.CreateTempSubdirectory("trunkline-eio-").FullName;
    private Tier _tier = null!;

    public async Task InitializeAsync() => _tier = await Tier.UpAsync(new TierOptions
    {
        Groups = 1,

        // What is not at the end of the log is read from disk.
        BrokerSettings = [$"Broker:DataDirectory={_data}", "Broker:Commit=always", "Broker:LogCacheBytes=4096", "Broker:LogBlockBytes=16384"],
        ProxySettings = [.. ShortLeases.Settings, "Links:GroupAwayTimeoutMs=120000", "Links:BackoffMaximumMs=500"],
    });

    public async Task DisposeAsync()
    {
        await _tier.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [FailingCallsFact]
    public async Task While_syncs_or_writes_fail_nothing_is_acknowledged_QoS_0_goes_on_and_all_that_was_acknowledged_is_kept()
    {
        int[] ports = [.. _tier.Now.Proxies.Select(proxy => proxy.Mqtt)];
        await using Traffic traffic = await Traffic.StartAsync(ports, new TrafficOptions { Name = "eio", SubscriberExpirySeconds = 600 });
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(ports[0], new DeviceOptions { ClientId = "publisher" });
        await using FaultDevice watcher = await FaultDevice.ConnectAsync(ports[1], new DeviceOptions { ClientId = "watcher" });
        await watcher.SubscribeAsync("live", QoS.AtMostOnce);
        await traffic.EveryStreamFlowsAsync(3);

        Task<ReasonCode> open;
        await using (await FailAsync("fdatasync"))
        {
            open = await PublishInVainAsync(publisher);
            await publisher.PublishAsync("live", "QoS 0", QoS.AtMostOnce);
            Assert.Equal("QoS 0", (await watcher.AwaitMessagesAsync(1))[0].Payload);
            await Eventually.LastsAsync(TimeSpan.FromSeconds(1));
            Assert.False(open.IsCompleted, "a message was acknowledged that is not on the disk");
        }

        Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(open, "the acknowledgement when the disk syncs again"));
        await traffic.EveryStreamFlowsAsync(3);

        await using (await FailAsync("pwrite64", "fdatasync"))
        {
            open = await PublishInVainAsync(publisher);
            await Eventually.LastsAsync(TimeSpan.FromSeconds(1));
            Assert.False(open.IsCompleted, "a message was acknowledged that is not on the disk");
            await _tier.KillAsync("broker-0");
        }

        await _tier.StartAsync("broker-0");
        Assert.Equal(ReasonCode.Success, await Eventually.InTimeAsync(open, "the acknowledgement of the next broker"));
        await traffic.EveryStreamFlowsAsync(3);
        await traffic.FinishAsync();
        traffic.AssertUnharmed();
    }

    [FailingCallsFact]
    public async Task While_reads_fail_a_session_that_comes_back_waits_and_gets_everything_when_they_do_not()
    {
        var kept = new DeviceOptions { ClientId = "kept", CleanStart = false, SessionExpirySeconds = 3600 };
        FaultDevice device = await FaultDevice.ConnectAsync(_tier.Now.Proxies[0].Mqtt, kept);
        Assert.Equal(ReasonCode.GrantedQoS1, await device.SubscribeAsync("away/#", QoS.AtLeastOnce));
        await device.DisposeAsync();
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(_tier.Now.Proxies[0].Mqtt, new DeviceOptions { ClientId = "publisher" });
        for (int i = 0; i < Backlog; i++)
        {
            Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("away/t", Text(i) + new string('x', 1_000)));
        }

        FaultDevice back;
        await using (await FailAsync("pread64"))
        {
            back = await FaultDevice.ConnectAsync(_tier.Now.Proxies[1].Mqtt, kept);
            await Eventually.HoldsAsync(async () => await EventsAsync("log_read_failures") >= 2, "reads failed");
            Assert.NotEqual(Backlog, back.Received.Count);
            Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("other", "is acknowledged meanwhile"));
        }

        await using FaultDevice after = back;
        IReadOnlyList<ReceivedMessage> all = await back.AwaitMessagesAsync(Backlog);
        Assert.Equal(Enumerable.Range(0, Backlog).Select(Text), all.Select(message => message.Payload[..3]));
        Assert.Equal(0, await EventsAsync("log_messages_lost"));
        Assert.Equal(0, await EventsAsync("log_unreadable_blocks"));
        await _tier.LogsAsync("broker-0", "links and sessions that read there wait");
    }

    private static string Text(int number) => number.ToString("D3", CultureInfo.InvariantCulture);

    private static async Task<bool> IsFailingAsync(int port) => await ManagementClient.MetricAsync(port, "trunkline_broker_log_failing") > 0;

    private Task<double> EventsAsync(string name) =>
        ManagementClient.MetricAsync(_tier.Now.Brokers[0].Management!.Value, "trunkline_broker_events_total", $"event=\"{name}\"");

    private Task<FailingCalls> FailAsync(params string[] calls) =>
        FailingCalls.BeginAsync(_tier.Pid("broker-0"), Directory.GetFiles(_data, "*.log", SearchOption.AllDirectories), calls);

    /// <summary>A message that is under way while the log fails.</summary>
    private async Task<Task<ReasonCode>> PublishInVainAsync(FaultDevice publisher)
    {
        Task<ReasonCode> open = Task.FromResult(ReasonCode.Success);
        await Eventually.HoldsAsync(
            async () =>
            {
                if (open.IsCompleted)
                {
                    open = await publisher.StartPublishAsync("eio", "kept", QoS.AtLeastOnce);
                }

                return await IsFailingAsync(_tier.Now.Brokers[0].Management!.Value);
            },
            "the log fails");
        return open.IsCompleted ? await publisher.StartPublishAsync("eio", "kept", QoS.AtLeastOnce) : open;
    }
}
