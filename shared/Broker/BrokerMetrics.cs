using System.Diagnostics.Metrics;

namespace Trunkline.Broker;

/// <summary>Publishes what broker groups count; names are contracts, labels never name a client or topic.</summary>
public static class BrokerMetrics
{
    private static ReadOnlySpan<(BrokerCounter Counter, string Name, string? Unit, string Help)> Gauges => new (BrokerCounter, string, string?, string)[]
    {
        (BrokerCounter.LogMessages, "log.messages", null, "Messages in the log."),
        (BrokerCounter.LogBytes, "log.size", "By", "Bytes in the log."),
        (BrokerCounter.LogTenants, "log.tenants", null, "Tenants (first topic levels) with something in the log."),
        (BrokerCounter.LogIndexBytes, "log.index.size", "By", "Bytes in memory of the index over the topics of the log."),
        (BrokerCounter.LogUncommittedBytes, "log.uncommitted.size", "By", "Bytes appended to the log that are not as durable as the group promises yet."),
        (BrokerCounter.LogFailing, "log.failing", null, "1 while the log cannot be written (disk full, I/O error), else 0."),
        (BrokerCounter.Retained, "retained.messages", null, "Retained messages."),
        (BrokerCounter.RetainedBytes, "retained.size", "By", "Bytes of retained messages, topics included."),
        (BrokerCounter.Shares, "shares", null, "Shared subscriptions."),
        (BrokerCounter.ShareOutstanding, "share.messages", null, "Messages of shares handed out, or given back, and not done."),
        (BrokerCounter.ShareTakes, "share.takes", null, "QoS 2 messages of shares that belong to a session and are not done."),
        (BrokerCounter.PublishLinks, "publish.links", null, "Publish links connected."),
        (BrokerCounter.ReceiveLinks, "receive.links", null, "Receive links connected."),
    };

    /// <summary>Adds the instruments to <paramref name="meter"/>.</summary>
    /// <param name="meter">Where they are made.</param>
    /// <param name="groups">The groups of this process.</param>
    /// <param name="label">The label value of a counter.</param>
    public static void Register(Meter meter, IReadOnlyList<BrokerGroup> groups, Func<BrokerCounter, string> label)
    {
        var gauges = new HashSet<BrokerCounter>();
        foreach ((BrokerCounter counter, string name, string? unit, string help) in Gauges)
        {
            gauges.Add(counter);
            meter.CreateObservableGauge("trunkline.broker." + name, () => groups.Select(group => Of(group, counter)), unit, help);
        }

        (BrokerCounter Counter, string Label)[] events =
            [.. Enum.GetValues<BrokerCounter>().Where(counter => !gauges.Contains(counter)).Select(counter => (counter, label(counter)))];
        meter.CreateObservableCounter(
            "trunkline.broker.events",
            () => groups.SelectMany(group => events.Select(item => Of(group, item.Counter, item.Label))),
            null,
            "What broker groups count, by event.");
    }

    private static Measurement<long> Of(BrokerGroup group, BrokerCounter counter) =>
        new(group.Counters.Read(counter), new KeyValuePair<string, object?>("group", group.Name));

    private static Measurement<long> Of(BrokerGroup group, BrokerCounter counter, string label) =>
        new(group.Counters.Read(counter), new KeyValuePair<string, object?>("group", group.Name), new KeyValuePair<string, object?>("event", label));
}
