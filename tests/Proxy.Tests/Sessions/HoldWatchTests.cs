using Trunkline.Proxy;
using Trunkline.Transports;

namespace Trunkline.ProxyTests.Sessions;

public sealed class HoldWatchTests
{
    [Fact]
    public void What_is_asked_within_the_turn_after_a_hold_is_relied_on_and_what_was_asked_before_it_is_not()
    {
        var time = new ManualTime();
        var loop = new ManualLoop(time);
        var watch = new HoldWatch(loop) { LimitMs = 200 };
        long before = watch.Begin();
        Assert.False(watch.WasHeldSince(before));
        time.Advance(TimeSpan.FromMilliseconds(300));
        Assert.True(watch.WasHeldSince(before));

        // No timer has run yet: a directory in memory answers at once.
        long again = watch.Begin();
        Assert.False(watch.WasHeldSince(again));
        Assert.True(watch.WasHeldSince(before));

        loop.RunTurn();
        Assert.False(watch.WasHeldSince(again));
        Assert.True(watch.WasHeldSince(before));
    }
}
