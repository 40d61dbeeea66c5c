namespace Trunkline.Tool.Tier;

/// <summary>
/// Which part has which port, counted from the base port P. A drawing says it best:
/// <code>
/// P+0 .. P+2    nginx: mqtt, mqtts, ws
/// P+10 .. P+59  proxies, 5 each: mqtt, mqtts, ws, wss, management
/// P+60 .. P+79  brokers, 2 each: mqtt, management
/// P+80 .. P+85  Redis servers
/// P+86 .. P+88  sentinels
/// P+90 .. P+95  cluster bus of the Redis servers
/// </code>
/// </summary>
internal sealed record PortPlan(int BasePort)
{
    public const int Span = 100;
    public const int MaximumProxies = 10;
    public const int MaximumGroups = 10;

    public int NginxMqtt => BasePort;

    public int NginxMqtts => BasePort + 1;

    public int NginxWebSocket => BasePort + 2;

    /// <summary>A Redis server; they count from 1.</summary>
    public int Redis(int number) => BasePort + 79 + number;

    /// <summary>A sentinel; they count from 1.</summary>
    public int Sentinel(int number) => BasePort + 85 + number;

    /// <summary>Where a Redis server speaks to the others of its Cluster.</summary>
    public int RedisBus(int number) => BasePort + 89 + number;

    /// <summary>First of the five ports of a proxy; proxies count from 1.</summary>
    public int Proxy(int number) => BasePort + 10 + (5 * (number - 1));

    /// <summary>First of the two ports of a group's broker; groups count from 0.</summary>
    public int Broker(int group) => BasePort + 60 + (2 * group);
}
