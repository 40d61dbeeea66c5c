using Trunkline.Topics;

namespace Trunkline.Sessions.Tests.Keeping;

/// <summary>
/// A session that moved loses its node again, or leaves it, before it has caught up: what stands in its record still says
/// what was done, and nothing more than was done.
/// </summary>
public sealed class SecondDeathTests
{
    private static readonly SubscriptionState Held = new()
    {
        Filter = Parse("a"),
        Options = SubscriptionOptions.Create(QoS.ExactlyOnce),
        Starts = [new GroupPosition(0, LogRouter.At(0))],
    };

    [Fact]
    public void A_record_full_of_what_was_done_before_a_death_does_not_stop_the_reading_that_passes_it()
    {
        var bed = new TestBed(Setup.V5, new MqttOptions { MaximumRecordedOutgoing = 16 });
        LogRouter router = Join(bed, new LogRouter(bed.Context).With(1, 500));
        TestKeeper keeper = Restore(bed, new SessionState
        {
            Subscriptions = [Held],
            Positions = [new GroupPosition(0, LogRouter.At(0))],
            Outgoing = Done(1, 16),
        });
        TestClient device = bed.Open(bed.Persistent("d"));
        List<string> received = [];
        for (int round = 0; round < 200 && received.Count < 484; round++)
        {
            received.AddRange(Answer(device, keeper));
            router.Serve();
            received.AddRange(Answer(device, keeper));
            device.Session.CheckpointWritten([device.Session.DonePosition(0, router.Dispatched(0))]);
        }

        Assert.Equal(Enumerable.Range(17, 484).Select(n => $"{n}"), received);
        Assert.InRange(keeper.Stored["d"].Keys.Count(name => name.StartsWith("o:", StringComparison.Ordinal)), 0, 16);
    }

    /// <summary>Identifiers have come round to those that stand in the record: their positions would be masked no longer.</summary>
    [Fact]
    public void An_identifier_is_not_given_again_while_its_message_masks_a_position()
    {
        var bed = new TestBed(Setup.V5);
        LogRouter router = Join(bed, new LogRouter(bed.Context).With(1, 6));
        TestKeeper keeper = Restore(
            bed,
            new SessionState
            {
                LastPacketId = 2,
                Subscriptions = [Held],
                Positions = [new GroupPosition(0, LogRouter.At(0))],
                Outgoing = Done(3, 5),
            },
            isAfterDeath: false);
        TestClient device = bed.Open(bed.Persistent("d"));
        List<string> received = Answer(device, keeper);
        router.Serve();
        received.AddRange(Answer(device, keeper));
        Assert.Equal(["1", "2", "6"], received);

        // The node dies before any checkpoint, and all of it is read again.
        var other = new TestBed(Setup.V5);
        LogRouter there = Join(other, new LogRouter(other.Context).With(1, 6));
        TestKeeper keeperThere = Restore(other, keeper.Read("d"));
        TestClient again = other.Open(other.Persistent("d"));
        Answer(again, keeperThere);
        there.Serve();
        Assert.Empty(Answer(again, keeperThere));
    }

    /// <summary>
    /// As many deaths in a row as it takes: each leaves a full record behind, and a message before all of them holds the
    /// position. No identifier is free, and nobody may look for one.
    /// </summary>
    [Fact]
    public void Nothing_is_sent_while_every_packet_identifier_stands_in_the_record()
    {
        var bed = new TestBed(Setup.V5);
        LogRouter router = Join(bed, new LogRouter(bed.Context).With(1, 10));
        TestKeeper keeper = Restore(bed, new SessionState
        {
            Subscriptions = [Held],
            Positions = [new GroupPosition(0, LogRouter.At(0))],
            Outgoing = [.. Done(1, ushort.MaxValue).Select(done => done with { Position = LogRouter.At(done.PacketId + 10) })],
        });
        TestClient device = bed.Open(bed.Persistent("d"));
        List<string> received = [];
        for (int round = 0; round < 3; round++)
        {
            received.AddRange(Answer(device, keeper));
            router.Serve();
        }

        Assert.Empty(received);
    }

