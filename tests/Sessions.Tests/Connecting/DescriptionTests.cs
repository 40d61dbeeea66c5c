namespace Trunkline.Sessions.Tests.Connecting;

/// <summary>What the management port shows of a session.</summary>
public sealed class DescriptionTests
{
    [Theory, Each]
    public void A_session_is_described_while_connected_and_after(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open(bed.Persistent("s") with { KeepAlive = 30, Will = new WillSettings("w", "x") { Delay = 60 } });
        client.Subscribe("a/#", QoS.AtLeastOnce, identifier: 5, noLocal: setup.IsV5).Subscribe("b");
        TestClient publisher = bed.Open("p");
        publisher.Publish("a/1", "1", QoS.AtLeastOnce, 1).Publish("a/2", "2", QoS.AtLeastOnce, 2);
        client.Publish("x", "y", QoS.ExactlyOnce, 3);
        SessionDescription description = client.Session.Describe();
        Assert.Equal(("s", true, (ProtocolVersion?)setup.Version, 1), (description.ClientId, description.IsConnected, description.Version, description.Attachment));
        Assert.Equal(((int?)30, (long?)null, true), (description.KeepAliveSeconds, description.ExpiresInSeconds, description.HasWill));
        Assert.Equal(setup.IsV5 ? 3600 : uint.MaxValue, description.ExpirySeconds);
        Assert.Equal((2, 1, 0, 2), (description.InFlightOut, description.InFlightIn, description.Waiting, description.SubscriptionCount));
        Assert.Equal(
            new SubscriptionDescription("a/#", QoS.AtLeastOnce, setup.IsV5, false, RetainHandling.SendAtSubscribe, setup.IsV5 ? 5u : 0),
            description.Subscriptions[0]);

        client.Drop();
        publisher.Publish("b", "3", QoS.AtLeastOnce, 3);
        bed.Advance(10);
        description = bed.Context.Registry.Find("s")!.Describe();
        Assert.Equal((false, (ProtocolVersion?)null, (int?)null), (description.IsConnected, description.Version, description.KeepAliveSeconds));
        Assert.Equal((2, 1, 1), (description.InFlightOut, description.InFlightIn, description.Waiting));
        Assert.Equal(setup.IsV5 ? 3590 : null, description.ExpiresInSeconds);
        Assert.Equal(setup.IsV5, description.HasWill);
    }
}
