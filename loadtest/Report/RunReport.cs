namespace Trunkline.Loadtest;

/// <summary>All that a run found: what --json writes and `compare` reads. Field names are a contract.</summary>
internal sealed record RunReport
{
    /// <summary>Grows when fields change their meaning.</summary>
    public int Format { get; init; } = 1;

    /// <summary>Version of the program.</summary>
    public string Version { get; init; } = "";

    /// <summary>Name of the run.</summary>
    public required string Name { get; init; }

    /// <summary>The pattern.</summary>
    public required string Pattern { get; init; }

    /// <summary>The arguments.</summary>
    public required string Command { get; init; }

    /// <summary>Wall clock at the start.</summary>
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>Cores of this machine.</summary>
    public int Cores { get; init; }

    /// <summary>Load average over the minute before the end.</summary>
    public double LoadAverage { get; init; }

    /// <summary>Whether the user's signal ended it early.</summary>
    public bool IsInterrupted { get; init; }

    /// <summary>Length of the measured time.</summary>
    public double MeasuredSeconds { get; init; }

    /// <summary>Clients asked for.</summary>
    public int Clients { get; init; }

    /// <summary>Connections that stood when all had been tried.</summary>
    public long Connected { get; init; }

    /// <summary>Seconds until then.</summary>
    public double ConnectSeconds { get; init; }

    /// <summary>All counters over the whole run.</summary>
    public required RunCounts Counts { get; init; }

    /// <summary>Messages published a second of the measured time.</summary>
    public double PublishRate { get; init; }

    /// <summary>Messages delivered a second of the measured time.</summary>
    public double DeliverRate { get; init; }

    /// <summary>Payload bytes delivered a second of the measured time.</summary>
    public double DeliverBytesRate { get; init; }

    /// <summary>Cycles a second of churn.</summary>
    public double CycleRate { get; init; }

    /// <summary>Latencies by name: connect, subscribe, ack, lag, delivery, cycle.</summary>
    public required IReadOnlyDictionary<string, LatencySummary> Latencies { get; init; }

    /// <summary>Which of them a bare percentile means.</summary>
    public required string MainLatency { get; init; }

    /// <summary>What CPU is divided by: delivered, published, cycle, connection.</summary>
    public required string Unit { get; init; }

    /// <summary>The processes; this program is the last.</summary>
    public required IReadOnlyList<ProcessReport> Processes { get; init; }

    /// <summary>Storms.</summary>
    public IReadOnlyList<StormResult> Storms { get; init; } = [];

    /// <summary>Why things failed, and how often.</summary>
    public IReadOnlyDictionary<string, long> Reasons { get; init; } = new Dictionary<string, long>();

    /// <summary>Rules and what came of them.</summary>
    public IReadOnlyList<ThresholdResult> Thresholds { get; init; } = [];

    /// <summary>With --late: what came later than that.</summary>
    public IReadOnlyList<LateArrival> Late { get; init; } = [];

    /// <summary>Samples.</summary>
    public IReadOnlyList<RunSecond> Seconds { get; init; } = [];
}
