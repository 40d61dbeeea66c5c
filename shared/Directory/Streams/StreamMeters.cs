using System.Diagnostics.Metrics;

namespace Trunkline.Directory;

/// <summary>Counters of the streams of foreign groups, shared by all groups of a process. Labels come from the configuration and the code.</summary>
public sealed class StreamMeters
{
    private readonly Counter<long> _operations;
    private readonly Histogram<double> _durations;
    private readonly Counter<long> _recycles;

    /// <summary>Makes the instruments; once a meter.</summary>
    public StreamMeters(Meter meter)
    {
        _operations = meter.CreateCounter<long>("trunkline.stream.operations", null, "Operations on the logs of foreign groups in Redis, by group, name and result");
        _durations = meter.CreateHistogram<double>("trunkline.stream.operation.duration", "s", "Time of an operation on the log of a foreign group in Redis");
        _recycles = meter.CreateCounter<long>("trunkline.stream.recycles", null, "Connections to the logs of foreign groups given up and made again");
    }

    internal void Ended(string group, string operation, DirectoryStatus status, TimeSpan duration)
    {
        _operations.Add(
            1,
            new KeyValuePair<string, object?>("group", group),
            new KeyValuePair<string, object?>("operation", operation),
            new KeyValuePair<string, object?>("result", status == DirectoryStatus.Ok ? "ok" : status == DirectoryStatus.Canceled ? "canceled" : "unavailable"));
        _durations.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("operation", operation));
    }

    internal void Recycled(string group) => _recycles.Add(1, new KeyValuePair<string, object?>("group", group));
}
