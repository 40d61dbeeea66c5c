namespace Trunkline.SystemTests.Infrastructure;

/// <summary>A tier that many test classes share, so that it starts once. Each test keeps to topics and client ids of its own.</summary>
public abstract class SharedTier(TierOptions options) : IAsyncLifetime
{
    private static int _topics;
    private Tier? _tier;

    public Tier Tier => _tier ?? throw new InvalidOperationException("The tier did not start.");

    /// <summary>Ports of the first proxy.</summary>
    public ProxyDescription First => Tier.Now.Proxies[0];

    /// <summary>Ports of the second proxy.</summary>
    public ProxyDescription Second => Tier.Now.Proxies[1];

    public NginxDescription Nginx => Tier.Now.Nginx!;

    /// <summary>Every way from a device into the tier, by name.</summary>
    public IReadOnlyDictionary<string, TestEndpoint> Ways => new Dictionary<string, TestEndpoint>
    {
        ["proxy-1 mqtt"] = First.Mqtt,
        ["proxy-2 mqtt"] = Second.Mqtt,
        ["proxy-1 mqtts"] = new(First.Mqtts, AuthorityFile: Tier.Now.Ca),
        ["proxy-2 ws"] = new(Second.Ws, IsWebSocket: true),
        ["proxy-1 wss"] = new(First.Wss, IsWebSocket: true, Tier.Now.Ca),
        ["nginx mqtt"] = Nginx.Mqtt,
        ["nginx mqtts"] = new(Nginx.Mqtts, AuthorityFile: Tier.Now.Ca),
        ["nginx ws"] = new(Nginx.Ws, IsWebSocket: true),
    };

    /// <summary>A first topic level that nobody else uses.</summary>
    public static string NewTopic() => FormattableString.Invariant($"t{Interlocked.Increment(ref _topics)}");

    public async Task InitializeAsync() => _tier = await Tier.UpAsync(options);

    public async Task DisposeAsync()
    {
        if (_tier is not null)
        {
            await _tier.DisposeAsync();
        }
    }
}

/// <summary>Two proxies, two groups of our own broker, Redis and nginx.</summary>
public sealed class TrunklineTier() : SharedTier(new TierOptions { Nginx = true });

/// <summary>The same with Mosquitto as the groups' brokers.</summary>
public sealed class MosquittoTier() : SharedTier(new TierOptions { Nginx = true, Broker = "mosquitto" });

/// <summary>The classes that share a tier of our brokers; they run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class TrunklineTierGroup : ICollectionFixture<TrunklineTier>
{
    public const string Name = "tier with our brokers";
}

/// <summary>The classes that share a tier of Mosquitto brokers; they run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class MosquittoTierGroup : ICollectionFixture<MosquittoTier>
{
    public const string Name = "tier with Mosquitto";
}
