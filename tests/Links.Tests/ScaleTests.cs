using System.Diagnostics;
using Trunkline.Protocol;
using Xunit.Abstractions;

namespace Trunkline.Links.Tests;

public sealed class ScaleTests(ITestOutputHelper output)
{
    [Fact]
    public void A_hundred_thousand_filters_stand_on_one_receive_link_and_come_back_after_a_loss()
    {
        const int Filters = 100_000;
        var tier = new TestTier(groups: 1);
        TestDevice device = tier.Connect("device");
        var watch = Stopwatch.StartNew();
        double[] quarters = new double[4];
        for (int i = 0; i < Filters; i++)
        {
            device.Subscribe($"f/{i}", handling: RetainHandling.DoNotSend);
            if (i % 500 == 499)
            {
                tier.Run();
            }

            if ((i + 1) % (Filters / 4) == 0)
            {
                quarters[i / (Filters / 4)] = watch.Elapsed.TotalSeconds;
            }
        }

        tier.Run();
        output.WriteLine($"subscribed: {watch.Elapsed.TotalSeconds:F2} s in all; after each quarter {string.Join(", ", quarters.Select(q => q.ToString("F2")))}");
        TestNode node = tier.Nodes[0];
        Assert.Equal(3, node.Connectors[0].Open);
        Assert.Equal(Filters, node.Count(LinkCounter.UpstreamFilters));
        Assert.Equal(Filters, node.Count(LinkCounter.UpstreamSubscribes));

        watch.Restart();
        node.Connectors[0].CutAll();
        tier.Advance(1_000);
        output.WriteLine($"subscribed again after a loss: {watch.Elapsed.TotalSeconds:F2} s");
        Assert.Equal(2 * Filters, node.Count(LinkCounter.UpstreamSubscribes));
        TestDevice publisher = tier.Connect("publisher");
        for (int i = 0; i < Filters; i += 997)
        {
            publisher.Publish($"f/{i}", $"{i}", QoS.AtLeastOnce);
        }

        tier.Run();
        Assert.Equal((Filters + 996) / 997, device.Received.Count);
    }

    [Fact]
    public void A_qos_0_message_allocates_nothing_on_its_way_through_the_links()
    {
        var tier = new TestTier(groups: 1);
        TestDevice publisher = tier.Connect("publisher");
        TestDevice[] subscribers = [.. Enumerable.Range(0, 4).Select(i => tier.Connect($"s{i}"))];
        foreach (TestDevice subscriber in subscribers)
        {
            subscriber.KeepsMessages = false;
            subscriber.Subscribe("t/+", QoS.AtMostOnce);
        }

        tier.Run();
        byte[] topic = "t/1"u8.ToArray();
        byte[] payload = new byte[64];
        void Round(int messages)
        {
            for (int i = 0; i < messages; i++)
            {
                new PublishEncoder { Version = ProtocolVersion.Mqtt50, Topic = topic, Payload = payload }.Write(publisher.Transport.Output);
                if (i % 50 == 49)
                {
                    tier.Run();
                }
            }

            tier.Run();
        }

        Round(5_000);
        const int Messages = 10_000;
        int rounds = 0;
        long allocated = Allocations.Least(() =>
        {
            Round(Messages);
            rounds++;
        });
        output.WriteLine($"{allocated} bytes for {Messages} messages through publisher, link, broker, link and 4 devices");
        Assert.All(subscribers, subscriber => Assert.Equal(5_000 + (rounds * Messages), subscriber.ReceivedCount));

        // What the test itself costs per turn (the array of loops) is far below one byte a message and link.
        Assert.True(allocated < Messages * 8, $"{allocated} bytes were allocated for {Messages} messages.");
    }

    [Fact]
    public void A_qos_1_message_allocates_nothing_in_the_publish_link()
    {
        var tier = new TestTier(groups: 1);
        TestNode node = tier.Nodes[0];
        tier.Acceptors[0].Target = new AckingPeer();
        node.Connectors[0].CutAll();
        tier.Advance(1_000);
        TestDevice publisher = tier.Connect("publisher");
        byte[] topic = "t/1"u8.ToArray();
        byte[] payload = new byte[64];
        ushort packetId = 0;
        void Round(int messages)
        {
            for (int i = 0; i < messages; i++)
            {
                packetId = (ushort)(packetId % 60_000 + 1);
                new PublishEncoder { Version = ProtocolVersion.Mqtt50, Topic = topic, Payload = payload, QoS = QoS.AtLeastOnce, PacketId = packetId }.Write(publisher.Transport.Output);
                if (i % 50 == 49)
                {
                    tier.Run();
                }
            }

            tier.Run();
        }

        Round(60_000);
        int rounds = 0;
        long allocated = Allocations.Least(() =>
        {
            Round(10_000);
            rounds++;
        });
        output.WriteLine($"{allocated} bytes for 10,000 QoS 1 messages through publisher, link and a bare peer");
        Assert.True(allocated < 80_000, $"{allocated} bytes were allocated for 10,000 messages.");
        Assert.Equal(60_000 + (rounds * 10_000), node.Count(LinkCounter.Acknowledged));
    }
}
