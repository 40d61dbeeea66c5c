using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>Mosquitto with a small log in Redis, at its limits; and without one.</summary>
public sealed class ForeignLogLimitTests
{
    [ProgramsFact("mosquitto", "redis-server")]
    public async Task A_session_above_its_backlog_or_behind_the_retention_gets_the_newest_and_it_is_counted_and_told()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Proxies = 1,
            Groups = 1,
            Broker = "mosquitto",
            ProxySettings = ["Mqtt:BacklogMessages=100", "Streams:MaximumBytes=65536"],
        });
        int port = tier.Now.Proxies[0].Mqtt;
        int management = tier.Now.Proxies[0].Management;
        DeviceOptions options = new() { ClientId = "limited", SessionExpirySeconds = 3_600 };
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = "publisher" });
        await using (FaultDevice first = await FaultDevice.ConnectAsync(port, options))
        {
            await first.SubscribeAsync("limit/#", QoS.AtLeastOnce);
        }

        await LeftAsync(management);

        // 300 messages of about 100 bytes are within the retention, but only the newest 100 within the limit.
        string[] sent = await PublishAsync(publisher, 300, "");
        await using (FaultDevice back = await FaultDevice.ConnectAsync(port, options with { CleanStart = false }))
        {
            Assert.Equal(sent[200..], (await back.AwaitMessagesAsync(100)).Select(message => message.Payload));
            Assert.Equal(200, await ManagementClient.MetricAsync(management, "trunkline_messages_dropped_total", "reason=\"backlog\""));
            await tier.LogsAsync("proxy-1", "The backlog of session limited at group group-0 was above its limit: 200 messages");

            // What is not acknowledged when it leaves comes first again, and would be counted with the rest below.
            await Eventually.HoldsAsync(
                async () => (await ManagementClient.SessionAsync(management, "limited"))!.Contains("\"inFlightOut\": 0,", StringComparison.Ordinal),
                () => "all is acknowledged");
        }

        await LeftAsync(management);

        // Of 200 messages of a KiB the log keeps less than its limit; what it gave up is no backlog.
        sent = await PublishAsync(publisher, 200, new string('x', 1_000));
        await using (FaultDevice back = await FaultDevice.ConnectAsync(port, options with { CleanStart = false }))
        {
            await back.AwaitMessagesAsync(50);
            await publisher.PublishAsync("limit/a", "end");
            await Eventually.HoldsAsync(() => back.Received.Any(message => message.Payload == "end"), () => "it is live again");
            string[] got = [.. back.Received.Select(message => message.Payload).SkipLast(1)];
            Assert.InRange(got.Length, 50, 65);
            Assert.Equal(sent[^got.Length..], got);
            Assert.Equal(200, await ManagementClient.MetricAsync(management, "trunkline_messages_dropped_total", "reason=\"backlog\""));
            Assert.Equal(1, await ManagementClient.MetricAsync(management, "trunkline_links_events_total", "event=\"backlog_lost\""));
            await tier.LogsAsync("proxy-1", "Group group-0: 1 sessions may miss messages");
        }
    }

    [ProgramsFact("mosquitto")]
    public async Task A_group_without_a_log_says_at_start_what_it_does_not_keep()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 1, Groups = 1, Broker = "mosquitto", ForeignLog = "none" });
        await tier.LogsAsync(
            "proxy-1",
            "Group group-0 has no log (Log: none): what its broker sends while a link or a device is away is not kept, and what it had not stored when it dies is lost.");
    }

    /// <summary>Until the proxy knows that the device is gone: what it sent it until then is in flight, and comes first again.</summary>
    private static Task LeftAsync(int management) => Eventually.HoldsAsync(
        async () => await ManagementClient.MetricAsync(management, "trunkline_connections") == 1, () => "only the publisher is connected");

    private static async Task<string[]> PublishAsync(FaultDevice publisher, int messages, string filling)
    {
        string[] payloads = [.. Enumerable.Range(0, messages).Select(n => $"{n}{filling}")];
        foreach (string[] some in payloads.Chunk(50))
        {
            await Task.WhenAll(some.Select(payload => publisher.PublishAsync("limit/a", payload)));
        }

        return payloads;
    }
}
