using System.Diagnostics;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Hosting.Tests.Devices;

public sealed class DeviceServerTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_client_identifier_lives_on_one_loop_whatever_loop_accepted_it()
    {
        await using DeviceTier tier = await DeviceTier.StartAsync();
        for (int i = 0; i < 40; i++)
        {
            await using TestDevice device = await TestDevice.ConnectAsync(tier.EndPoint, $"device-{i % 4}");
            SessionContext owner = tier.Server.OwnerOf($"device-{i % 4}");
            Assert.True(await owner.Loop.InvokeAsync(() => owner.Registry.Find($"device-{i % 4}")?.Channel is { IsOpen: true }));
        }
    }

    [Fact]
    public async Task A_second_connection_takes_over_and_the_first_is_told()
    {
        await using DeviceTier tier = await DeviceTier.StartAsync();
        foreach (string clientId in new[] { "a", "b", "c", "d" })
        {
            await using TestDevice first = await TestDevice.ConnectAsync(tier.EndPoint, clientId);
            await using TestDevice second = await TestDevice.ConnectAsync(tier.EndPoint, clientId);

            Assert.Equal(ReasonCode.SessionTakenOver, await first.ReadDisconnectAsync());
        }

        Assert.Equal(4, tier.Gates.Sum(gate => gate.Closes.Count(close => close.Cause == CloseCause.TakenOver)));
    }

    [Fact]
    public async Task Connections_are_counted_where_they_live()
    {
        await using DeviceTier tier = await DeviceTier.StartAsync();
        TestDevice[] devices = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => TestDevice.ConnectAsync(tier.EndPoint, $"device-{i}")));
        int owned = Enumerable.Range(0, 30).Count(i => tier.Server.OwnerOf($"device-{i}") == tier.Contexts[0]);

        Assert.Equal((owned, 30 - owned), (await tier.CountAsync(0), await tier.CountAsync(1)));

        Assert.Equal(0, await tier.Server.ShutDownAsync(Grace));
        Assert.Equal((0, 0), (await tier.CountAsync(0), await tier.CountAsync(1)));
        foreach (TestDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    [Fact]
    public async Task Devices_are_sent_away_spread_over_time_and_served_until_then()
    {
        await using DeviceTier tier = await DeviceTier.StartAsync();
        TestDevice[] devices = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => TestDevice.ConnectAsync(tier.EndPoint, $"device-{i}")));
        long start = Stopwatch.GetTimestamp();
        int early = 0;
        Task sending = tier.Server.SendAwayAsync(perSecond: 20, TimeSpan.FromSeconds(2), count => early = count);
        double[] ends = await Task.WhenAll(devices.Select(async device =>
        {
            Assert.Equal(ReasonCode.ServerShuttingDown, await device.ReadDisconnectAsync());
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }));
        await sending;
        Assert.Equal(0, early);

        // 40 at 20 a second are two seconds; who reads late may see several at once, but never early.
        Array.Sort(ends);
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds >= 1.9);
        for (int i = 0; i < ends.Length; i++)
        {
            Assert.True(ends[i] >= (i / 20.0) - 0.3, $"Device {i} was sent away after {ends[i]} s.");
        }

        Assert.Equal(0, await tier.Server.ShutDownAsync(Grace));
        foreach (TestDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    [Fact]
    public async Task Sending_away_takes_no_longer_than_it_may()
    {
        await using DeviceTier tier = await DeviceTier.StartAsync();
        TestDevice[] devices = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => TestDevice.ConnectAsync(tier.EndPoint, $"device-{i}")));

        // At one a second it would be 40 seconds; what is left for the end is a step's worth.
        int early = 0;
        await tier.Server.SendAwayAsync(perSecond: 1, TimeSpan.FromSeconds(1), count => early = count).WaitAsync(Deadline.Long);
        Assert.Equal(39, early);
        Assert.InRange(await tier.CountAsync(0) + await tier.CountAsync(1), 0, 8);
        Assert.Equal(0, await tier.Server.ShutDownAsync(Grace));
        foreach (TestDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_shutdown_tells_who_is_connected_and_publishes_wills_those_with_a_delay_too()
    {
        await using DeviceTier tier = await DeviceTier.StartAsync();
        await using TestDevice plain = await TestDevice.ConnectAsync(tier.EndPoint, "a", willTopic: "will/now");
        await using TestDevice delayed = await TestDevice.ConnectAsync(tier.EndPoint, "b", willTopic: "will/later", willDelay: 3600, expiry: 7200);

        Assert.Equal(0, await tier.Server.ShutDownAsync(Grace));

        Assert.Equal(ReasonCode.ServerShuttingDown, await plain.ReadDisconnectAsync());
        Assert.Equal(ReasonCode.ServerShuttingDown, await delayed.ReadDisconnectAsync());
        Assert.Equal(["will/later", "will/now"], tier.Router.Topics.Order());
    }

    [Fact]
    public async Task A_shutdown_closes_who_has_not_sent_CONNECT_without_a_word()
    {
        await using DeviceTier tier = await DeviceTier.StartAsync();
        await using TestDevice silent = await TestDevice.DialAsync(tier.EndPoint);
        await using TestDevice half = await TestDevice.DialAsync(tier.EndPoint);
        await half.SendAsync(new byte[] { 0x10, 0x20, 0x00 });

        // A third connection that is served shows that the two before it were accepted.
        await using TestDevice last = await TestDevice.ConnectAsync(tier.EndPoint, "last");
        Assert.Equal(0, await tier.Server.ShutDownAsync(Grace));

        Assert.True(await silent.IsClosedAsync());
        Assert.True(await half.IsClosedAsync());
        Assert.Equal(ReasonCode.ServerShuttingDown, await last.ReadDisconnectAsync());
    }

    [Fact]
    public async Task A_shutdown_refuses_who_waits_for_CONNACK()
    {
        await using DeviceTier tier = await DeviceTier.StartAsync(holds: true);
        await using TestDevice device = await TestDevice.DialAsync(tier.EndPoint);
        await device.SendConnectAsync("waiting");
        await Task.WhenAny(tier.Gates.Select(gate => gate.Asked.Task)).WaitAsync(Deadline.Long);

        Assert.Equal(0, await tier.Server.ShutDownAsync(Grace));

        Assert.Equal(ReasonCode.ServerUnavailable, await device.ReadConnAckAsync());
        Assert.True(await device.IsClosedAsync());
    }

    [Fact]
    public async Task Whoever_comes_after_the_shutdown_is_closed()
    {
        await using DeviceTier tier = await DeviceTier.StartAsync();
        await tier.Server.ShutDownAsync(Grace);

        await using TestDevice late = await TestDevice.DialAsync(tier.EndPoint);
        Assert.True(await late.IsClosedAsync());
    }
}
