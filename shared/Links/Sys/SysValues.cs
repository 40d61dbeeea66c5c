using System.Globalization;
using System.Text;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>The values under $SYS, as one moment saw them. Made on any thread from counters that may be a turn old.</summary>
internal sealed class SysValues
{
    private SysValues(IReadOnlyList<(byte[] Topic, byte[] Value)> entries) => Entries = entries;

    /// <summary>Topics with their values.</summary>
    public IReadOnlyList<(byte[] Topic, byte[] Value)> Entries { get; }

    public static SysValues Read(IReadOnlyList<SessionContext> contexts, string version, long uptimeSeconds)
    {
        long Sum(params ReadOnlySpan<SessionCounter> counters)
        {
            long sum = 0;
            foreach (SessionContext context in contexts)
            {
                foreach (SessionCounter counter in counters)
                {
                    sum += context.Counters.Read(counter);
                }
            }

            return sum;
        }

        return new SysValues(
        [
            Entry("version", version),
            Entry("uptime", uptimeSeconds),
            Entry("clients/connected", Sum(SessionCounter.ChannelsOpen)),
            Entry("messages/received", Sum(SessionCounter.ReceivedQoS0, SessionCounter.ReceivedQoS1, SessionCounter.ReceivedQoS2)),
            Entry("messages/sent", Sum(SessionCounter.SentQoS0, SessionCounter.SentQoS1, SessionCounter.SentQoS2)),
            Entry("subscriptions/count", Sum(SessionCounter.Subscriptions)),
        ]);
    }

    private static (byte[] Topic, byte[] Value) Entry(string name, long value) => Entry(name, value.ToString(CultureInfo.InvariantCulture));

    private static (byte[] Topic, byte[] Value) Entry(string name, string value) =>
        (Encoding.UTF8.GetBytes("$SYS/broker/" + name), Encoding.UTF8.GetBytes(value));
}
