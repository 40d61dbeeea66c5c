namespace Trunkline.Transports.Tests.Timers;

public sealed class TimerWheelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(1000)]
    [InlineData(65_536)]
    [InlineData(65_600)]
    [InlineData(3_600_000)]
    public void A_timer_is_never_early_and_at_most_a_slot_late(long delayMs)
    {
        for (long start = 1_000_000; start < 1_000_130; start += 13)
        {
            var wheel = new TimerWheel(start);
            long firedAt = 0;
            wheel.Schedule(new ActionTimer(() => firedAt = wheel.NowMs), delayMs);
            long now = start;
            while (firedAt == 0)
            {
                int next = wheel.NextDelayMs();
                Assert.InRange(next, 1, 65_536);
                now += next;
                wheel.Advance(now);
            }

            Assert.InRange(firedAt, start + delayMs, start + delayMs + TimerWheel.SlotMs);
            Assert.Equal(-1, wheel.NextDelayMs());
        }
    }

    [Theory]
    [InlineData(5_000)]
    [InlineData(20_000)]
    [InlineData(70_000)]
    [InlineData(3_600_000)]
    public void A_delay_counts_from_now_however_long_nothing_was_fired(long sleptMs)
    {
        var wheel = new TimerWheel(0);
        int fired = 0;
        wheel.MoveClock(sleptMs);
        wheel.Schedule(new ActionTimer(() => fired++), 10_000);
        Assert.Equal(0, wheel.Advance(sleptMs));
        Assert.InRange(wheel.NextDelayMs(), 1, 65_536);
        Assert.Equal(0, wheel.Advance(sleptMs + 9_999));
        Assert.Equal(1, wheel.Advance(sleptMs + 10_000 + TimerWheel.SlotMs));
        Assert.Equal(1, fired);
    }

    [Fact]
    public void Random_histories_fire_what_a_list_would()
    {
        var random = new Random(31);
        var wheel = new TimerWheel(0);
        var due = new Dictionary<int, long>();
        var fired = new HashSet<int>();
        var timers = new ActionTimer[500];
        for (int i = 0; i < timers.Length; i++)
        {
            int id = i;
            timers[i] = new ActionTimer(() => fired.Add(id));
        }

        long now = 0;
        for (int step = 0; step < 20_000; step++)
        {
            int id = random.Next(timers.Length);
            switch (random.Next(3))
            {
                case 0:
                    long delay = random.Next(4) == 0 ? random.Next(300_000) : random.Next(2_000);
                    wheel.Schedule(timers[id], delay);
                    due[id] = now + delay;
                    break;
                case 1:
                    wheel.Cancel(timers[id]);
                    due.Remove(id);
                    break;
                default:
                    now += random.Next(50) == 0 ? random.Next(200_000) : random.Next(200);
                    fired.Clear();
                    wheel.Advance(now);
                    Assert.All(fired, one => Assert.True(due[one] <= now));
                    foreach (int one in fired)
                    {
                        due.Remove(one);
                    }

                    Assert.All(due, one => Assert.True(one.Value > now - TimerWheel.SlotMs, $"{one.Key} is late"));
                    break;
            }

            Assert.Equal(due.Count, wheel.Count);
            Assert.Equal(due.ContainsKey(id), timers[id].IsScheduled);
        }
    }

    [Fact]
    public void A_timer_may_cancel_and_set_others_and_itself_while_firing()
    {
        var wheel = new TimerWheel(0);
        int again = 0;
        ActionTimer? self = null;
        var victim = new ActionTimer(() => throw new InvalidOperationException("cancelled ones do not fire"));
        self = new ActionTimer(() =>
        {
            wheel.Cancel(victim);
            if (++again < 3)
            {
                wheel.Schedule(self!, 0);
            }
        });
        wheel.Schedule(self, 10);
        wheel.Schedule(victim, 10);
        wheel.Advance(64);
        Assert.Equal(1, again);
        wheel.Advance(128);
        wheel.Advance(192);
        Assert.Equal(3, again);
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void Timers_of_one_slot_fire_in_the_order_they_were_set()
    {
        var wheel = new TimerWheel(0);
        var order = new List<int>();
        for (int i = 0; i < 10; i++)
        {
            int id = i;
            wheel.Schedule(new ActionTimer(() => order.Add(id)), 40);
        }

        wheel.Advance(100);
        Assert.Equal(Enumerable.Range(0, 10), order);
    }

    private sealed class ActionTimer(Action action) : LoopTimer
    {
        protected override void OnDue() => action();
    }
}
