using System.Text;
using Trunkline.Sessions.Tests.Keeping;

namespace Trunkline.Sessions.Tests.Shares;

/// <summary>What a session does with messages of shares: taken before they are sent at QoS 2, told what becomes of them.</summary>
public sealed class SharedSessionTests
{
    private const string Share = "$share/g/a";

    [Theory]
    [Each]
    public void QoS_1_is_done_with_PUBACK_and_goes_back_when_the_connection_ends(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient member = bed.Open(bed.Persistent("m")).Subscribe(Share, QoS.AtLeastOnce);
        Hand(bed, member, 1, 2, 3);
        List<Packet> sent = member.Take();
        member.PubAck(sent[1].Id);
        Assert.Equal(["done 2"], bed.Router.Shared);
        member.Drop();
        Assert.Equal(["done 2", "back 1", "back 3"], bed.Router.Shared);
        bed.Open(bed.Persistent("m")).ExpectNothing();
        bed.EndAll();
        bed.AssertAtRest();
    }

    [Fact]
    public void What_waits_goes_back_too_and_what_expires_is_done()
    {
        var bed = new TestBed(Setup.V5);
        TestClient member = bed.Open(bed.Persistent("m") with { ReceiveMaximum = 1 }).Subscribe(Share);
        Assert.Equal(1, member.Session.SharedCapacity);
        Hand(bed, member, 1, 2);
        member.Drop();
        Assert.Equal(["take 1", "back 2"], bed.Router.Shared);
        SessionSubscription subscription = bed.Context.Registry.Find("m")!.Subscriptions[0];
        Hand(bed, subscription, 3);
        Assert.Equal("back 3", bed.Router.Shared[^1]);
        bed.EndAll();
        Assert.Equal("done 1", bed.Router.Shared[^1]);
        bed.AssertAtRest();
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-4.8.2-4")]
    public void QoS_2_is_recorded_then_taken_then_sent_and_done_when_received_is_stored()
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context) { WritesAtOnce = true };
        TestClient member = bed.Open(bed.Persistent("m")).Subscribe(Share);
        keeper.WritesAtOnce = false;
        bed.Router.TakesLater = true;
        Hand(bed, member, 1);
        Assert.Empty(bed.Router.Shared);
        keeper.Write();
        OutgoingState record = Assert.Single(keeper.Read("m").Outgoing);
        Assert.Equal((Share, new LogPosition(1, 1), null), (record.Share.ToString(), record.Position, record.Message));
        Assert.Equal(["take 1"], bed.Router.Shared);
        Assert.Empty(member.Take());

        bed.Router.AnswerTakes(true);
        ushort id = member.Expect(PacketType.Publish).Id;
        member.PubRec(id);
        Assert.Equal(["take 1"], bed.Router.Shared);
        keeper.Write();
        Assert.Equal(["take 1", "done 1"], bed.Router.Shared);
        member.Expect(PacketType.PubRel);
        member.PubComp(id);
        Assert.Equal(2, bed.Router.Shared.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whoever_goes_on_takes_again_before_it_sends(bool isGranted)
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context) { WritesAtOnce = true };
        bed.Router.TakesLater = true;
        TestClient member = bed.Open(bed.Persistent("m")).Subscribe(Share);
        Hand(bed, member, 1);

