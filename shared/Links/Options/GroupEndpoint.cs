using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>Where one group of brokers is and what stands there.</summary>
public sealed record GroupEndpoint
{
    /// <summary>The group's name, for logs, metrics and <c>/readyz</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What stands there; a peer that turns out to be something else is refused with a sentence.</summary>
    public required GroupKind Kind { get; init; }

    /// <summary>Dials it.</summary>
    public required ITransportConnector Connector { get; init; }

    /// <summary>User name for brokers that want one, or null.</summary>
    public string? UserName { get; init; }

    /// <summary>Password for brokers that want one, or null.</summary>
    public string? Password { get; init; }

    /// <summary>
    /// Filters on one receive link towards a foreign broker; further ones open further links. Mosquitto 2.0 takes time that
    /// grows with the square of the filters of one connection.
    /// </summary>
    public int MaximumFiltersPerLink { get; init; } = 20_000;

    /// <summary>The log beside a foreign broker, or null: then the group serves sessions while they are connected.</summary>
    public IForeignLog? Log { get; init; }
}

/// <summary>The kinds of broker behind a group.</summary>
public enum GroupKind
{
    /// <summary>Our broker in this process, over memory.</summary>
    Embedded,

    /// <summary>Our broker in a process of its own.</summary>
    Trunkline,

    /// <summary>Any other MQTT 5 broker that passes the probe.</summary>
    Foreign,
}
