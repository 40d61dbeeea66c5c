using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>Two proxies that reach their two groups through relays, so that tests can cut links. Shared by the tests of a class.</summary>
public class RelayedTier : IAsyncLifetime
{
    private readonly List<TcpRelay> _relays = [];

    public Tier Tier { get; private set; } = null!;

    /// <summary>The relay in front of each group.</summary>
    public IReadOnlyList<TcpRelay> Relays => _relays;

    /// <summary>The proxies' MQTT ports.</summary>
    public IReadOnlyList<int> Ports => [.. Tier.Now.Proxies.Select(proxy => proxy.Mqtt)];

    protected virtual string Broker => "trunkline";

    public async Task InitializeAsync() => Tier = await Tier.UpAsync(basePort =>
    {
        // P+3 to P+9 are nobody's in a tier's hundred; the brokers have P+60 and P+62.
        for (int group = 0; group < 2; group++)
        {
            _relays.Add(new TcpRelay(basePort + 3 + group, basePort + 60 + (2 * group)));
        }

        return new TierOptions
        {
            Broker = Broker,
            ProxySettings =
            [
                $"Groups:0:Address=127.0.0.1:{basePort + 3}",
                $"Groups:1:Address=127.0.0.1:{basePort + 4}",
                "Links:KeepAliveSeconds=1",
                "Links:BackoffMaximumMs=500",
                // Longer than any outage here: what waits is kept, not refused.
                "Links:GroupAwayTimeoutMs=120000",
                "Links:SubscribeTimeoutMs=120000",
            ],
        };
    });

    public async Task DisposeAsync()
    {
        await Tier.DisposeAsync();
        foreach (TcpRelay relay in _relays)
        {
            await relay.DisposeAsync();
        }
    }
}

/// <summary>The same with Mosquitto behind the relays.</summary>
public sealed class RelayedMosquittoTier : RelayedTier
{
    protected override string Broker => "mosquitto";
}
