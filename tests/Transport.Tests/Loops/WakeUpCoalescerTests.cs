namespace Trunkline.Transports.Tests.Loops;

public sealed class WakeUpCoalescerTests
{
    private const long Frequency = 1_000_000;
    private static readonly CoalescingOptions Options = new() { IntervalUs = 200, EventsPerSecond = 10_000 };

    [Theory]
    [InlineData(101, false)]
    [InlineData(100, true)]
    public void It_waits_from_the_rate_that_is_set(int gapUs, bool waits)
    {
        var coalescer = new WakeUpCoalescer(Options, Frequency, 0);
        Run(coalescer, 0, 10_000, gapUs);
        Assert.Equal(waits, coalescer.IsWaiting);
    }

    [Fact]
    public void Waiting_ends_below_half_of_that_rate_and_at_once_after_silence()
    {
        var coalescer = new WakeUpCoalescer(Options, Frequency, 0);
        long now = Run(coalescer, 0, 10_000, 50);
        now = Run(coalescer, now, 20_000, 199);
        Assert.True(coalescer.IsWaiting);
        now = Run(coalescer, now, 20_000, 210);
        Assert.False(coalescer.IsWaiting);
        now = Run(coalescer, now, 10_000, 50);
        Assert.True(coalescer.IsWaiting);
        coalescer.Looked(now + 1_000_000, 1);
        Assert.False(coalescer.IsWaiting);
    }

    [Fact]
    public void It_waits_for_the_rest_of_the_interval_and_not_when_the_turn_took_it()
    {
        var coalescer = new WakeUpCoalescer(Options, Frequency, 0);
        long now = Run(coalescer, 0, 10_000, 50);
        Assert.Equal(200, coalescer.WaitUs(now));
        Assert.Equal(150, coalescer.WaitUs(now + 50));
        Assert.Equal(30, coalescer.WaitUs(now + 170));
        Assert.Equal(0, coalescer.WaitUs(now + 171));
        Assert.Equal(0, coalescer.WaitUs(now + 5_000));
    }

    [Fact]
    public void Zero_never_waits()
    {
        var coalescer = new WakeUpCoalescer(Options with { IntervalUs = 0 }, Frequency, 0);
        long now = Run(coalescer, 0, 20_000, 10);
        Assert.False(coalescer.IsWaiting);
        Assert.Equal(0, coalescer.WaitUs(now));
    }

    private static long Run(WakeUpCoalescer coalescer, long from, int forUs, int gapUs)
    {
        long now = from;
        while (now < from + forUs)
        {
            now += gapUs;
            coalescer.Looked(now, 1);
        }

        return now;
    }
}
