using Trunkline.Tool.Bench.Peers;

namespace Trunkline.Tool.Bench;

/// <summary>What was asked for on the command line.</summary>
internal sealed record BenchSettings
{
    /// <summary>Rounds of each row.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Measured seconds of one side of a round.</summary>
    public double Seconds { get; init; } = 4;

    /// <summary>Seconds of load before them.</summary>
    public double WarmUpSeconds { get; init; } = 1;

    /// <summary>Devices of the rows about many devices.</summary>
    public int Devices { get; init; } = 19_000;

    /// <summary>Settings of every proxy that differ from the defaults.</summary>
    public IReadOnlyList<string> ProxySettings { get; init; } = [];

    /// <summary>FlashMQ's binary; null when it cannot be had.</summary>
    public string? FlashMq { get; init; }

    /// <summary>The ports.</summary>
    public PeerPorts Ports { get; init; } = new(22_000);

    /// <summary>Where settings and logs of the processes stand.</summary>
    public required string Folder { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
