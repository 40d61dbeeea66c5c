namespace Trunkline.Loadtest;

/// <summary>One sample of a run, about a second long.</summary>
internal sealed record RunSecond
{
    /// <summary>Seconds since the run began.</summary>
    public required double At { get; init; }

    /// <summary>What it was doing.</summary>
    public required string Phase { get; init; }

    /// <summary>Connections that stand.</summary>
    public required long Connected { get; init; }

    /// <summary>New connections a second.</summary>
    public required double ConnectRate { get; init; }

    /// <summary>Messages published a second.</summary>
    public required double PublishRate { get; init; }

    /// <summary>Messages delivered a second.</summary>
    public required double DeliverRate { get; init; }

    /// <summary>Median delivery latency of the second; 0 without messages.</summary>
    public double P50Us { get; init; }

    /// <summary>Its p99.</summary>
    public double P99Us { get; init; }

    /// <summary>Its maximum.</summary>
    public double MaxUs { get; init; }

    /// <summary>The processes.</summary>
    public required IReadOnlyList<ProcessSecond> Processes { get; init; }
}
