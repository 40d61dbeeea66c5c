using System.Text.Json;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>The JSON object of `tier up` and `tier status`, read by its contract and not by the tool's own types.</summary>
public sealed record TierDescription(
    string Dir,
    string Ca,
    IReadOnlyList<ProxyDescription> Proxies,
    IReadOnlyList<BrokerDescription> Brokers,
    IReadOnlyList<RedisDescription> Redis,
    NginxDescription? Nginx)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = global::System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    public static TierDescription Parse(string json) => JsonSerializer.Deserialize<TierDescription>(json, Json)!;

    /// <summary>The ids of all processes that run.</summary>
    public IReadOnlyList<int> Pids() =>
    [
        .. Proxies.Select(part => part.Pid)
            .Concat(Brokers.Select(part => part.Pid))
            .Concat(Redis.Select(part => part.Pid))
            .Append(Nginx?.Pid)
            .OfType<int>(),
    ];
}

public sealed record ProxyDescription(string Name, int? Pid, int Mqtt, int Mqtts, int Ws, int Wss, int Management);

public sealed record BrokerDescription(string Name, int Group, int? Pid, int Mqtt, int? Management);

public sealed record RedisDescription(string Name, int? Pid, int Port, string Role);

public sealed record NginxDescription(int? Pid, int Mqtt, int Mqtts, int Ws);