    /// <summary>Some of them mask no position: they are free once the device has finished their messages.</summary>
    [Fact]
    public void Sending_goes_on_with_the_packet_identifiers_that_become_free()
    {
        var bed = new TestBed(Setup.V5);
        LogRouter router = Join(bed, new LogRouter(bed.Context).With(1, 10));
        OutgoingState[] all = Done(1, ushort.MaxValue);
        TestKeeper keeper = Restore(bed, new SessionState
        {
            Subscriptions = [Held],
            Positions = [new GroupPosition(0, LogRouter.At(0))],
            Outgoing = [.. all[..^3].Select(done => done with { Position = LogRouter.At(done.PacketId + 10) }), .. all[^3..].Select(done => done with { Group = -1, Position = default })],
        });
        TestClient device = bed.Open(bed.Persistent("d"));
        List<string> received = [];
        for (int round = 0; round < 10; round++)
        {
            received.AddRange(Answer(device, keeper));
            router.Serve();
            received.AddRange(Answer(device, keeper));
            device.Session.CheckpointWritten([device.Session.DonePosition(0, router.Dispatched(0))]);
        }

        Assert.Equal(Enumerable.Range(1, 10).Select(n => $"{n}"), received);
    }

    /// <summary>Without the stop identifiers would run out: all of them stand in the record, and none is free.</summary>
    [Fact]
    public void A_record_that_no_checkpoint_passes_stops_sends_long_before_identifiers_run_out()
    {
        var bed = new TestBed(Setup.V5);
        LogRouter router = Join(bed, new LogRouter(bed.Context).With(1, ushort.MaxValue + 10));
        TestKeeper keeper = Restore(bed, new SessionState { Subscriptions = [Held], Positions = [new GroupPosition(0, LogRouter.At(0))] });
        TestClient device = bed.Open(bed.Persistent("d"));
        int received = 0;
        for (int round = 0; round < 200; round++)
        {
            received += Answer(device, keeper).Count;
            router.Serve();
        }

        Assert.Equal(bed.Context.Options.MaximumRecordedOutgoing, received);
        Assert.Equal(received, keeper.Stored["d"].Keys.Count(name => name.StartsWith("o:", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_connection_that_ends_before_the_reading_has_passed_what_was_done_leaves_it_in_the_record()
    {
        var bed = new TestBed(Setup.V5);
        Join(bed, new LogRouter(bed.Context).With(1, 10));
        TestKeeper keeper = Restore(bed, new SessionState
        {
            Subscriptions = [Held],
            Positions = [new GroupPosition(0, LogRouter.At(0))],
            Outgoing = Done(1, 4),
        });
        TestClient device = bed.Open(bed.Persistent("d"));
        Answer(device, keeper);
        device.Drop();

        var other = new TestBed(Setup.V5);
        LogRouter there = Join(other, new LogRouter(other.Context).With(1, 10));
        TestKeeper keeperThere = Restore(other, keeper.Read("d"), isAfterDeath: false);
        TestClient again = other.Open(other.Persistent("d"));
        Answer(again, keeperThere);
        there.Serve();
        Assert.Equal(["5", "6", "7", "8", "9", "10"], Answer(again, keeperThere));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(4, true)]
    [InlineData(5, false)]
    public void A_QoS_1_message_in_the_record_is_done_only_when_a_checkpoint_has_passed_it(int checkpoint, bool comes)
    {
        // It was in flight when its connection ended, so the record's position covers it and lists it; the next node died.
        var bed = new TestBed(Setup.V5);
        LogRouter router = Join(bed, new LogRouter(bed.Context).With(1, 10, QoS.AtLeastOnce));
        SessionState state = FiveInFlight();
        _ = new TestKeeper(bed.Context) { WritesAtOnce = true };
        bed.Context.Registry.Restore(
            "d", state, state.Positions, checkpoint == 0 ? [] : [LogRouter.At(checkpoint)], isAfterDeath: true);
        TestClient device = bed.Open(bed.Persistent("d"));
        router.Serve();
        List<Packet> got = device.Take();
        Assert.Equal(comes ? [("5", true)] : [], got.Select(packet => (packet.Payload, packet.Duplicate)));
    }

    [Fact]
    public void What_came_in_flight_stands_in_the_record_and_no_position_below_the_one_it_came_with()
    {
        // 5 was in flight at QoS 1, 6 to 10 were done: the record names their positions no longer.
        var bed = new TestBed(Setup.V5);
        LogRouter router = Join(bed, new LogRouter(bed.Context).With(1, 12, QoS.AtLeastOnce));
        SessionState state = FiveInFlight();
        _ = new TestKeeper(bed.Context) { WritesAtOnce = true };
        bed.Context.Registry.Restore("d", state, state.Positions, [], isAfterDeath: false);
        TestClient device = bed.Open(bed.Persistent("d"));
        router.Serve();
        Assert.Equal(LogRouter.At(4), device.Session.DonePosition(0, router.Dispatched(0)));
        Assert.Equal([new GroupPosition(0, LogRouter.At(10))], device.Session.DonePositions());

        // 11 and 12 are in flight at QoS 1, too, but came here: they are read again.
        SessionState whole = device.Session.Export();
        Assert.Equal([new GroupPosition(0, LogRouter.At(10))], whole.Positions);
        Assert.Equal([LogRouter.At(5)], whole.Outgoing.Select(outgoing => outgoing.Position));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_in_flight_when_the_reply_to_a_detach_was_lost_is_done_when_the_device_says_so(bool isCovered)
    {
        var bed = new TestBed(Setup.V5);
        LogRouter router = Join(bed, new LogRouter(bed.Context).With(1, 3, QoS.AtLeastOnce));
        TestKeeper keeper = Restore(bed, new SessionState { Subscriptions = [Held], Positions = [new GroupPosition(0, LogRouter.At(0))] });
        TestClient device = bed.Open(bed.Persistent("d"));
        router.Serve();
        Assert.Equal(["1", "2", "3"], device.Take().Select(packet => packet.Payload));
        keeper.LosesReplies = true;
        device.Drop();
        Assert.Equal(3, keeper.Read("d").Outgoing.Count);

        // It comes back to the same node, which has the session still, and answers what comes again.
        keeper.LosesReplies = false;
        TestClient again = bed.Open(bed.Persistent("d"));
        List<Packet> repeats = again.Take();
        Assert.Equal([("1", true), ("2", true), ("3", true)], repeats.Select(packet => (packet.Payload, packet.Duplicate)));
        repeats.ForEach(packet => again.PubAck(packet.Id));
        router.Serve();
        if (isCovered)
        {
            again.Session.CheckpointWritten([LogRouter.At(3)]);
        }

        again.Drop();
        SessionState left = keeper.Read("d");
        Assert.Empty(left.Outgoing);
        Assert.Equal([new GroupPosition(0, LogRouter.At(3))], left.Positions);
    }

    /// <summary>A record up to 10 in which 5 is in flight at QoS 1.</summary>
    private static SessionState FiveInFlight() => new()
    {
        Subscriptions = [Held],
        Positions = [new GroupPosition(0, LogRouter.At(10))],
        Outgoing = [new OutgoingState { PacketId = 5, Order = 5, QoS = QoS.AtLeastOnce, Group = 0, Position = LogRouter.At(5) }],
    };

    private static TopicFilterText Parse(string filter)
    {
        Assert.True(TopicFilterText.TryParse(System.Text.Encoding.UTF8.GetBytes(filter), new TopicLimits(), out TopicFilterText parsed, out _));
        return parsed;
    }

    private static OutgoingState[] Done(int first, int last) =>
    [
        .. Enumerable.Range(first, last - first + 1).Select(n => new OutgoingState
        {
            PacketId = (ushort)n,
            Order = (ulong)n,
            QoS = QoS.ExactlyOnce,
            Stage = OutgoingStage.Received,
            Group = 0,
            Position = LogRouter.At(n),
        }),
    ];

    private static LogRouter Join(TestBed bed, LogRouter router)
    {
        bed.Context.Router = router;
        return router;
    }

    private static TestKeeper Restore(TestBed bed, SessionState state, bool isAfterDeath = true)
    {
        var keeper = new TestKeeper(bed.Context);
        keeper.Store("d", state);
        bed.Context.Registry.Restore("d", state, state.Positions, [], isAfterDeath);
        return keeper;
    }

    /// <summary>Answers everything until the server says no more; returns the payloads that came.</summary>
    private static List<string> Answer(TestClient device, TestKeeper keeper)
    {
        List<string> payloads = [];
        keeper.Write();
        while (device.Take() is { Count: > 0 } packets)
        {
            foreach (Packet packet in packets)
            {
                switch (packet.Type)
                {
                    case PacketType.Publish:
                        payloads.Add(packet.Payload);
                        device.PubRec(packet.Id);
                        break;
                    case PacketType.PubRel:
                        device.PubComp(packet.Id);
                        break;
                }
            }

            keeper.Write();
        }

        return payloads;
    }
}
