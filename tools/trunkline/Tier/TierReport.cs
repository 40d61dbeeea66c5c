using System.Text.Json;
using System.Text.Json.Serialization;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Tier;

/// <summary>The JSON object that people and tests read. Its names are a contract; ports are on 127.0.0.1, null where absent.</summary>
internal sealed record TierReport(
    string Dir,
    string Ca,
    IReadOnlyList<ProxyReport> Proxies,
    IReadOnlyList<BrokerReport> Brokers,
    IReadOnlyList<RedisReport> Redis,
    NginxReport? Nginx)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    public static TierReport Of(TierState state) => new(
        state.Folder,
        state.CaFile,
        [.. Select(state, PartKind.Proxy).Select(ProxyReport.Of)],
        [.. Select(state, PartKind.Broker).Select(BrokerReport.Of)],
        [.. Select(state, PartKind.Redis).Select(RedisReport.Of)],
        Select(state, PartKind.Nginx).Select(NginxReport.Of).FirstOrDefault());

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>The id of a part's process; null while it does not run.</summary>
    internal static int? Pid(Part part) => part.IsRunning ? part.Process!.Pid : null;

    private static IEnumerable<Part> Select(TierState state, PartKind kind) => state.Parts.Where(part => part.Kind == kind);
}

/// <summary>A proxy in the report.</summary>
internal sealed record ProxyReport(string Name, int? Pid, int? Mqtt, int? Mqtts, int? Ws, int? Wss, int? Management)
{
    public static ProxyReport Of(Part part) => new(
        part.Name, TierReport.Pid(part), part.Port("mqtt"), part.Port("mqtts"), part.Port("ws"), part.Port("wss"), part.Port("management"));
}

/// <summary>A broker in the report.</summary>
internal sealed record BrokerReport(string Name, int? Group, int? Pid, int? Mqtt, int? Management)
{
    public static BrokerReport Of(Part part) =>
        new(part.Name, part.Group, TierReport.Pid(part), part.Port("mqtt"), part.Port("management"));
}

/// <summary>A Redis process in the report.</summary>
internal sealed record RedisReport(string Name, int? Pid, int? Port, string? Role)
{
    public static RedisReport Of(Part part) => new(part.Name, TierReport.Pid(part), part.Port("port"), part.Role);
}

/// <summary>nginx in the report.</summary>
internal sealed record NginxReport(int? Pid, int? Mqtt, int? Mqtts, int? Ws)
{
    public static NginxReport Of(Part part) =>
        new(TierReport.Pid(part), part.Port("mqtt"), part.Port("mqtts"), part.Port("ws"));
}
