using System.Globalization;
using Trunkline.Broker;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links.Tests.Backlog;

/// <summary>What a session that comes from elsewhere has in flight is read from the log by position.</summary>
public sealed class MessageFetchTests
{
    private const int InFlight = 250;

    private static MqttOptions Large => new() { ReceiveMaximum = 65_535, MaximumInFlight = 1_000 };

    [Theory]
    [InlineData(1, InFlight)]
    [InlineData(100, 3)]
    [InlineData(249, 2)]
    [InlineData(250, 1)]
    public void So_many_messages_in_flight_are_asked_for_at_a_time(int atATime, int requests)
    {
        var tier = new TestTier(groups: 1, options: new LinkOptions { Seed = 7, FetchMessages = atATime }, loopsPerNode: 1, mqtt: Large);
        TestDevice publisher = tier.Connect("publisher");
        for (int i = 1; i <= 2 * InFlight; i++)
        {
            publisher.Publish(i % 10 == 0 ? "other" : "t", Text(i), QoS.AtLeastOnce);
            tier.Run();
        }

        Restore(tier, i => 2 * i);
        TestDevice device = tier.Resume("device");
        Assert.Equal(Enumerable.Range(1, InFlight).Select(i => Text(2 * i)), device.Received.Select(got => got.Payload));
        Assert.All(device.Received, got => Assert.True(got.Duplicate));
        Assert.Equal(requests, tier.Nodes[0].Count(LinkCounter.MessageFetches));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public void Messages_in_flight_that_have_to_come_from_disk_first_are_waited_for(int atATime)
    {
        string folder = System.IO.Directory.CreateTempSubdirectory("trunkline-fetch-").FullName;
        try
        {
            var options = new BrokerOptions
            {
                Store = LogStore.File,
                DataDirectory = folder,
                LogBlockBytes = 4096,
                LogSegmentBytes = 16 * 1024,
                LogCacheBytes = 8192,
            };
            var tier = new TestTier(
                groups: 1, options: new LinkOptions { Seed = 7, FetchMessages = atATime }, loopsPerNode: 1, mqtt: Large,
                store: context => GroupStore.Open("group-0", options, context.Loop));
            TestDevice publisher = tier.Connect("publisher");
            for (int i = 1; i <= 2 * InFlight; i++)
            {
                publisher.Publish("t", Text(i) + new string('x', 500), QoS.AtLeastOnce);
                tier.Run();
            }

            Until(tier, () => publisher.Acknowledged.Count == 2 * InFlight, "all are acknowledged");
            Restore(tier, i => i);
            TestDevice device = tier.Resume("device");
            Until(tier, () => device.Received.Count == InFlight, "what was in flight came");
            Assert.Equal(Enumerable.Range(1, InFlight).Select(Text), device.Received.Select(got => got.Payload[..3]));
            Assert.Equal(0, tier.Nodes[0].Contexts[0].Counters.Read(SessionCounter.DroppedFromLog));
            tier.Groups[0].Stop();
        }
        finally
        {
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>
    /// While the broker's disk does not give them back, the broker keeps the question; where too many wait there already it is
    /// asked now and then. At its limit they are over.
    /// </summary>
    [Theory]
    [InlineData(1_000, 1, 1)]
    [InlineData(0, 8, 16)]
    public void Messages_in_flight_that_cannot_be_read_are_waited_for_without_haste_and_given_up_with_a_count(int waiting, int least, int most)
    {
        string folder = System.IO.Directory.CreateTempSubdirectory("trunkline-fetch-").FullName;
        try
        {
            var options = new BrokerOptions
            {
                Store = LogStore.File,
                DataDirectory = folder,
                LogBlockBytes = 4096,
                LogCacheBytes = 4096,
                LogReadWaitMs = 5_000,
                RequestsWaitingMaximum = waiting,
            };
            var tier = new TestTier(
                groups: 1, options: new LinkOptions { Seed = 7 }, loopsPerNode: 1, mqtt: Large, broker: options,
                store: context => GroupStore.Open("group-0", options, context.Loop));
            TestDevice publisher = tier.Connect("publisher");
            for (int i = 1; i <= 10; i++)
            {
                publisher.Publish("t", Text(i) + new string('x', 3_000), QoS.AtLeastOnce);
                Until(tier, () => publisher.Acknowledged.Count == i, "it is acknowledged");
            }

            // A file that is shorter than it was gives errors.
            using (var stream = new FileStream(System.IO.Directory.GetFiles(folder, "*.log", SearchOption.AllDirectories)[0], FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
            {
                stream.SetLength(256);
            }

            Restore(tier, i => i, 2);
            TestDevice device = tier.Resume("device");
            tier.Advance(3_000);
            Assert.Empty(device.Received);
            Assert.InRange(tier.Nodes[0].Count(LinkCounter.MessageFetches), least, most);
            Until(tier, () => tier.Nodes[0].Contexts[0].Counters.Read(SessionCounter.DroppedFromLog) == 2, "they are given up");
            Assert.Equal(2, tier.Groups[0].Counters.Read(BrokerCounter.LogUnreadableBlocks));
            tier.Groups[0].Stop();
        }
        finally
        {
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The log beside a foreign broker answers for many at a time, too; a call that fails is made again, for as many.</summary>
    [Theory]
    [InlineData(1, InFlight, 0)]
    [InlineData(100, 3, 0)]
    [InlineData(250, 1, 0)]
    [InlineData(50, 5, 0.5)]
    public async Task Of_a_log_beside_a_foreign_broker_so_many_are_asked_for_at_a_time(int atATime, int requests, double faults)
    {
        using Mosquitto broker = await Mosquitto.StartAsync();
        var log = new MemoryForeignLog(3);
        await using var tier = new ForeignTier([broker], log: log, mqtt: Large, options: new LinkOptions { FetchMessages = atATime, BacklogRetryMs = 64 });
        await tier.StartAsync();
        TestDevice publisher = await tier.ConnectAsync("publisher");
        ushort[] ids = await tier.Do(() => Enumerable.Range(1, 2 * InFlight).Select(i => publisher.Publish("t", Text(i), QoS.AtLeastOnce)).ToArray());
        await tier.Until(() => ids.All(publisher.Acknowledged.ContainsKey));
        foreach (SessionContext context in tier.Contexts)
        {
            await context.Loop.InvokeAsync(() => Restore(context, new LogPosition(1_000, 2 * InFlight), i => 2 * i, InFlight));
        }

        log.Faults = faults;
        TestDevice device = await tier.ConnectAsync("device", isPersistent: true);
        await tier.Until(() => device.Received.Count == InFlight);
        log.Faults = 0;
        Assert.Equal(Enumerable.Range(1, InFlight).Select(i => Text(2 * i)), await tier.Do(() => device.Received.ConvertAll(got => got.Payload)));
        if (faults == 0)
        {
            Assert.Equal(requests, Enumerable.Range(0, 2).Sum(index => tier.Nodes[0].CountersOf(index).Read(LinkCounter.MessageFetches)));
            Assert.Equal(atATime > 1 ? requests : 0, log.Lookups);
        }
        else
        {
            Assert.InRange(log.Lookups, requests + 1, requests + log.Failed);
        }
    }

    [Fact]
    public void A_message_in_flight_that_the_log_has_lost_is_over_and_counted()
    {
        var tier = new TestTier(groups: 1, loopsPerNode: 1, mqtt: Large);
        TestDevice publisher = tier.Connect("publisher");
        publisher.Publish("t", Text(1), QoS.AtLeastOnce);
        tier.Run();
        Restore(tier, i => i);
        TestDevice device = tier.Resume("device");
        Assert.Equal([Text(1)], device.Received.Select(got => got.Payload));
        Assert.Equal(InFlight - 1, tier.Nodes[0].Contexts[0].Counters.Read(SessionCounter.DroppedFromLog));
    }

    private static string Text(int number) => number.ToString("D3", CultureInfo.InvariantCulture);

    /// <summary>A session from another node, with messages in flight at these offsets; before everything else in the log.</summary>
    private static void Restore(TestTier tier, Func<int, int> offset, int messages = InFlight) =>
        Restore(tier.Nodes[0].Contexts[0], tier.Groups[0].Log.Tail, offset, messages);

    private static void Restore(SessionContext context, LogPosition tail, Func<int, int> offset, int messages)
    {
        GroupPosition[] positions = [new(0, tail)];
        Assert.True(TopicFilterText.TryParse("never"u8, TopicLimits.Default, out TopicFilterText filter, out _));
        var state = new SessionState
        {
            Positions = positions,
            Subscriptions = [new SubscriptionState { Filter = filter, Options = SubscriptionOptions.Create(QoS.AtLeastOnce, false, false, RetainHandling.SendAtSubscribe), Starts = positions }],
            Outgoing = [.. Enumerable.Range(1, messages).Select(i => new OutgoingState
            {
                PacketId = (ushort)i,
                Order = (ulong)i,
                QoS = QoS.AtLeastOnce,
                Group = 0,
                Position = new LogPosition(tail.Term, (ulong)offset(i)),
            })],
        };
        context.Registry.Restore("device", state, positions, [], isAfterDeath: false);
    }

    private static void Until(TestTier tier, Func<bool> holds, string what)
    {
        long begun = System.Diagnostics.Stopwatch.GetTimestamp();
        while (!holds())
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(60), $"Within a minute this did not come true: {what}");
            tier.Advance(10);
        }
    }
}
