using System.Diagnostics.Metrics;

namespace Trunkline.Directory;

/// <summary>Counters of the directory. Tags come from the code, never from devices.</summary>
internal sealed class DirectoryMeters
{
    private readonly Counter<long> _operations;
    private readonly Histogram<double> _durations;
    private readonly Counter<long> _recycles;
    private readonly Counter<long> _takeOvers;
    private readonly Counter<long> _deaths;

    internal DirectoryMeters(Meter meter, Func<int> state, Func<int> nodes)
    {
        _operations = meter.CreateCounter<long>("trunkline.directory.operations", null, "Directory operations by name and result");
        _durations = meter.CreateHistogram<double>("trunkline.directory.operation.duration", "s", "Time of a directory operation");
        _recycles = meter.CreateCounter<long>("trunkline.directory.recycles", null, "Directory connections given up and made again");
        _takeOvers = meter.CreateCounter<long>("trunkline.directory.takeovers", null, "Take-overs asked of other nodes and by them, by result");
        _deaths = meter.CreateCounter<long>("trunkline.directory.deaths", null, "Nodes declared dead by this one, and this one by others");
        meter.CreateObservableGauge("trunkline.directory.state", state, null, "0 unavailable, 1 recovering, 2 connected");
        meter.CreateObservableGauge("trunkline.directory.nodes", nodes, null, "Nodes in the directory by the last reading");
    }

    internal void Ended(string operation, DirectoryStatus status, TimeSpan duration)
    {
        Ended(operation, status switch
        {
            DirectoryStatus.Ok => "ok",
            DirectoryStatus.Canceled => "canceled",
            _ => "unavailable",
        });
        _durations.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("operation", operation));
    }

    internal void Ended(string operation, string result) =>
        _operations.Add(1, new KeyValuePair<string, object?>("operation", operation), new KeyValuePair<string, object?>("result", result));

    internal void Recycled() => _recycles.Add(1);

    internal void TookOver(string result) => _takeOvers.Add(1, new KeyValuePair<string, object?>("result", result));

    internal void Died(string who) => _deaths.Add(1, new KeyValuePair<string, object?>("who", who));
}
