namespace Trunkline.Tool.Tier;

/// <summary>Whose broker serves the groups.</summary>
internal enum BrokerKind
{
    /// <summary>Our own broker process.</summary>
    Trunkline,

    /// <summary>Debian's Mosquitto, as a foreign broker.</summary>
    Mosquitto,
}

/// <summary>Where our brokers keep their logs.</summary>
internal enum BrokerStore
{
    /// <summary>In files of the tier's folder; they survive the broker.</summary>
    File,

    /// <summary>In memory.</summary>
    Memory,
}

/// <summary>What an acknowledged message survives at our brokers, with files.</summary>
internal enum BrokerCommit
{
    /// <summary>The end of the process.</summary>
    Os,

    /// <summary>A power cut.</summary>
    Always,
}

/// <summary>Where foreign groups have their logs.</summary>
internal enum ForeignLogKind
{
    /// <summary>Nowhere: what a broker had not stored when it dies is lost.</summary>
    None,

    /// <summary>In the tier's Redis.</summary>
    Redis,
}

/// <summary>In what form Redis stands.</summary>
internal enum RedisKind
{
    /// <summary>No Redis; only without proxies, or with a single one.</summary>
    None,

    /// <summary>One server.</summary>
    Single,

    /// <summary>A master, a replica, and three sentinels.</summary>
    Sentinel,

    /// <summary>Three masters with a replica each.</summary>
    Cluster,
}

/// <summary>What a tier consists of, as asked for on the command line.</summary>
internal sealed record TierSpecification(
    int BasePort,
    int Proxies,
    int Groups,
    BrokerKind Broker,
    RedisKind Redis,
    bool Nginx)
{
    /// <summary>What Redis keeps: memory, aof-everysec, aof-always, or replicas (one, with aof-everysec).</summary>
    public string RedisDurability { get; init; } = "aof-everysec";

    /// <summary>Where our brokers keep their logs.</summary>
    public BrokerStore Store { get; init; }

    /// <summary>What an acknowledged message survives at our brokers.</summary>
    public BrokerCommit Commit { get; init; }

    /// <summary>Where groups with a foreign broker have their logs; null: in Redis, if there is one.</summary>
    public ForeignLogKind? ForeignLog { get; init; }

    /// <summary>Whether the groups' logs stand in Redis.</summary>
    public bool LogsInRedis => Broker == BrokerKind.Mosquitto && (ForeignLog ?? (Redis == RedisKind.None ? ForeignLogKind.None : ForeignLogKind.Redis)) == ForeignLogKind.Redis;

    /// <summary>Settings handed to every proxy on its command line, as KEY=VALUE.</summary>
    public IReadOnlyList<string> ProxySettings { get; init; } = [];

    /// <summary>Settings handed to every broker of ours on its command line, as KEY=VALUE.</summary>
    public IReadOnlyList<string> BrokerSettings { get; init; } = [];

    /// <summary>A build beside ours; null: every part is of ours.</summary>
    public OtherBuild? Other { get; init; }

    /// <summary>Names of the parts that start as of <see cref="Other"/>.</summary>
    public IReadOnlyList<string> OtherParts { get; init; } = [];

    /// <summary>Refuses, with a sentence, what cannot be started as asked.</summary>
    public void Validate()
    {
        foreach (string refusal in Refusals())
        {
            throw new ToolException(refusal, ExitCodes.Usage);
        }
    }

    private IEnumerable<string> Refusals()
    {
        if (BasePort is < 1024 or > 65535 - PortPlan.Span + 1)
        {
            yield return $"--base-port {BasePort} does not do: a tier takes the {PortPlan.Span} ports from there, and they must lie between 1024 and 65535.";
        }

        if (Proxies is < 0 or > PortPlan.MaximumProxies)
        {
            yield return $"--proxies {Proxies} does not fit: {PortPlan.MaximumProxies} at most have room within {PortPlan.Span} ports.";
        }

        if (Groups is < 0 or > PortPlan.MaximumGroups)
        {
            yield return $"--groups {Groups} does not fit: {PortPlan.MaximumGroups} at most have room within {PortPlan.Span} ports.";
        }

        if (RedisDurability == "replicas" && Redis == RedisKind.Single)
        {
            yield return "--redis-durability replicas needs a replica whose confirmation can be waited for: use --redis sentinel or cluster.";
        }

        if (Proxies > 0 && Groups == 0)
        {
            yield return "--groups 0 leaves the proxies without a broker: give them at least one group.";
        }

        if (Proxies > 1 && Redis == RedisKind.None)
        {
            yield return $"--redis none leaves {Proxies} proxies without a directory in common: use --redis single, or one proxy.";
        }

        if (ForeignLog == ForeignLogKind.Redis && (Broker != BrokerKind.Mosquitto || Redis == RedisKind.None))
        {
            yield return "--foreign-log redis needs --broker mosquitto, whose groups have no log of their own, and a Redis to keep it in.";
        }

        if (Proxies == 0 && Groups == 0 && Redis == RedisKind.None && !Nginx)
        {
            yield return "This tier would have no part at all.";
        }

        if (OtherParts.Count > 0 && Other is null)
        {
            yield return "--other-parts needs --other, the folder of the build that they are of.";
        }

        foreach (string setting in ProxySettings.Concat(BrokerSettings))
        {
            if (setting.IndexOf('=', StringComparison.Ordinal) <= 0)
            {
                yield return $"'{setting}' is not a setting: write Section:Key=value.";
            }
        }
    }
}
