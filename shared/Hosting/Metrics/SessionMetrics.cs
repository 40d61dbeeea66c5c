using System.Diagnostics.Metrics;
using Trunkline.Sessions;

namespace Trunkline.Hosting.Metrics;

/// <summary>Publishes the loops' session counters as instruments; names are contracts, labels never name a client or topic.</summary>
public static class SessionMetrics
{
    /// <summary>Adds the instruments to <paramref name="meter"/>.</summary>
    public static void Register(Meter meter, IReadOnlyList<SessionContext> contexts)
    {
        long Sum(SessionCounter counter)
        {
            long sum = 0;
            foreach (SessionContext context in contexts)
            {
                sum += context.Counters.Read(counter);
            }

            return sum;
        }

        Measurement<long> With(SessionCounter counter, string label, string value) =>
            new(Sum(counter), new KeyValuePair<string, object?>(label, value));

        meter.CreateObservableGauge("trunkline.connections", () => Sum(SessionCounter.ChannelsOpen), null, "MQTT connections open.");
        meter.CreateObservableGauge("trunkline.sessions", () => Sum(SessionCounter.Sessions), null, "Sessions held, connected or not.");
        meter.CreateObservableGauge("trunkline.subscriptions", () => Sum(SessionCounter.Subscriptions), null, "Subscriptions held.");
        meter.CreateObservableCounter(
            "trunkline.connects",
            () => new[]
            {
                With(SessionCounter.ConnectsAccepted, "result", "accepted"),
                With(SessionCounter.ConnectsRefused, "result", "refused"),
            },
            null,
            "CONNECT packets answered.");
        meter.CreateObservableCounter(
            "trunkline.messages.received",
            () => new[]
            {
                With(SessionCounter.ReceivedQoS0, "qos", "0"),
                With(SessionCounter.ReceivedQoS1, "qos", "1"),
                With(SessionCounter.ReceivedQoS2, "qos", "2"),
            },
            null,
            "Messages received from devices.");
        meter.CreateObservableCounter(
            "trunkline.messages.sent",
            () => new[]
            {
                With(SessionCounter.SentQoS0, "qos", "0"),
                With(SessionCounter.SentQoS1, "qos", "1"),
                With(SessionCounter.SentQoS2, "qos", "2"),
            },
            null,
            "Messages sent to devices, repeats included.");
        meter.CreateObservableCounter(
            "trunkline.messages.dropped",
            () => new[]
            {
                With(SessionCounter.DroppedSlowDevice, "reason", "slow_device"),
                With(SessionCounter.DroppedBacklog, "reason", "backlog"),
                With(SessionCounter.DroppedBacklogAge, "reason", "backlog_age"),
                With(SessionCounter.DroppedExpired, "reason", "expired"),
                With(SessionCounter.DroppedTooLarge, "reason", "too_large"),
                With(SessionCounter.DroppedFromLog, "reason", "from_log"),
                With(SessionCounter.SharedTakenByOthers, "reason", "shared_taken"),
            },
            null,
            "Messages not delivered to a session, by reason.");
        foreach ((SessionCounter counter, string name, string help) in Simple)
        {
            meter.CreateObservableCounter("trunkline." + name, () => Sum(counter), null, help);
        }
    }

    private static ReadOnlySpan<(SessionCounter Counter, string Name, string Help)> Simple => new[]
    {
        (SessionCounter.Resent, "messages.resent", "Messages sent again after a reconnect."),
        (SessionCounter.LeftLive, "backlog.left.live", "Times a session left live messages because its device did not keep up."),
        (SessionCounter.BacklogDelivered, "backlog.delivered", "Messages delivered from a group's log to sessions away or too slow."),
        (SessionCounter.PublishesRefused, "publishes.refused", "Publishes of devices that were refused."),
        (SessionCounter.SubscriptionsRefused, "subscriptions.refused", "Filters of devices that were refused."),
        (SessionCounter.UnknownPacketIds, "packet.ids.unknown", "Acknowledgements for packet identifiers not in use."),
        (SessionCounter.WillsPublished, "wills.published", "Wills published."),
        (SessionCounter.SessionsRestored, "sessions.restored", "Sessions taken in from the directory with their state."),
        (SessionCounter.SessionsExpired, "sessions.expired", "Sessions ended by their expiry."),
        (SessionCounter.TurnsYielded, "turns.yielded", "Times a connection had sent more packets than it may in one turn of its loop."),
        (SessionCounter.ReadingPaused, "reading.paused", "Times a connection's reading was paused."),
    };
}
