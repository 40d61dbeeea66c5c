using System.Globalization;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>What the broker says of itself on <c>$SYS/broker/...</c>, retained at QoS 0, at an interval.</summary>
internal sealed class SystemTopics(BrokerState state, MessageDispatcher dispatcher, string version, Func<BrokerStatistics> statistics)
    : LoopTimer
{
    private readonly long _startedMs = state.NowMs;

    public void Start()
    {
        if (state.Options.SystemIntervalMs > 0)
        {
            Publish("version", version);
            OnDue();
        }
    }

    public void Stop() => state.Context.Loop.Timers.Cancel(this);

    protected override void OnDue()
    {
        BrokerStatistics now = statistics();
        SessionCounters sessions = state.Context.Counters;
        Publish("uptime", (state.NowMs - _startedMs) / 1000);
        Publish("clients/connected", now.Clients);
        Publish("clients/total", state.Context.Registry.Count - now.PublishLinks - now.ReceiveLinks);
        Publish("subscriptions/count", now.Subscriptions);
        Publish("retained messages/count", now.RetainedMessages);
        Publish(
            "messages/received",
            sessions.Read(SessionCounter.ReceivedQoS0) + sessions.Read(SessionCounter.ReceivedQoS1) + sessions.Read(SessionCounter.ReceivedQoS2));
        Publish(
            "messages/sent",
            sessions.Read(SessionCounter.SentQoS0) + sessions.Read(SessionCounter.SentQoS1) + sessions.Read(SessionCounter.SentQoS2)
            + state.Counters.Read(BrokerCounter.LinkSentLogged) + state.Counters.Read(BrokerCounter.LinkSentQoS0));
        state.Context.Loop.Timers.Schedule(this, state.Options.SystemIntervalMs);
    }

    private void Publish(string what, long value) => Publish(what, value.ToString(CultureInfo.InvariantCulture));

    private void Publish(string what, string value)
    {
        var record = new LogRecord
        {
            Topic = Encoding.UTF8.GetBytes("$SYS/broker/" + what),
            Payload = Encoding.UTF8.GetBytes(value),
            QoS = QoS.AtMostOnce,
            Retain = true,
            ExpiresAtMs = long.MaxValue,
        };
        dispatcher.RouteLive(record, retains: state.Retained.HasRoomFor(record));
    }
}
