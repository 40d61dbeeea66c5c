namespace Trunkline.Sessions.Tests.Keeping;

/// <summary>
/// A QoS 2 message that could not be kept and whose device was not told so comes again, with everything behind it
/// [MQTT-4.4.0-1]: nothing behind it may get into the log first.
/// </summary>
public sealed class RefusalOrderTests
{
    [Theory]
    [Each(ProtocolVersion.Mqtt311)]
    public void What_waited_for_its_entry_behind_a_refused_message_does_not_overtake_it(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context);
        bed.Router.PublishAnswer = Answer.Later;
        TestClient device = bed.Open(bed.Persistent("d"));
        device.Publish("a", "1", QoS.ExactlyOnce, 1);
        keeper.Write();
        device.Publish("a", "2", QoS.ExactlyOnce, 2);
        bed.Router.CompletePublishes(ReasonCode.QuotaExceeded);
        device.ExpectClosed();
        keeper.Write();
        Assert.Equal(["1"], bed.Router.Log.Select(published => published.Payload));

        AssertRepeatsInOrder(setup, keeper.Read("d"));
    }

    [Theory]
    [Each(ProtocolVersion.Mqtt311)]
    public void What_is_stored_in_the_step_that_refuses_a_message_does_not_overtake_it(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context);
        bed.Router.PublishReason = ReasonCode.QuotaExceeded;
        TestClient device = bed.Open(bed.Persistent("d"));
        device.Publish("a", "1", QoS.ExactlyOnce, 1).Publish("a", "2", QoS.ExactlyOnce, 2);
        bed.Router.OnPublished = _ => bed.Router.OnPublished = _ => bed.Router.PublishReason = ReasonCode.Success;
        keeper.Write();
        device.ExpectClosed();
        Assert.Equal(["1"], bed.Router.Log.Select(published => published.Payload));

        AssertRepeatsInOrder(setup, keeper.Read("d"));
    }

    [Theory]
    [Each]
    public void A_message_refused_while_its_device_is_away_goes_first_when_it_comes_again_here(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context) { HoldsDetached = true };
        bed.Router.PublishAnswer = Answer.Later;
        TestClient device = bed.Open(bed.Persistent("d"));
        device.Publish("a", "1", QoS.ExactlyOnce, 1);
        keeper.Write();
        device.Publish("a", "2", QoS.ExactlyOnce, 2);
        device.Drop();
        TestClient again = bed.Open(bed.Persistent("d"), out Packet connAck);
        Assert.True(connAck.SessionPresent);
        bed.Router.CompletePublishes(ReasonCode.QuotaExceeded);
        keeper.Write();
        Assert.Equal(["1"], bed.Router.Log.Select(published => published.Payload));

        again.Publish("a", "1", QoS.ExactlyOnce, 1, duplicate: true).Publish("a", "2", QoS.ExactlyOnce, 2, duplicate: true);
        keeper.Write();
        Assert.Equal(["1", "1", "2"], bed.Router.Log.Select(published => published.Payload));
        Assert.Equal(bed.Router.Log[0].Id, bed.Router.Log[1].Id);
        bed.Router.CompletePublishes();
        Assert.Equal([1, 2], again.Take().Where(packet => packet.Type == PacketType.PubRec).Select(packet => (int)packet.Id));
    }

    [Theory]
    [Each]
    public void A_PUBREL_sent_again_on_another_connection_gets_one_PUBCOMP_and_spares_the_next_message_of_its_identifier(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context) { HoldsDetached = true };
        TestClient device = bed.Open(bed.Persistent("d"));
        device.Publish("a", "1", QoS.ExactlyOnce, 7);
        keeper.Write();
        device.Expect(PacketType.PubRec);
        device.PubRel(7);
        device.Drop();
        TestClient again = bed.Open(bed.Persistent("d"));
        keeper.Write();
        Assert.Empty(again.Take());

        again.PubRel(7);
        Assert.Equal(7, again.Expect(PacketType.PubComp).Id);
        again.Publish("a", "2", QoS.ExactlyOnce, 7);
        keeper.Write();
        Assert.Equal(7, again.Expect(PacketType.PubRec).Id);
        Assert.Equal(["1", "2"], bed.Router.Log.Select(published => published.Payload));
    }

    private static void AssertRepeatsInOrder(Setup setup, SessionState state)
    {
        var other = new TestBed(setup);
        var keeper = new TestKeeper(other.Context);
        other.Context.Registry.Restore("d", state, [], [], isAfterDeath: false);
        TestClient device = other.Open(other.Persistent("d"));
        device.Publish("a", "1", QoS.ExactlyOnce, 1, duplicate: true).Publish("a", "2", QoS.ExactlyOnce, 2, duplicate: true);
        keeper.Write();
        Assert.Equal(["1", "2"], other.Router.Log.Select(published => published.Payload));
        Assert.Equal([1, 2], device.Take().Where(packet => packet.Type == PacketType.PubRec).Select(packet => (int)packet.Id));
    }
}
