namespace Trunkline.Sessions.Tests.Publishing;

/// <summary>The short way of a burst on one topic: what goes by it, what does not, and that nothing else about it differs.</summary>
public sealed class KnownTopicTests
{
    public static TheoryData<Setup> Whole => [Setup.V311, Setup.V5];

    [Theory, MemberData(nameof(Whole))]
    public void Plain_messages_on_the_topic_before_go_the_short_way_also_from_another_device(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient subscriber = bed.Open("s").Subscribe("#", QoS.AtMostOnce);
        TestClient one = bed.Open("one").Publish("a/b", "1").Publish("a/b", "2");
        TestClient other = bed.Open("other").Publish("a/b", "3").Publish("a/bb", "4").Publish("a/b", "").Publish("a/b", "6");
        Assert.Equal(3, bed.Router.Plain);
        Assert.Equal(6, bed.Count(SessionCounter.ReceivedQoS0));
        Assert.Equal(["a/b 1", "a/b 2", "a/b 3", "a/bb 4", "a/b ", "a/b 6"], bed.Router.Log.Select(got => $"{got.Topic} {got.Payload}"));
        Assert.Equal(["one", "one", "other", "other", "other", "other"], bed.Router.Log.Select(got => got.ClientId));
        Assert.Equal(["1", "2", "3", "4", "", "6"], subscriber.Take().Select(packet => packet.Payload));
        one.ExpectNothing();
        other.ExpectNothing();
    }

    [Theory, MemberData(nameof(Whole))]
    public void What_has_more_to_it_goes_the_ordinary_way(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("c").Publish("a", "1");
        client.Publish("a", "2", new PublishSettings { Retain = true }).Publish("a", "3", QoS.AtLeastOnce, 7).Take();
        if (client.IsV5)
        {
            client.Publish("a", "4", new PublishSettings { Expiry = 9 }).Publish("a", "5", new PublishSettings { Alias = 1 });
        }

        client.Publish(new string('t', 300), "6").Publish(new string('t', 300), "7");
        Assert.Equal(0, bed.Router.Plain);
        client.Publish("a", "8").Publish("a", "9");
        Assert.Equal(1, bed.Router.Plain);
    }

    [Fact]
    public void A_publisher_that_asks_for_no_local_is_named_in_each_message()
    {
        var bed = new TestBed(Setup.V5);
        TestClient client = bed.Open("c").Publish("a", "1").Subscribe("b", noLocal: true);
        client.Publish("a", "2").Publish("a", "3");
        Assert.Equal(0, bed.Router.Plain);
        Assert.Equal(SessionRegistry.OriginOf("c"), bed.Router.Last.Origin);
    }

    [Fact]
    public void A_known_topic_with_its_properties_cut_off_is_malformed()
    {
        var bed = new TestBed(Setup.V5);
        TestClient client = bed.Open("c").Publish("a", "1");
        client.Send(Wire.Frame(0x30, Wire.Text("a")));
        client.ExpectDisconnected(ReasonCode.MalformedPacket);
        Assert.Single(bed.Router.Log);
    }

    [Theory, MemberData(nameof(Whole))]
    public void A_topic_that_was_refused_is_refused_again(Setup setup)
    {
        var bed = new TestBed(setup);
        for (int i = 0; i < 2; i++)
        {
            TestClient client = bed.Open($"c{i}").Publish("a/b", "1").Publish("a/+", "no");
            Assert.Single(client.Host.Closes);
        }

        Assert.All(bed.Router.Log, got => Assert.Equal("a/b", got.Topic));
    }

    [Theory, MemberData(nameof(Whole))]
    public void A_full_way_stops_reading_on_the_short_way_too(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Open("c").Publish("a", "1");
        bed.Router.SlowDown = true;
        client.Publish("a", "2");
        Assert.Equal(1, bed.Router.Plain);
        Assert.True(client.Host.IsPaused);
    }
}
