using System.Text;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests;

/// <summary>What a message costs the collector in the broker's own step, measured on this thread.</summary>
public sealed class AllocationTests
{
    private const int Messages = 2_000;

    [Fact]
    public void Routing_a_QoS_0_message_to_links_and_clients_allocates_nothing()
    {
        (TestBroker broker, Session publisher, byte[] topic) = Prepare();
        Assert.Equal(0, Measure(broker, publisher, topic, QoS.AtMostOnce));
    }

    [Fact]
    public void Routing_a_QoS_1_message_to_links_allocates_at_most_100_bytes()
    {
        // The log is at its limit, so that its segments are used again: the steady state.
        (TestBroker broker, Session publisher, byte[] topic) = Prepare(new BrokerOptions { LogMaximumMessages = 500, LogBlockBytes = 16 * 1024 });
        Assert.InRange(Measure(broker, publisher, topic, QoS.AtLeastOnce) / Messages, 0, 100);
    }

    private static (TestBroker Broker, Session Publisher, byte[] Topic) Prepare(BrokerOptions? options = null)
    {
        var broker = new TestBroker(options);
        broker.Receiver("one", "tail", "a/+/c", "#");
        broker.Receiver("two", "tail", "a/b/c");
        broker.Client().Subscribe("a/#", QoS.AtMostOnce);
        broker.Client().Subscribe("$share/s/a/#", QoS.AtMostOnce);
        broker.Client("publisher");
        return (broker, broker.Context.Registry.Find("publisher")!, Encoding.UTF8.GetBytes("a/b/c"));
    }

    /// <summary>
    /// Bytes allocated by the broker while it routes, in the quietest of several runs (<see cref="Allocations"/> says why);
    /// sending and receiving at the far ends are not counted.
    /// </summary>
    private static long Measure(TestBroker broker, Session publisher, byte[] topic, QoS qos)
    {
        long least = long.MaxValue;
        for (int run = -1; run < 4; run++)
        {
            long allocated = Run(broker, publisher, topic, qos);
            least = run < 0 ? least : long.Min(least, allocated);
        }

        return least;
    }

    private static long Run(TestBroker broker, Session publisher, byte[] topic, QoS qos)
    {
        byte[] payload = new byte[100];
        long allocated = 0;
        for (int i = 0; i < Messages; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            broker.Group.Publish(
                new PublishRequest { Topic = topic, Payload = payload, Publisher = publisher, QoS = qos, Retain = false },
                PublishTicket.None);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            if (i % 20 == 0)
            {
                broker.Run();
            }
        }

        return allocated;
    }
}