        var other = new TestBed(Setup.V5);
        var there = new TestKeeper(other.Context) { WritesAtOnce = true };
        other.Router.TakesLater = true;
        other.Router.Logged = Message(other, 1);
        other.Context.Registry.Restore("m", keeper.Read("m"), [], [], isAfterDeath: true);
        TestClient again = other.Open(other.Persistent("m"));
        Assert.Equal(["take 1"], other.Router.Shared);
        Assert.Empty(again.Take());
        other.Router.AnswerTakes(isGranted);
        if (isGranted)
        {
            Packet sent = again.Expect(PacketType.Publish);
            Assert.True(sent.Duplicate);
            again.PubRec(sent.Id).Expect(PacketType.PubRel);
            Assert.Equal(["take 1", "done 1"], other.Router.Shared);
        }
        else
        {
            again.ExpectNothing();
            Assert.Equal(["take 1"], other.Router.Shared);
            Assert.Equal(1, other.Count(SessionCounter.SharedTakenByOthers));
            again.Drop();
            Assert.DoesNotContain(there.Stored["m"].Keys, name => name.StartsWith("o:", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void What_its_group_grants_late_leaves_by_the_permission_of_its_record()
    {
        var bed = new TestBed(Setup.V5);
        _ = new TestKeeper(bed.Context) { WritesAtOnce = true };
        bed.Router.TakesLater = true;
        TestClient member = bed.Open(bed.Persistent("m")).Subscribe(Share);
        Hand(bed, member, 1);
        long writtenMs = bed.Loop.NowMs;
        bed.Advance(10);
        bed.Router.AnswerTakes(true);
        member.Expect(PacketType.Publish);
        Assert.Equal([writtenMs], member.Host.Permitted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_session_brought_along_and_is_handed_again_is_sent_once(bool isGrantedFirst)
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context) { WritesAtOnce = true };
        bed.Router.TakesLater = true;
        Hand(bed, bed.Open(bed.Persistent("m")).Subscribe(Share), 1);

        var other = new TestBed(Setup.V5);
        _ = new TestKeeper(other.Context) { WritesAtOnce = true };
        other.Router.TakesLater = true;
        other.Router.Logged = Message(other, 1);
        other.Context.Registry.Restore("m", keeper.Read("m"), [], [], isAfterDeath: true);
        TestClient again = other.Open(other.Persistent("m"));
        if (isGrantedFirst)
        {
            other.Router.AnswerTakes(true);
        }

        // The broker was killed before it wrote down that it had handed it out, so it has done so anew.
        Hand(other, other.Context.Registry.Find("m")!.Subscriptions[0], 1);
        other.Router.AnswerTakes(true);
        Packet sent = again.Expect(PacketType.Publish);
        again.ExpectNothing();
        Assert.Equal(["take 1"], other.Router.Shared);
        Assert.Equal(1, other.Count(SessionCounter.SharedTakenByOthers));

        again.PubRec(sent.Id).Expect(PacketType.PubRel);
        Hand(other, other.Context.Registry.Find("m")!.Subscriptions[0], 1);
        Assert.Equal(["take 1", "done 1", "done 1"], other.Router.Shared);
        again.ExpectNothing();
    }

    [Fact]
    public void A_received_message_is_reported_done_by_whoever_goes_on()
    {
        var bed = new TestBed(Setup.V5);
        var keeper = new TestKeeper(bed.Context) { WritesAtOnce = true };
        TestClient member = bed.Open(bed.Persistent("m")).Subscribe(Share);
        Hand(bed, member, 1);
        member.PubRec(member.Expect(PacketType.Publish).Id).Expect(PacketType.PubRel);

        var other = new TestBed(Setup.V5);
        _ = new TestKeeper(other.Context) { WritesAtOnce = true };
        other.Context.Registry.Restore("m", keeper.Read("m"), [], [], isAfterDeath: true);
        other.Open(other.Persistent("m")).Expect(PacketType.PubRel);
        Assert.Equal(["done 1"], other.Router.Shared);
    }

    [Fact]
    public void A_grant_for_a_session_that_is_gone_and_kept_nowhere_is_given_up()
    {
        var bed = new TestBed(Setup.V5);
        bed.Router.TakesLater = true;
        TestClient member = bed.Open("m").Subscribe(Share);
        Session session = member.Session;
        var place = new SharedPlace(session.Subscriptions[0].Filter, 0, new LogPosition(1, 1));
        Hand(bed, member, 1);
        member.Drop();
        Assert.Equal(["take 1"], bed.Router.Shared);
        Assert.False(session.SharedTaken(1, place, isGranted: true));
        bed.AssertAtRest();
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    [Clause(Specification.Mqtt50, "MQTT-4.8.2-6")]
    public void A_refused_message_is_done(QoS qos)
    {
        var bed = new TestBed(Setup.V5);
        TestClient member = bed.Open(bed.Persistent("m")).Subscribe(Share, qos);
        Hand(bed, member, 1);
        ushort id = member.Expect(PacketType.Publish).Id;
        _ = qos == QoS.AtLeastOnce ? member.PubAck(id, ReasonCode.QuotaExceeded) : member.PubRec(id, ReasonCode.QuotaExceeded);
        Assert.Equal("done 1", bed.Router.Shared[^1]);
        member.Drop();
        Assert.Equal("done 1", bed.Router.Shared[^1]);
    }

    private static void Hand(TestBed bed, TestClient member, params int[] positions) =>
        Hand(bed, member.Session.Subscriptions[0], positions);

    private static void Hand(TestBed bed, SessionSubscription subscription, params int[] positions)
    {
        foreach (int position in positions)
        {
            SharedMessage message = Message(bed, position);
            subscription.Session.DeliverShared(message, subscription);
            message.Release();
        }

        bed.Loop.RunUntilIdle();
    }

    private static SharedMessage Message(TestBed bed, int position)
    {
        SharedMessage message = bed.Context.Messages.Rent(new MessageContent
        {
            Topic = "a"u8,
            Payload = Encoding.UTF8.GetBytes($"{position}"),
            QoS = QoS.ExactlyOnce,
            ExpiresAtMs = long.MaxValue,
        });
        message.Group = 0;
        message.Position = new LogPosition(1, (ulong)position);
        return message;
    }
}
