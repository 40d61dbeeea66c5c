using System.Globalization;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>What a test wants of a tier; the defaults are the tier that most tests want.</summary>
public sealed record TierOptions
{
    public int Proxies { get; init; } = 2;

    public int Groups { get; init; } = 2;

    /// <summary>trunkline or mosquitto.</summary>
    public string Broker { get; init; } = "trunkline";

    /// <summary>none, single, sentinel or cluster.</summary>
    public string Redis { get; init; } = "single";

    /// <summary>memory, aof-everysec, aof-always or replicas.</summary>
    public string RedisDurability { get; init; } = "aof-everysec";

    /// <summary>none or redis, for Mosquitto; null: what the tool takes.</summary>
    public string? ForeignLog { get; init; }

    public bool Nginx { get; init; }

    /// <summary>Settings of every proxy, as Section:Key=value.</summary>
    public IReadOnlyList<string> ProxySettings { get; init; } = [];

    /// <summary>Settings of every broker of ours, as Section:Key=value.</summary>
    public IReadOnlyList<string> BrokerSettings { get; init; } = [];

    /// <summary>Seconds for each part to become ready.</summary>
    public int TimeoutSeconds { get; init; } = 60;

    internal IEnumerable<string> Arguments()
    {
        yield return "--proxies";
        yield return Proxies.ToString(CultureInfo.InvariantCulture);
        yield return "--groups";
        yield return Groups.ToString(CultureInfo.InvariantCulture);
        yield return "--broker";
        yield return Broker;
        yield return "--redis";
        yield return Redis;
        yield return "--redis-durability";
        yield return RedisDurability;
        yield return "--timeout";
        yield return TimeoutSeconds.ToString(CultureInfo.InvariantCulture);
        if (ForeignLog is not null)
        {
            yield return "--foreign-log";
            yield return ForeignLog;
        }

        if (Nginx)
        {
            yield return "--nginx";
        }

        foreach (string setting in ProxySettings)
        {
            yield return "--proxy-set";
            yield return setting;
        }

        foreach (string setting in BrokerSettings)
        {
            yield return "--broker-set";
            yield return setting;
        }
    }
}
