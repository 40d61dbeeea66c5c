using Trunkline.Topics;

namespace Trunkline.Sessions.Tests.Keeping;

/// <summary>A session skips a part of the log amid its retained messages, some of which may have been left to that part (ADR 0021).</summary>
public sealed class SkippedRetainedTests
{
    /// <summary>
    /// A checkpoint that passed the part before the record names it, and a death then: nobody would know that the retained
    /// messages left to it never came.
    /// </summary>
    [Fact]
    public void A_checkpoint_does_not_pass_a_skipped_part_before_the_record_names_it()
    {
        var bed = new TestBed(Setup.V5);
        var (router, keeper, device) = Skip(bed);
        List<Packet> got = device.Take();
        Assert.Equal(["7", "8", "9", "10"], got.Select(packet => packet.Payload));
        got.ForEach(packet => device.PubAck(packet.Id));

        // Under way is not stored, nor is what was refused.
        keeper.Fail();
        Assert.Empty(keeper.Read("d").Skipped);
        Assert.Equal(LogRouter.At(0), device.Session.DonePosition(0, router.Dispatched(0)));
        Assert.Equal(1, bed.Context.Undone.Count);

        keeper.Write();
        Assert.Equal([new LogRange(0, LogRouter.At(0), LogRouter.At(6))], keeper.Read("d").Skipped);
        Assert.Equal(LogRouter.At(10), device.Session.DonePosition(0, router.Dispatched(0)));
        Assert.Equal(0, bed.Context.Undone.Count);
    }

    /// <summary>The end of the connection says both at once.</summary>
    [Fact]
    public void A_record_with_a_position_behind_a_skipped_part_names_the_part()
    {
        var bed = new TestBed(Setup.V5);
        var (_, keeper, device) = Skip(bed);
        device.Drop();
        SessionState left = keeper.Read("d");
        Assert.Equal([new LogRange(0, LogRouter.At(0), LogRouter.At(6))], left.Skipped);
        Assert.Equal([new GroupPosition(0, LogRouter.At(10))], left.Positions);
        Assert.True(Assert.Single(left.Subscriptions).IsRetainedPending);
    }

    /// <summary>A session comes back amid its retained messages and is above its limits by six of ten messages of the log.</summary>
    private static (LogRouter Router, TestKeeper Keeper, TestClient Device) Skip(TestBed bed)
    {
        LogRouter router = new LogRouter(bed.Context) { AboveLimit = 6, WithholdsRetained = true }.With(1, 10, QoS.AtLeastOnce);
        bed.Context.Router = router;
        var keeper = new TestKeeper(bed.Context);
        SessionState state = Pending();
        keeper.Store("d", state);
        bed.Context.Registry.Restore("d", state, state.Positions, [], isAfterDeath: true);
        TestClient device = bed.Open(bed.Persistent("d"));
        router.Serve();
        return (router, keeper, device);
    }

    private static SessionState Pending()
    {
        Assert.True(TopicFilterText.TryParse("a"u8, new TopicLimits(), out TopicFilterText filter, out _));
        return new SessionState
        {
            Subscriptions =
            [
                new SubscriptionState
                {
                    Filter = filter,
                    Options = SubscriptionOptions.Create(QoS.AtLeastOnce),
                    Starts = [new GroupPosition(0, LogRouter.At(0))],
                    IsRetainedPending = true,
                },
            ],
            Positions = [new GroupPosition(0, LogRouter.At(0))],
        };
    }
}
