using Trunkline.Protocol;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 21 for a session that outlives its connections, under traffic: it is taken over again and again, in turn, at once,
/// and many times a second. One owner at a time, the others hear 0x8E, nothing acknowledged is lost, QoS 2 comes once,
/// order is kept.
/// </summary>
[Collection("outages")]
public sealed class FlappingTests(OutageTier outage, ITestOutputHelper output)
{
    [Fact]
    public async Task A_hundred_take_overs_in_turn_lose_nothing_and_keep_order()
    {
        var ledger = new DeliveryLedger();
        DeviceOptions kept = Kept("in-turn-kept", ledger);
        FaultDevice holder = await ConnectAsync(0, kept);
        await holder.SubscribeAsync("in-turn-kept/#", QoS.ExactlyOnce);
        await using Publishing publishing = await Publishing.BeginAsync(outage.Ports, "in-turn-kept", ledger);
        for (int n = 1; n <= 100; n++)
        {
            FaultDevice next = await ConnectAsync(n % 2, kept with { GoesOnFrom = holder, ReadsAfterIt = true });
            Assert.True(next.IsSessionPresent, $"connection {n}");
            Assert.Equal(ReasonCode.SessionTakenOver, (await holder.Ended).Disconnect);
            await holder.DisposeAsync();
            holder = next;
        }

        await publishing.EndAsync();
        await AssertAllCameAsync(ledger, holder);
        Assert.Empty(ledger.OrderViolations());
        output.WriteLine($"{ledger.Acknowledged} acknowledged, none lost, {ledger.RepeatsOfQoS1} repeats at QoS 1.");
        await holder.DisposeAsync();
    }

