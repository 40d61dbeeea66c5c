using System.Diagnostics;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>Promise 8: one group's outage leaves the other alone, and who needs the dead one is told, after a named time.</summary>
[Collection("outages")]
public sealed class GroupAwayTests(OutageTier outage)
{
    private static readonly string Dead = TopicsOf.Group(0, "away").First();
    private static readonly string Alive = TopicsOf.Group(1, "away").First();
    private static readonly string OtherAlive = TopicsOf.Group(1, "away").ElementAt(1);

    [Fact]
    public async Task A_dead_group_answers_with_its_name_and_leaves_the_other_alone()
    {
        await using FaultDevice listener = await ConnectAsync(1, "away-listener");
        await listener.SubscribeAsync(Alive, QoS.AtLeastOnce);
        await outage.Tier.KillAsync("broker-0");
        try
        {
            // What was written to a link before its loss is known stays open; so wait until it is known.
            foreach (int management in outage.Management)
            {
                await Eventually.HoldsAsync(
                    async () => await ManagementClient.MetricAsync(management, "trunkline_link_up", "group=\"group-0\"") == 0,
                    () => "the links to group 0 are known to be lost");
            }

            await PublishesAreRefusedInTimeAsync();
            await QoS0IsDroppedAndCountedAsync();
            await SubscriptionsFailAloneAsync();
            await using FaultDevice publisher = await ConnectAsync(0, "away-publisher");
            Assert.Equal(ReasonCode.Success, await publisher.PublishAsync(Alive, "alive"));
            await listener.AwaitMessagesAsync(1);
            Assert.True(publisher.IsConnected && listener.IsConnected);
        }
        finally
        {
            await outage.Tier.StartAsync("broker-0");
        }

        foreach (int management in outage.Management)
        {
            await Eventually.HoldsAsync(() => ManagementClient.IsReadyAsync(management), () => "the proxies have the group again");
        }

        Assert.Equal(ReasonCode.GrantedQoS1, await listener.SubscribeAsync(Dead, QoS.AtLeastOnce));
        Assert.Equal(ReasonCode.Success, await listener.PublishAsync(Dead, "again"));
        await listener.AwaitMessagesAsync(2);
    }

    private async Task PublishesAreRefusedInTimeAsync()
    {
        await using FaultDevice five = await ConnectAsync(0, "away-5");
        await using FaultDevice three = await ConnectAsync(1, "away-3", ProtocolVersion.Mqtt311);
        Stopwatch watch = Stopwatch.StartNew();
        Task<ReasonCode> atLeastOnce = await five.StartPublishAsync(Dead, "1", QoS.AtLeastOnce);
        Task<ReasonCode> exactlyOnce = await five.StartPublishAsync(Dead, "2", QoS.ExactlyOnce);
        await three.StartPublishAsync(Dead, "3", QoS.AtLeastOnce);

        // The same device may talk to the other group meanwhile.
        Assert.Equal(ReasonCode.Success, await five.PublishAsync(OtherAlive, "4"));
        Assert.True(!atLeastOnce.IsCompleted || watch.ElapsedMilliseconds >= OutageTier.GroupWaitMs, $"refused after {watch.ElapsedMilliseconds} ms");
        Assert.Equal(ReasonCode.QuotaExceeded, await Eventually.InTimeAsync(atLeastOnce, "PUBACK 0x97"));
        Assert.Equal(ReasonCode.QuotaExceeded, await Eventually.InTimeAsync(exactlyOnce, "PUBREC 0x97"));
        DeviceEnd end = await Eventually.InTimeAsync(three.Ended, "the close of the 3.1.1 device");
        Assert.Null(end.Disconnect);
        Assert.True(watch.ElapsedMilliseconds >= OutageTier.GroupWaitMs - 200, $"refused after {watch.ElapsedMilliseconds} ms");
        Assert.True(five.IsConnected);
    }

    private async Task QoS0IsDroppedAndCountedAsync()
    {
        double before = await DroppedAsync();
        await using FaultDevice device = await ConnectAsync(0, "away-0");
        for (int n = 0; n < 10; n++)
        {
            await device.StartPublishAsync(Dead, "gone", QoS.AtMostOnce);
        }

        // The answer comes from the device's loop, the count perhaps from the link's.
        await device.PingAsync();
        await Eventually.HoldsAsync(async () => await DroppedAsync() == before + 10, "ten are counted as dropped");
        Assert.True(device.IsConnected);

        Task<double> DroppedAsync() =>
            ManagementClient.MetricAsync(outage.Management[0], "trunkline_links_events_total", "dropped_away");
    }

    private async Task SubscriptionsFailAloneAsync()
    {
        await using FaultDevice device = await ConnectAsync(1, "away-subscriber");
        Assert.Equal(ReasonCode.GrantedQoS1, await device.SubscribeAsync(OtherAlive, QoS.AtLeastOnce));
        Task<ReasonCode> exact = device.SubscribeAsync(Dead, QoS.AtLeastOnce);
        Task<ReasonCode> everywhere = device.SubscribeAsync("away/everywhere/#", QoS.AtLeastOnce);
        Assert.Equal(ReasonCode.UnspecifiedError, await exact);
        Assert.Equal(ReasonCode.UnspecifiedError, await everywhere);
        Assert.True(device.IsConnected);
    }

    private Task<FaultDevice> ConnectAsync(int proxy, string clientId, ProtocolVersion version = ProtocolVersion.Mqtt50) =>
        FaultDevice.ConnectAsync(outage.Ports[proxy], new DeviceOptions { ClientId = clientId, Version = version });
}
