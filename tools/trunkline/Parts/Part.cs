using System.Text.Json.Serialization;
using Trunkline.Tool.Processes;
using Trunkline.Tool.Readiness;

namespace Trunkline.Tool.Parts;

/// <summary>What kind of program a part of a tier is.</summary>
internal enum PartKind
{
    Redis,
    Broker,
    Proxy,
    Nginx,

    /// <summary>Somebody else's program that ours is measured against.</summary>
    Peer,
}

/// <summary>A port that a part listens on; the name is the one in the tier's JSON.</summary>
internal sealed record PartPort(string Name, int Number);

/// <summary>How a part shows that it is ready.</summary>
internal sealed record PartReadiness(ReadinessKind Kind, int Port);

/// <summary>
/// One process of a tier: everything that is needed to start it, again and again, and the process itself while it runs.
/// </summary>
internal sealed record Part(
    string Name,
    PartKind Kind,
    IReadOnlyList<string> Command,
    string Folder,
    IReadOnlyList<PartPort> Ports,
    PartReadiness Readiness)
{
    /// <summary>The group's number, of a broker.</summary>
    public int? Group { get; init; }

    /// <summary>What a Redis server was started as: master, replica or sentinel. A fail-over changes roles, not this.</summary>
    public string? Role { get; init; }

    /// <summary>The process last started; null before the first start and after a stop.</summary>
    public ProcessIdentity? Process { get; init; }

    [JsonIgnore]
    public string LogFile => Path.Combine(Folder, Name + ".log");

    [JsonIgnore]
    public bool IsRunning => Process is { IsRunning: true };

    /// <summary>The port of that name; null when the part has none.</summary>
    public int? Port(string name) => Ports.FirstOrDefault(port => port.Name == name)?.Number;
}