    [Fact]
    public async Task Take_overs_at_once_leave_one_owner_and_lose_nothing()
    {
        var ledger = new DeliveryLedger();
        DeviceOptions kept = Kept("at-once-kept", ledger) with { ReadsInOrder = true };
        FaultDevice holder = await ConnectAsync(0, kept);
        await holder.SubscribeAsync("at-once-kept/#", QoS.ExactlyOnce);
        await using Publishing publishing = await Publishing.BeginAsync(outage.Ports, "at-once-kept", ledger);
        for (int round = 0; round < 10; round++)
        {
            DeviceOptions again = kept with { GoesOnFrom = holder };
            FaultDevice?[] all = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => TryConnectAsync(n % 2, again)));
            FaultDevice[] devices = [holder, .. all.OfType<FaultDevice>()];
            holder = await OneIsLeftAsync(devices);
        }

        await publishing.EndAsync();
        await AssertAllCameAsync(ledger, holder);
        output.WriteLine($"{ledger.Acknowledged} acknowledged, none lost, {ledger.RepeatsOfQoS1} repeats at QoS 1.");
        await holder.DisposeAsync();
    }

    [Fact]
    public async Task A_device_that_flaps_many_times_a_second_settles()
    {
        const int flaps = 60;
        var ledger = new DeliveryLedger();
        DeviceOptions kept = Kept("flaps-kept", ledger) with { ReadsInOrder = true };
        FaultDevice first = await ConnectAsync(0, kept);
        await first.SubscribeAsync("flaps-kept/#", QoS.ExactlyOnce);
        await using Publishing publishing = await Publishing.BeginAsync(outage.Ports, "flaps-kept", ledger);
        List<Task<FaultDevice?>> dialing = [];
        for (int n = 0; n < flaps; n++)
        {
            // It does not wait for an answer before it tries the other proxy.
            dialing.Add(TryConnectAsync(n % 2, kept with { GoesOnFrom = first }));
            await Eventually.LastsAsync(TimeSpan.FromMilliseconds(20));
        }

        FaultDevice[] devices = [first, .. (await Task.WhenAll(dialing)).OfType<FaultDevice>()];
        FaultDevice owner = await OneIsLeftAsync(devices);
        await publishing.EndAsync();
        await AssertAllCameAsync(ledger, owner);
        output.WriteLine($"{devices.Length - 1} of {flaps} were let in; {ledger.Acknowledged} acknowledged, none lost.");
        await owner.DisposeAsync();
    }

    private static DeviceOptions Kept(string clientId, DeliveryLedger ledger) => new()
    {
        ClientId = clientId,
        CleanStart = false,
        SessionExpirySeconds = 3600,
        OnMessage = message => ledger.Deliver(clientId, message),
    };

    private async Task AssertAllCameAsync(DeliveryLedger ledger, FaultDevice owner)
    {
        string pages = "";
        int looks = 0;
        await Eventually.HoldsAsync(
            async () =>
            {
                // Who reads a failure wants to know what the proxies thought of the session.
                if (++looks % 200 == 0)
                {
                    pages = string.Join('\n', await Task.WhenAll(outage.Management.Select(port => ManagementClient.SessionAsync(port, owner.ClientId))));
                }

                return ledger.Missing(owner.ClientId, _ => true).Count == 0;
            },
            () => $"{ledger.Missing(owner.ClientId, _ => true).Count} lack, {string.Join(", ", ledger.Missing(owner.ClientId, _ => true).Take(10))};"
                + $" the last connection is {(owner.IsConnected ? "open" : $"over: {owner.Ended.GetAwaiter().GetResult()}")};\n{pages}");
        Assert.Empty(ledger.DuplicatesOfQoS2());
        Assert.True(ledger.Acknowledged > 100, $"Only {ledger.Acknowledged} messages were acknowledged.");
    }

    /// <summary>Waits until one connection is left, which is served; the others heard 0x8E.</summary>
    private static async Task<FaultDevice> OneIsLeftAsync(FaultDevice[] devices)
    {
        await Eventually.HoldsAsync(
            () => devices.Count(device => device.IsConnected) <= 1, () => $"{devices.Count(device => device.IsConnected)} connections are left");
        if (!devices.Any(device => device.IsConnected))
        {
            Assert.Fail($"nobody is left: {string.Join(", ", await Task.WhenAll(devices.Select(device => device.Ended)))}");
        }

        FaultDevice owner = Assert.Single(devices, device => device.IsConnected);
        await owner.PingAsync();
        foreach (FaultDevice old in devices.Where(device => device != owner))
        {
            Assert.Equal(ReasonCode.SessionTakenOver, (await old.Ended).Disconnect);
            await old.DisposeAsync();
        }

        return owner;
    }

    private async Task<FaultDevice?> TryConnectAsync(int proxy, DeviceOptions options)
    {
        try
        {
            return await ConnectAsync(proxy, options);
        }
        catch (ConnectRefusedException refused) when (refused.Reason == ReasonCode.ServerBusy)
        {
            return null;
        }
    }

    private Task<FaultDevice> ConnectAsync(int proxy, DeviceOptions options) => FaultDevice.ConnectAsync(outage.Ports[proxy], options);

    /// <summary>
    /// Two publishers, each at a proxy of its own, one message after the other at QoS 1 and at QoS 2; no faster than a session
    /// takes them that writes two records for each, or it would only ever fall behind.
    /// </summary>
    private sealed class Publishing : IAsyncDisposable
    {
        private readonly List<FaultDevice> _devices = [];
        private readonly List<Task> _streams = [];
        private DeliveryLedger? _ledger;
        private volatile bool _isOver;

        public static async Task<Publishing> BeginAsync(IReadOnlyList<int> ports, string name, DeliveryLedger ledger)
        {
            var publishing = new Publishing { _ledger = ledger };
            for (int n = 0; n < 2; n++)
            {
                FaultDevice device = await FaultDevice.ConnectAsync(ports[n], new DeviceOptions { ClientId = $"{name}-p{n}" });
                publishing._devices.Add(device);
                publishing._streams.Add(publishing.RunAsync(device, $"{name}/{n}/one", QoS.AtLeastOnce, ledger));
                publishing._streams.Add(publishing.RunAsync(device, $"{name}/{n}/two", QoS.ExactlyOnce, ledger));
            }

            return publishing;
        }

        /// <summary>Ends when enough was acknowledged to say something of it, which takes a while on a busy machine.</summary>
        public async Task EndAsync()
        {
            await Eventually.HoldsAsync(() => _ledger!.Acknowledged > 100 || _streams.Exists(stream => stream.IsCompleted), () => $"{_ledger!.Acknowledged} messages are acknowledged");
            _isOver = true;
            await Task.WhenAll(_streams);
        }

        public async ValueTask DisposeAsync()
        {
            _isOver = true;
            await Task.WhenAll(_streams);
            foreach (FaultDevice device in _devices)
            {
                await device.DisposeAsync();
            }
        }

        private async Task RunAsync(FaultDevice device, string stream, QoS qos, DeliveryLedger ledger)
        {
            for (int number = 1; !_isOver; number++)
            {
                Assert.Equal(ReasonCode.Success, await device.PublishAsync(stream, DeliveryLedger.Payload(stream, number), qos));
                ledger.Acknowledge(stream, number);
                await Eventually.LastsAsync(TimeSpan.FromMilliseconds(5));
            }
        }
    }
}
