using System.Diagnostics.Metrics;
using Trunkline.Broker;
using Trunkline.Hosting.Metrics;
using Trunkline.Links;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <summary>The proxy's own instruments; names are contracts, labels never name a client or topic.</summary>
internal static class ProxyMetrics
{
    public static void Register(
        Meter meter, IReadOnlyList<ConnectionGate> gates, LinkNode links, int loops, EmbeddedGroups embedded)
    {
        meter.CreateObservableCounter(
            "trunkline.disconnects",
            () => Enum.GetValues<CloseCause>().Select(cause => Value(gates.Sum(gate => gate.ClosesOf(cause)), "reason", LabelValue.Of(cause))),
            null,
            "Connections closed, by reason.");
        meter.CreateObservableCounter(
            "trunkline.keeping.events",
            () => Enum.GetValues<KeeperCounter>().Select(counter =>
                Value(gates.Sum(gate => gate.Keeper.Counters.Read(counter)), "event", LabelValue.Of(counter))),
            null,
            "What keeping sessions in the directory counts, by event.");
        meter.CreateObservableGauge(
            "trunkline.group.up",
            () => links.Groups.Select(group => new Measurement<int>(
                group.State == GroupState.Ready ? 1 : 0, new KeyValuePair<string, object?>("group", group.Name))),
            null,
            "Whether all links to a group are connected.");
        meter.CreateObservableGauge("trunkline.link.up", () => Links(links, link => link.IsConnected ? 1 : 0), null, "Links connected, by group and kind.");
        meter.CreateObservableGauge("trunkline.link.down", () => Links(links, link => link.IsConnected ? 0 : 1), null, "Links lost or not connected yet, by group and kind.");
        meter.CreateObservableGauge("trunkline.link.pending", () => Links(links, link => link.Pending), null, "Publishes a link keeps until the group has them.");
        meter.CreateObservableGauge("trunkline.link.pending", () => Links(links, link => link.PendingBytes), "By", "Bytes of publishes a link keeps until the group has them.");
        meter.CreateObservableGauge("trunkline.link.filters", () => Links(links, link => link.Filters), null, "Filters subscribed on a link.");
        meter.CreateObservableCounter("trunkline.link.connects", () => Links(links, link => link.Connects), null, "Times a link was connected.");
        meter.CreateObservableCounter(
            "trunkline.links.events",
            () => Enum.GetValues<LinkCounter>().Where(counter => counter != LinkCounter.UpstreamFilters).Select(counter =>
                Value(Enumerable.Range(0, loops).Sum(loop => links.CountersOf(loop).Read(counter)), "event", LabelValue.Of(counter))),
            null,
            "What links count, by event; trunkline_link_filters has the filters held.");
        BrokerMetrics.Register(meter, embedded.All, LabelValue.Of);
    }

    private static IEnumerable<Measurement<long>> Links(LinkNode links, Func<LinkStatus, long> value) =>
        links.Groups.SelectMany(group => group.Links.GroupBy(link => link.Kind).Select(kind => new Measurement<long>(
            kind.Sum(value),
            new KeyValuePair<string, object?>("group", group.Name),
            new KeyValuePair<string, object?>("kind", LabelValue.Of(kind.Key)))));

    private static Measurement<long> Value(long value, string label, string text) =>
        new(value, new KeyValuePair<string, object?>(label, text));
}
