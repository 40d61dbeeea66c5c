namespace Trunkline.Sessions.Tests.Keeping;

/// <summary>
/// What a kept session sends at QoS 2 leaves by a permission of the store, and the connection is told how old it is: on
/// another node the session may have gone on since.
/// </summary>
public sealed class PermissionTests
{
    [Theory]
    [Each]
    public void PUBLISH_PUBREL_and_PUBCOMP_are_permitted_by_the_write_they_waited_for(Setup setup)
    {
        var bed = new TestBed(setup);
        var keeper = new TestKeeper(bed.Context);
        TestClient device = bed.Open(bed.Persistent("d"));
        device.SendSubscribe(5, 0, ("a", SubscriptionOptions.Create(QoS.ExactlyOnce)));
        keeper.Write();
        device.Expect(PacketType.SubAck);
        Assert.Empty(device.Host.Permitted);

        bed.OpenV5("p").Publish("a", "x", QoS.ExactlyOnce, 1);
        bed.Advance(10);
        keeper.Write();
        ushort id = device.ExpectPublish("x").Id;
        Assert.Equal([bed.Loop.NowMs], device.Host.Permitted);

        device.PubRec(id);
        bed.Advance(10);
        keeper.Write();
        device.Expect(PacketType.PubRel);
        Assert.Equal(bed.Loop.NowMs, device.Host.Permitted[1]);
        device.PubComp(id);

        device.Publish("b", "y", QoS.ExactlyOnce, 7);
        keeper.Write();
        device.Expect(PacketType.PubRec);
        device.PubRel(7);
        bed.Advance(10);
        keeper.Write();
        device.Expect(PacketType.PubComp);
        Assert.Equal(bed.Loop.NowMs, device.Host.Permitted[2]);
        Assert.Equal(3, device.Host.Permitted.Count);
    }

    [Theory]
    [Each]
    public void QoS_0_and_1_and_clean_sessions_need_none(Setup setup)
    {
        var bed = new TestBed(setup);
        _ = new TestKeeper(bed.Context) { WritesAtOnce = true };
        TestClient device = bed.Open(bed.Persistent("d")).Subscribe("a", QoS.AtLeastOnce);
        TestClient clean = bed.Open("c").Subscribe("a");
        TestClient publisher = bed.OpenV5("p");
        publisher.Publish("a", "zero");
        publisher.Publish("a", "one", QoS.AtLeastOnce, 1);
        publisher.Publish("a", "two", QoS.ExactlyOnce, 2);
        Assert.Equal(3, device.Take().Count);
        Assert.Equal(3, clean.Take().Count);
        Assert.Empty(device.Host.Permitted);
        Assert.Empty(clean.Host.Permitted);
    }

    [Theory]
    [Each]
    public void What_is_sent_again_late_leaves_by_the_permission_the_connection_came_with(Setup setup)
    {
        var bed = new TestBed(setup);
        _ = new TestKeeper(bed.Context) { WritesAtOnce = true, HoldsDetached = true };
        TestClient before = bed.Open(bed.Persistent("d")).Subscribe("a");
        TestClient publisher = bed.OpenV5("p");
        publisher.Publish("a", "x", QoS.ExactlyOnce, 1);
        before.ExpectPublish("x");
        before.Drop();

        bed.Advance(10);
        TestClient device = bed.Accept();
        device.Congest();
        device.Connect(bed.Persistent("d"));
        device.Expect(PacketType.ConnAck);
        long claimedMs = bed.Loop.NowMs;
        bed.Advance(10);
        device.Relieve();

        Assert.True(device.ExpectPublish("x").Duplicate);
        Assert.Equal([claimedMs], device.Host.Permitted);
    }

    [Fact]
    public void A_connection_that_is_taken_over_keeps_nothing_for_later()
    {
        var bed = new TestBed(Setup.V5);
        _ = new TestKeeper(bed.Context) { WritesAtOnce = true, HoldsDetached = true };
        TestClient before = bed.Open(bed.Persistent("d"));
        bed.Open(bed.Persistent("d"));
        Assert.Equal(1, before.Host.DroppedPermitted);
        before.ExpectDisconnected(ReasonCode.SessionTakenOver);
    }
}
