using System.Globalization;
using System.Text.Json;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Upstream;

/// <summary>A million devices on a handful of links: what a proxy opens towards its groups, counted on the brokers' ports.</summary>
public sealed class UpstreamConnectionTests
{
    private const int Devices = 1000;

    /// <summary>Two publish links, one a loop, and one receive link.</summary>
    private const int Links = 3;

    private static readonly TierOptions OneProxy = new() { Proxies = 1, ProxySettings = ["Loops=2"] };

    [TierFact]
    public async Task With_our_broker_neither_1000_devices_nor_100000_filters_open_more_than_the_links()
    {
        await using Tier tier = await Tier.UpAsync(OneProxy);
        await ConnectAndTalkAsync(tier, Links);
        await HoldFiltersAsync(tier);
    }

    [TierFact]
    public async Task With_Mosquitto_1000_devices_open_no_more_and_one_that_fetches_retained_messages()
    {
        await using Tier tier = await Tier.UpAsync(OneProxy with { Broker = "mosquitto" });
        await ConnectAndTalkAsync(tier, Links + 1);
    }

    // Each device has a filter of its own; each gets a message from its neighbour.
    private static async Task ConnectAndTalkAsync(Tier tier, int limit)
    {
        int port = tier.Now.Proxies[0].Mqtt;
        await using ConnectionWatch watch = new(tier, limit);
        TestDevice[] devices = new TestDevice[Devices];
        await Parallel.ForAsync(0, Devices, async (n, _) =>
        {
            devices[n] = await TestDevice.ConnectAsync(port);
            Assert.Equal(ReasonCode.GrantedQoS1, await devices[n].SubscribeAsync($"device/{n}/#", QoS.AtLeastOnce));
        });
        await Parallel.ForAsync(0, Devices, async (n, _) =>
            Assert.Equal(ReasonCode.Success, await devices[n].PublishAsync($"device/{(n + 1) % Devices}/x", $"{n}", QoS.AtLeastOnce)));
        for (int n = 0; n < Devices; n++)
        {
            Assert.Equal($"{(n + Devices - 1) % Devices}", (await devices[n].ReceiveAsync()).Text);
        }

        Assert.All(devices, device => Assert.False(device.IsClosed));
        await watch.AssertAsync();
        foreach (TestDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    // Ten devices with ten thousand filters each, all at a time; then each of them still gets its messages.
    private static async Task HoldFiltersAsync(Tier tier)
    {
        const int Holders = 10;
        const int FiltersEach = 10_000;
        const int FiltersPerPacket = 1000;
        int port = tier.Now.Proxies[0].Mqtt;
        await using ConnectionWatch watch = new(tier, Links);
        TestDevice[] devices = new TestDevice[Holders];
        await Parallel.ForAsync(0, Holders, async (n, _) =>
        {
            devices[n] = await TestDevice.ConnectAsync(port, new TestDeviceOptions { Deadline = TimeSpan.FromSeconds(120) });
            for (int first = 0; first < FiltersEach; first += FiltersPerPacket)
            {
                string[] filters = [.. Enumerable.Range(first, FiltersPerPacket).Select(filter => $"many/{n}/{filter}/+")];
                Assert.All(await devices[n].SubscribeAsync(filters, QoS.AtLeastOnce), code => Assert.Equal(ReasonCode.GrantedQoS1, code));
            }
        });

        // A filter with a wildcard in its key stands at every group.
        foreach (BrokerDescription broker in tier.Now.Brokers)
        {
            Assert.Equal(Holders * FiltersEach, await SubscriptionsAsync(broker));
        }

        await Parallel.ForAsync(0, Holders, async (n, _) =>
        {
            foreach (int filter in new[] { 0, FiltersEach / 2, FiltersEach - 1 })
            {
                await devices[n].PublishAsync($"many/{n}/{filter}/x", $"{filter}", QoS.AtLeastOnce);
                Assert.Equal($"{filter}", (await devices[n].ReceiveAsync()).Text);
            }
        });
        await watch.AssertAsync();
        foreach (TestDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    private static async Task<int> SubscriptionsAsync(BrokerDescription broker)
    {
        using HttpClient client = new();
        using JsonDocument page = JsonDocument.Parse(await client.GetStringAsync(
            new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{broker.Management}/statistics"))));
        Assert.Equal(broker.Group == 0 ? "group-0" : "group-1", page.RootElement.GetProperty("group").GetString());
        return page.RootElement.GetProperty("subscriptions").GetInt32();
    }

    /// <summary>Looks at the brokers' ports again and again while the test goes on, and keeps the most it saw.</summary>
    private sealed class ConnectionWatch : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly int[] _ports;
        private readonly int[] _most;
        private readonly int _limit;
        private readonly Tier _tier;
        private readonly Task _watching;

        public ConnectionWatch(Tier tier, int limit)
        {
            _ports = [.. tier.Now.Brokers.Select(broker => broker.Mqtt)];
            _most = new int[_ports.Length];
            _limit = limit;
            _tier = tier;
            _watching = WatchAsync();
        }

        public async Task AssertAsync()
        {
            await StopAsync();
            Assert.True(
                _most.All(most => most >= Links && most <= _limit),
                $"Connections at the brokers: {string.Join(", ", _most)}; {Links} to {_limit} are right.\n{_tier.ReadLog("proxy-1")}");
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _stop.Dispose();
        }

        private async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _watching;
        }

        private async Task<bool> NextAsync(PeriodicTimer pace)
        {
            try
            {
                return await pace.WaitForNextTickAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        private async Task WatchAsync()
        {
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            do
            {
                for (int n = 0; n < _ports.Length; n++)
                {
                    _most[n] = Math.Max(_most[n], TcpTable.EstablishedAt(_ports[n]));
                }
            }
            while (await NextAsync(pace));
        }
    }
}
