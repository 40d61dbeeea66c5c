namespace Trunkline.Sessions.Tests.Publishing;

/// <summary>A device that sends much at a time gets its share of each turn; what the others send is handled between.</summary>
public sealed class FairnessTests
{
    private const int Burst = 10_000;
    private const int Share = 100;

    public static TheoryData<Setup> Whole => [Setup.V311, Setup.V5];

    [Theory, MemberData(nameof(Whole))]
    public void Ten_thousand_tiny_packets_take_a_share_of_each_turn_and_the_others_theirs_between(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumPacketsPerTurn = Share });
        TestClient flood = bed.Open("flood");
        TestClient other = bed.Open("other");
        int before = flood.Host.Written.WrittenCount;
        flood.Host.Send(Enumerable.Repeat(new byte[] { 0xC0, 0 }, Burst).SelectMany(ping => ping).ToArray());

        // The first share was taken as it came; its turn has to end.
        bed.Loop.RunTurn();
        for (int turn = 1; turn <= Burst / Share; turn++)
        {
            // Two bytes in, two bytes out.
            Assert.Equal(turn * Share * 2, flood.Host.Written.WrittenCount - before);
            other.Host.Send(Wire.Publish(setup.Version, "t", $"{turn}", new PublishSettings()));
            Assert.Equal(turn, bed.Router.Log.Count);
            bed.Loop.RunTurn();
        }

        Assert.Equal(Burst * 2, flood.Host.Written.WrittenCount - before);
        Assert.Equal((Burst / Share) - 1, bed.Count(SessionCounter.TurnsYielded));
        Assert.Equal(0, bed.Count(SessionCounter.ReadingPaused));
        Assert.False(flood.Host.IsPaused);
    }

    [Theory, MemberData(nameof(Whole))]
    public void One_that_ends_within_its_share_waits_for_nothing(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumPacketsPerTurn = 2 });
        TestClient client = bed.Open("c");
        client.Host.Send([0xC0, 0, 0xC0, 0]);
        Assert.False(client.Host.IsPaused);
        Assert.Equal(0, bed.Count(SessionCounter.TurnsYielded));
    }

    [Theory, MemberData(nameof(Whole))]
    public void One_that_ends_while_it_waits_for_its_turn_is_left_alone(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumPacketsPerTurn = 2 });
        TestClient client = bed.Open("c");
        client.Host.Send([0xC0, 0, 0xC0, 0, 0xC0, 0]);
        Assert.True(client.Host.IsPaused);
        client.Host.IsTransportGone = true;
        client.Host.Channel.OnTransportClosed("gone");
        bed.EndAll();
        bed.AssertAtRest();
    }
}
