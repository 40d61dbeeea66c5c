using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>A tier whose leases and waits are short, so that the loss of a broker, of Redis or of a proxy is a matter of seconds.</summary>
public sealed class OutageTier : IAsyncLifetime
{
    /// <summary>How long a publish or a subscription waits for its group, in ms.</summary>
    public const int GroupWaitMs = 1500;

    public Tier Tier { get; private set; } = null!;

    /// <summary>The proxies' MQTT ports.</summary>
    public IReadOnlyList<int> Ports => [.. Tier.Now.Proxies.Select(proxy => proxy.Mqtt)];

    /// <summary>The proxies' management ports.</summary>
    public IReadOnlyList<int> Management => [.. Tier.Now.Proxies.Select(proxy => proxy.Management)];

    public async Task InitializeAsync() => Tier = await Tier.UpAsync(new TierOptions
    {
        ProxySettings =
        [
            $"Links:GroupAwayTimeoutMs={GroupWaitMs}",
            $"Links:SubscribeTimeoutMs={GroupWaitMs}",
            "Links:BackoffMaximumMs=500",
            "Directory:LeaseMs=3000",
            "Directory:LeaseRaiseIntervalMs=500",
            "Directory:OperationDeadlineMs=1000",
            "Directory:ReconnectMaxMs=1000",
            "Directory:RecoveringGraceMs=1000",

            // A session that falls behind on a busy machine catches up: no limit drops what a test counts.
            "Mqtt:BacklogMessages=1000000",
            "Mqtt:BacklogBytes=1073741824",
        ],
    });

    public Task DisposeAsync() => Tier.DisposeAsync().AsTask();
}

/// <summary>Classes that share one <see cref="OutageTier"/>, one test at a time; each leaves it whole.</summary>
[CollectionDefinition("outages")]
public sealed class OutageCollection : ICollectionFixture<OutageTier>;
