using Trunkline.Sessions.Tests.State;

namespace Trunkline.Sessions.Tests.Keeping;

/// <summary>What a kept session promises leaves only when it is stored.</summary>
public sealed class WriteAheadTests
{
    [Theory]
    [Each]
    public void SUBACK_waits_until_the_filter_is_stored(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context);
        TestClient device = bed.Open(bed.Persistent("d"));
        device.SendSubscribe(5, 0, ("a/+", SubscriptionOptions.Create(QoS.AtLeastOnce)));
        Assert.Empty(device.Take());

        keeper.Write();
        Assert.Equal([ReasonCode.GrantedQoS1], device.Expect(PacketType.SubAck).Codes);
        Assert.Equal("a/+", Assert.Single(keeper.Read("d").Subscriptions).Filter.ToString());

        device.SendUnsubscribe(6, "a/+");
        Assert.Empty(device.Take());
        keeper.Write();
        device.Expect(PacketType.UnsubAck);
        Assert.Empty(keeper.Read("d").Subscriptions);
    }

    [Theory]
    [Each]
    public void A_clean_session_writes_nothing(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context);
        TestClient device = bed.Open("d").Subscribe("a");
        device.Publish("a", "x", QoS.ExactlyOnce, 1);
        Assert.Equal([PacketType.Publish, PacketType.PubRec], device.Take().Select(packet => packet.Type).Order());
        device.PubRel(1);
        device.Expect(PacketType.PubComp);
        Assert.Equal(0, keeper.Writes);
        Assert.Empty(keeper.Stored);
    }

    [Theory]
    [Each]
    public void An_incoming_QoS_2_message_is_entered_before_it_is_forwarded_and_gone_before_PUBCOMP(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context);
        TestClient device = bed.Open(bed.Persistent("d"));
        device.Publish("a", "x", QoS.ExactlyOnce, 7);
        Assert.Empty(bed.Router.Log);
        Assert.Empty(device.Take());

        keeper.Write();
        Assert.Equal("x", Assert.Single(bed.Router.Log).Payload);
        Assert.Equal(new MessageId("test", 1, 1), Assert.Single(keeper.Read("d").Incoming).Id);
        device.Expect(PacketType.PubRec);

        device.PubRel(7);
        Assert.Empty(device.Take());
        keeper.Write();
        Assert.Empty(keeper.Read("d").Incoming);
        Assert.Equal(7, device.Expect(PacketType.PubComp).Id);
    }

    [Fact]
    public void A_repeat_at_another_node_goes_under_the_first_identity_and_PUBREL_ends_what_is_not_known_to_be_safe()
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context) { WritesAtOnce = true };
        bed.Router.PublishAnswer = Answer.Later;
        bed.Open(bed.Persistent("d")).Publish("a", "x", QoS.ExactlyOnce, 7).Publish("a", "y", QoS.ExactlyOnce, 8);

        var other = new TestBed(Setup.V5);
        var there = new TestKeeper(other.Context) { WritesAtOnce = true };
        other.Context.Registry.Restore("d", keeper.Read("d"), [], [], isAfterDeath: true);
        TestClient device = other.Open(other.Persistent("d"), out Packet connAck);
        Assert.True(connAck.SessionPresent);
        device.Publish("a", "x", QoS.ExactlyOnce, 7, duplicate: true);
        Assert.Equal(new MessageId("test", 1, 1), Assert.Single(other.Router.Log).Id);
        Assert.Equal(7, device.Expect(PacketType.PubRec).Id);

        device.PubRel(8);
        Packet end = device.Expect(PacketType.PubComp);
        Assert.Equal(ReasonCode.Success, end.Reason);
        Assert.DoesNotContain(there.Stored["d"].Keys, name => name == "q:8");
    }

    [Fact]
    public void A_refused_QoS_2_message_leaves_no_entry_behind()
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context);
        bed.Router.PublishReason = ReasonCode.QuotaExceeded;
        TestClient device = bed.Open(bed.Persistent("d"));
        device.Publish("a", "x", QoS.ExactlyOnce, 7);
        keeper.Write();
        Assert.Empty(device.Take());
        keeper.Write();
        Assert.Equal(ReasonCode.QuotaExceeded, device.Expect(PacketType.PubRec).Reason);
        Assert.Empty(keeper.Read("d").Incoming);
    }

    [Theory]
    [Each]
    public void An_outgoing_QoS_2_message_is_recorded_before_PUBLISH_and_before_PUBREL(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context);
        TestClient device = bed.Open(bed.Persistent("d"));
        device.SendSubscribe(5, 0, ("a", SubscriptionOptions.Create(QoS.ExactlyOnce)));
        keeper.Write();
        device.Expect(PacketType.SubAck);
        bed.Open("p").Publish("a", "x", QoS.ExactlyOnce, 1);
        Assert.Empty(device.Take());

        keeper.Write();
        Packet sent = device.Expect(PacketType.Publish);
        Assert.False(sent.Duplicate);
        Assert.Equal(OutgoingStage.Sent, Assert.Single(keeper.Read("d").Outgoing).Stage);

        device.PubRec(sent.Id);
        Assert.Empty(device.Take());
        device.PubRec(sent.Id);
        Assert.Empty(device.Take());
        keeper.Write();
        Assert.Equal(sent.Id, device.Expect(PacketType.PubRel).Id);
        Assert.Equal(OutgoingStage.Received, Assert.Single(keeper.Read("d").Outgoing).Stage);
        device.PubRec(sent.Id);
        device.Expect(PacketType.PubRel);
        device.PubComp(sent.Id);
    }

    [Theory]
    [Each]
    public void PUBREL_waits_for_received_to_be_stored_on_a_connection_that_comes_meanwhile_too(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context) { HoldsDetached = true };
        TestClient device = bed.Open(bed.Persistent("d"));
        device.SendSubscribe(5, 0, ("a", SubscriptionOptions.Create(QoS.ExactlyOnce)));
        keeper.Write();
        device.Expect(PacketType.SubAck);
        bed.Open("p").Publish("a", "x", QoS.ExactlyOnce, 1).Publish("a", "y", QoS.ExactlyOnce, 2);
        keeper.Write();
        ushort[] ids = [.. device.Take().Select(packet => packet.Id)];
        device.PubRec(ids[0]);

        TestClient again = bed.Open(bed.Persistent("d"));
        Assert.Equal((PacketType.Publish, ids[1]), Assert.Single(again.Take().Select(packet => (packet.Type, packet.Id))));

        keeper.Write();
        Assert.Equal((PacketType.PubRel, ids[0]), Assert.Single(again.Take().Select(packet => (packet.Type, packet.Id))));
        Assert.Equal(OutgoingStage.Received, keeper.Read("d").Outgoing.First(outgoing => outgoing.PacketId == ids[0]).Stage);
        again.PubComp(ids[0]);
        again.PubRec(ids[1]);
        keeper.Write();
        Assert.Equal((PacketType.PubRel, ids[1]), Assert.Single(again.Take().Select(packet => (packet.Type, packet.Id))));
    }

    [Fact]
    public void Every_stage_of_an_outgoing_QoS_2_message_goes_on_at_another_node()
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context) { WritesAtOnce = true };
        TestClient device = bed.Open(bed.Persistent("d"));
        device.SendSubscribe(5, 0, ("a", SubscriptionOptions.Create(QoS.ExactlyOnce)));
        device.Expect(PacketType.SubAck);
        TestClient publisher = bed.Open("p");
        publisher.Publish("a", "received", QoS.ExactlyOnce, 1).Publish("a", "sent", QoS.ExactlyOnce, 2);
        Packet received = device.Expect(PacketType.Publish);
        Packet sent = device.Expect(PacketType.Publish);
        device.PubRec(received.Id);
        device.Expect(PacketType.PubRel);

        var other = new TestBed(Setup.V5);
        _ = new TestKeeper(other.Context) { WritesAtOnce = true };
        other.Context.Registry.Restore("d", keeper.Read("d"), [], [], isAfterDeath: true);
        TestClient again = other.Open(other.Persistent("d"));
        Assert.Equal(received.Id, again.Expect(PacketType.PubRel).Id);
        Packet repeat = again.Expect(PacketType.Publish);
        Assert.Equal((sent.Id, true, "sent"), (repeat.Id, repeat.Duplicate, repeat.Payload));
        again.PubComp(received.Id);
        again.PubRec(sent.Id);
        Assert.Equal(sent.Id, again.Expect(PacketType.PubRel).Id);
    }

    [Fact]
    public void After_a_clean_end_QoS_1_is_sent_again_in_order_under_its_own_identifiers()
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context) { WritesAtOnce = true };
        TestClient device = bed.Open(bed.Persistent("d"));
        device.SendSubscribe(5, 0, ("a", SubscriptionOptions.Create(QoS.AtLeastOnce)));
        device.Expect(PacketType.SubAck);
        TestClient publisher = bed.Open("p");
        for (ushort n = 1; n <= 4; n++)
        {
            publisher.Publish("a", $"m{n}", QoS.AtLeastOnce, n);
        }

        List<Packet> first = device.Take();
        device.PubAck(first[1].Id);
        device.Drop();

        var other = new TestBed(Setup.V5);
        _ = new TestKeeper(other.Context) { WritesAtOnce = true };
        SessionState state = keeper.Read("d");
        other.Context.Registry.Restore("d", state, state.Positions, [], isAfterDeath: false);
        TestClient again = other.Open(other.Persistent("d"));
        Assert.Equal(
            first.Where(packet => packet.Payload != "m2").Select(packet => (packet.Id, packet.Payload, true)),
            again.Take().Select(packet => (packet.Id, packet.Payload, packet.Duplicate)));
        other.OpenV5("q").Publish("a", "next", QoS.AtLeastOnce, 9);
        Assert.Equal(first[^1].Id + 1, again.Expect(PacketType.Publish).Id);
    }

    [Fact]
    public void After_a_death_new_identifiers_start_far_away()
    {
        var bed = new TestBed(Setup.V5);
        _ = new TestKeeper(bed.Context) { WritesAtOnce = true };
        SubscriptionState held = States.Subscription(new Random(1), 1);
        bed.Context.Registry.Restore("d", new SessionState { LastPacketId = 40_000, Subscriptions = [held] }, [], [], isAfterDeath: true);
        TestClient device = bed.Open(bed.Persistent("d"));
        device.Subscribe("a", QoS.AtLeastOnce);
        bed.OpenV5("p").Publish("a", "x", QoS.AtLeastOnce, 1);
        Assert.InRange(device.Expect(PacketType.Publish).Id, 5_000, 15_000);
    }

    [Fact]
    public void An_identifier_in_the_record_is_not_given_again_and_a_full_record_stops_new_sends_until_a_checkpoint()
    {
        var bed = new TestBed(Setup.V5, new MqttOptions { MaximumRecordedOutgoing = 16 });
        var keeper = new TestKeeper(bed.Context) { WritesAtOnce = true };
        var router = new LogRouter(bed.Context);
        bed.Context.Router = router;
        TestClient device = bed.Open(bed.Persistent("d")).Subscribe("a");
        router.With(1, 40).DispatchAll(device.Session);
        List<Packet> first = device.Take();
        Assert.Equal(16, first.Count);
        foreach (Packet sent in first)
        {
            device.PubRec(sent.Id).PubComp(sent.Id);
        }

        Assert.DoesNotContain(device.Take(), packet => packet.Type == PacketType.Publish);
        device.Session.CheckpointWritten([LogRouter.At(10)]);
        List<Packet> next = device.Take();
        Assert.Equal(10, next.Count);
        Assert.DoesNotContain(next, packet => first.Skip(10).Any(kept => kept.Id == packet.Id));
        Assert.DoesNotContain(SessionStateCodec.OutgoingName(first[9].Id), keeper.Stored["d"].Keys);
    }

    [Fact]
    public void What_is_finished_behind_a_checkpoint_waits_for_no_other_one()
    {
        var bed = new TestBed(Setup.V5, new MqttOptions { MaximumRecordedOutgoing = 16 });
        _ = new TestKeeper(bed.Context) { WritesAtOnce = true };
        var router = new LogRouter(bed.Context);
        bed.Context.Router = router;
        TestClient device = bed.Open(bed.Persistent("d")).Subscribe("a");
        router.With(1, 40).DispatchAll(device.Session);
        List<Packet> first = device.Take();
        Assert.Equal(16, first.Count);
        first.ForEach(sent => device.PubRec(sent.Id));

        // What the device has received counts as done. Nothing moves the next checkpoint, so there is none.
        LogPosition done = device.Session.DonePosition(0, router.Dispatched(0));
        Assert.Equal(LogRouter.At(16), done);
        device.Session.CheckpointWritten([done]);
        first.ForEach(sent => device.PubComp(sent.Id));
        Assert.Equal(16, device.Take().Count(packet => packet.Type == PacketType.Publish));
    }

    [Fact]
    public void A_failed_write_is_offered_again_with_what_came_since()
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context);
        TestClient device = bed.Open(bed.Persistent("d"));
        device.SendSubscribe(5, 0, ("a", SubscriptionOptions.Create(QoS.AtLeastOnce)));
        keeper.Fail();
        Assert.Empty(device.Take());
        device.SendSubscribe(6, 0, ("b", SubscriptionOptions.Create(QoS.AtLeastOnce)));
        keeper.Write();
        Assert.Equal([5, 6], device.Take().Select(packet => (int)packet.Id));
        Assert.Equal(2, keeper.Read("d").Subscriptions.Count);
    }

    [Fact]
    public void A_restored_session_reads_nothing_before_the_router_has_all_its_filters()
    {
        var bed = new TestBed(Setup.V5);
        _ = new TestKeeper(bed.Context) { WritesAtOnce = true };
        var router = new EagerRouter();
        bed.Context.Router = router;
        var random = new Random(7);
        var state = new SessionState
        {
            Subscriptions = [States.Subscription(random, 1), States.Subscription(random, 2), States.Subscription(random, 3)],
            Positions = [new GroupPosition(0, new LogPosition(1, 5)), new GroupPosition(1, new LogPosition(1, 7))],
        };
        bed.Context.Registry.Restore("d", state, state.Positions, [], isAfterDeath: false);
        bed.Open(bed.Persistent("d"), out Packet connAck);
        Assert.True(connAck.SessionPresent);
        Assert.Equal([3, 3], router.FiltersAtRead);
    }

    /// <summary>Two groups with logs; answers for each filter as soon as it has it, and notes how many it had when it was asked to read.</summary>
    private sealed class EagerRouter : IMessageRouter
    {
        private int _filters;

        public List<int> FiltersAtRead { get; } = [];

        public int LogGroups => 2;

        public bool CanReadBacklog(int group) => true;

        public LogPosition Dispatched(int group) => new(1, 20);

        public void ReadBacklog(BacklogRead read) => FiltersAtRead.Add(_filters);

        public PublishOutcome Publish(in PublishRequest request, PublishTicket ticket) => PublishOutcome.Taken;

        public void Subscribe(SubscribeOperation operation)
        {
            foreach (SubscribeItem item in operation.Items)
            {
                _filters++;
                for (int group = 0; group < LogGroups; group++)
                {
                    item.Subscription!.Session.AwaitStart(group);
                    item.Subscription.Session.Started(group, new LogPosition(1, 20));
                }
            }

            operation.Complete();
        }

        public void Unsubscribe(SubscribeOperation operation) => operation.Complete();

        public void Forget(Session session)
        {
        }

        public void AttachmentChanged(Session session)
        {
        }
    }

    [Fact]
    public void A_session_that_is_forgotten_publishes_no_will_and_holds_no_message()
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context);
        TestClient device = bed.Open(bed.Persistent("d") with { Will = new WillSettings("w", "gone") });
        device.Publish("a", "x", QoS.ExactlyOnce, 7);
        device.Drop();
        Assert.Empty(bed.Router.Log);
        Assert.Contains("q:7", keeper.Stored["d"].Keys);
        bed.AssertAtRest();
    }
}
