using System.Diagnostics.Metrics;

namespace Trunkline.Broker;

/// <summary>Publishes the counters of broker groups as one instrument.</summary>
public static class BrokerMetrics
{
    /// <summary>Adds the instrument to <paramref name="meter"/>.</summary>
    public static void Register(Meter meter, IReadOnlyList<BrokerGroup> groups) =>
        meter.CreateObservableCounter(
            "trunkline.broker.events",
            () => groups.SelectMany(group => Enum.GetValues<BrokerCounter>().Select(counter => new Measurement<long>(
                group.Counters.Read(counter),
                new KeyValuePair<string, object?>("group", group.Name),
                new KeyValuePair<string, object?>("event", counter.ToString())))),
            null,
            "What broker groups count, by event.");
}
