using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Bench.Peers;

/// <summary>A tier of ours in a row.</summary>
/// <param name="Slot">0 or 1: two can stand beside each other.</param>
/// <param name="Proxies">Proxy processes.</param>
/// <param name="Groups">Broker processes, one a group.</param>
/// <param name="Redis">Whether the directory stands in Redis; needed by more than one proxy.</param>
internal sealed record TierPlan(int Slot = 0, int Proxies = 1, int Groups = 1, bool Redis = false)
{
    /// <summary>Whose brokers.</summary>
    public BrokerKind Broker { get; init; }

    /// <summary>Where our brokers keep their logs: what <c>./trunkline tier</c> does unless told otherwise.</summary>
    public BrokerStore Store { get; init; }

    /// <summary>What an acknowledged message survives at our brokers.</summary>
    public BrokerCommit Commit { get; init; }

    /// <summary>Where groups with Mosquitto have their logs.</summary>
    public ForeignLogKind? ForeignLog { get; init; }

    /// <summary>Settings of every proxy, Section:Key=value.</summary>
    public IReadOnlyList<string> ProxySettings { get; init; } = [];
}
