using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// A session that was away while more QoS 2 messages came than may be in flight gets all of them on another proxy, each
/// once and in order, whether its own ended it well or died.
/// </summary>
public sealed class LongAbsenceTests
{
    private const int Messages = 500;

    private static readonly DeviceOptions Kept = new() { ClientId = "kept", CleanStart = false, SessionExpirySeconds = 3600 };

    [ProgramsFact("redis-server")]
    public async Task After_its_own_end_on_another_proxy()
    {
        await using Tier tier = await UpAsync();
        FaultDevice device = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, Kept);
        Assert.Equal(ReasonCode.GrantedQoS2, await device.SubscribeAsync("away/#", QoS.ExactlyOnce));
        await device.DisposeAsync();
        await PublishAsync(tier, 0, Messages);

        await using FaultDevice after = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, Kept);
        AssertAll(await after.AwaitMessagesAsync(Messages));
    }

    [ProgramsFact("redis-server")]
    public async Task After_the_death_of_its_proxy()
    {
        await using Tier tier = await UpAsync();
        FaultDevice device = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, Kept);
        Assert.Equal(ReasonCode.GrantedQoS2, await device.SubscribeAsync("away/#", QoS.ExactlyOnce));
        await PublishAsync(tier, 0, 20);
        await device.AwaitMessagesAsync(20);
        await tier.KillAsync("proxy-1");
        await device.DisposeAsync();
        await PublishAsync(tier, 20, Messages);

        // One client: what the proxy had not seen acknowledged when it died may come again under its packet identifier.
        await using FaultDevice after = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, Kept with { GoesOnFrom = device });
        await after.AwaitMessagesAsync(Messages - 20);
        AssertAll([.. device.Received, .. after.Received]);
    }

    [ProgramsFact("redis-server")]
    public async Task After_the_death_of_its_proxy_with_its_record_full()
    {
        await using Tier tier = await UpAsync("Mqtt:MaximumRecordedOutgoing=16", "Node:CheckpointIntervalMs=100");
        FaultDevice device = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, Kept);
        Assert.Equal(ReasonCode.GrantedQoS2, await device.SubscribeAsync("away/#", QoS.ExactlyOnce));
        await device.DisposeAsync();
        await PublishAsync(tier, 0, Messages);
        FaultDevice back = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, Kept);
        await back.AwaitMessagesAsync(50);
        await tier.KillAsync("proxy-1");
        await back.Ended;

        await using FaultDevice after = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, Kept with { GoesOnFrom = back });
        await after.AwaitMessagesAsync(Messages - back.Received.Count);
        AssertAll([.. back.Received, .. after.Received]);
        await back.DisposeAsync();
    }

    /// <summary>A full record waits for a checkpoint, which then does not wait for its interval: ten of them would be ten minutes.</summary>
    [ProgramsFact("redis-server")]
    public async Task A_record_that_fills_brings_its_checkpoints_early()
    {
        await using Tier tier = await UpAsync("Mqtt:MaximumRecordedOutgoing=16", "Node:CheckpointIntervalMs=60000");
        await using FaultDevice device = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, Kept);
        Assert.Equal(ReasonCode.GrantedQoS2, await device.SubscribeAsync("away/#", QoS.ExactlyOnce));
        await PublishAsync(tier, 0, 160);
        IReadOnlyList<ReceivedMessage> received = await device.AwaitMessagesAsync(160);
        Assert.Equal(Enumerable.Range(0, 160).Select(n => $"{n:D4}"), received.Select(message => message.Payload));
    }

    private static Task<Tier> UpAsync(params string[] settings) => Tier.UpAsync(new TierOptions
    {
        Proxies = 2,
        Groups = 1,
        ProxySettings = [.. ShortLeases.Settings, .. settings],
    });

    private static async Task PublishAsync(Tier tier, int first, int end)
    {
        await using FaultDevice publisher = await FaultDevice.ConnectAsync(tier.Now.Proxies[1].Mqtt, new DeviceOptions { ClientId = "p" });
        List<Task<ReasonCode>> answers = [];
        for (int n = first; n < end; n++)
        {
            answers.Add(await publisher.StartPublishAsync("away/1", $"{n:D4}", QoS.ExactlyOnce));
        }

        Assert.All(await Task.WhenAll(answers), code => Assert.Equal(ReasonCode.Success, code));
    }

    private static void AssertAll(IEnumerable<ReceivedMessage> received) =>
        Assert.Equal(Enumerable.Range(0, Messages).Select(n => $"{n:D4}"), received.Select(message => message.Payload));
}
