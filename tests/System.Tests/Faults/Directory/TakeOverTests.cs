using Trunkline.Clauses;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>Row 21: one client identifier at two proxies has one owner, and whoever was it before hears 0x8E.</summary>
[Collection("outages")]
public sealed class TakeOverTests(OutageTier outage)
{
    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.1.4-3")]
    public async Task A_hundred_connects_in_turn_leave_one_owner()
    {
        const string clientId = "in-turn";
        FaultDevice holder = await ConnectAsync(0, clientId);
        for (int n = 1; n <= 100; n++)
        {
            FaultDevice next = await ConnectAsync(n % 2, clientId);
            DeviceEnd end = await Eventually.InTimeAsync(holder.Ended, $"the end of connection {n - 1}");
            Assert.Equal(ReasonCode.SessionTakenOver, end.Disconnect);
            await holder.DisposeAsync();
            holder = next;
        }

        await HasOneOwnerAsync(clientId, [holder]);
        await holder.DisposeAsync();
    }

    [Fact]
    public async Task Connects_at_once_leave_one_owner()
    {
        for (int round = 0; round < 40; round++)
        {
            string clientId = $"at-once-{round}";
            FaultDevice?[] all = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => TryConnectAsync(n % 2, clientId)));
            FaultDevice[] devices = [.. all.OfType<FaultDevice>()];
            await HasOneOwnerAsync(clientId, devices);
            foreach (FaultDevice device in devices)
            {
                await device.DisposeAsync();
            }
        }
    }

    /// <summary>All but one connection end with 0x8E; the one left is served: what is published to it comes, once.</summary>
    private async Task HasOneOwnerAsync(string clientId, FaultDevice[] devices)
    {
        await Eventually.HoldsAsync(
            () => devices.Count(device => device.IsConnected) <= 1,
            () => $"{devices.Count(device => device.IsConnected)} connections of {clientId} are left");
        FaultDevice owner = Assert.Single(devices, device => device.IsConnected);
        await owner.PingAsync();
        foreach (FaultDevice old in devices.Where(device => device != owner))
        {
            Assert.Equal(ReasonCode.SessionTakenOver, (await old.Ended).Disconnect);
        }

        foreach (int management in outage.Management)
        {
            string? session = await ManagementClient.SessionAsync(management, clientId);
            Assert.NotNull(session);
            Assert.Contains(owner.Address, session, StringComparison.Ordinal);
        }
    }

    private async Task<FaultDevice?> TryConnectAsync(int proxy, string clientId)
    {
        try
        {
            return await ConnectAsync(proxy, clientId);
        }
        catch (ConnectRefusedException refused) when (refused.Reason == ReasonCode.ServerBusy)
        {
            // It lost before it was let in, and CONNACK may not carry 0x8E: 0x89 with the reason in words.
            Assert.Contains("took the client identifier", refused.Message, StringComparison.Ordinal);
            return null;
        }
    }

    private Task<FaultDevice> ConnectAsync(int proxy, string clientId) =>
        FaultDevice.ConnectAsync(outage.Ports[proxy], new DeviceOptions { ClientId = clientId });
}
