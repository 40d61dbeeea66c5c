using Xunit.Abstractions;

namespace Trunkline.Transports.Tests.Loops;

/// <summary>Loops whose turns go from thread to thread: nothing is lost or out of order, and no loop is ever entered twice.</summary>
public sealed class LoopSharingTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Work_and_timers_survive_hand_overs_at_random_under_load()
    {
        const int Posters = 4, Each = 15_000;
        int seed = Random.Shared.Next();
        output.WriteLine($"Seed {seed}.");
        using var trio = new Trio();
        var watched = trio.Loops.Select((loop, n) => new Watched(loop, trio.Loops, new Random(seed + n))).ToArray();
        var chains = Enumerable.Range(0, Posters).Select(n => new Chain(watched, n, Each)).ToArray();
        foreach (Watched loop in watched)
        {
            await loop.Loop.InvokeAsync(loop.BeginTimers);
        }

        await Task.WhenAll(chains.Select(chain => Task.Run(chain.PostAllAsync)));
        foreach (Chain chain in chains)
        {
            await Eventually.InTimeAsync(chain.Done, $"chain {chain.Name} with seed {seed}: {chain.Count} of {Each} came", Deadline);
        }

        Array.ForEach(chains, chain => chain.Dispose());
        output.WriteLine(string.Join(", ", watched.Select(loop => $"{loop.Loop.Name}: {loop.Loop.HandOvers} hand-overs, {loop.TimersFired} timers")));
        Assert.All(watched, loop => Assert.True(loop.TimersFired > 0, "no timer fired"));
        Assert.All(trio.Guests, guest => Assert.True(guest.HandOvers > 100, $"only {guest.HandOvers} hand-overs"));
        Assert.All(trio.Loops, loop => Assert.Equal(0, loop.FaultCount));
    }

    [Fact]
    public async Task A_shared_loop_that_sleeps_is_woken_each_time_and_its_timers_fire()
    {
        using var trio = new Trio();
        await trio.ShareAsync();
        for (int i = 0; i < 2_000; i++)
        {
            Loop loop = trio.Loops[i % trio.Loops.Length];
            Assert.Equal(i, await loop.InvokeAsync(() => i).WaitAsync(Deadline));
        }

        foreach (Loop guest in trio.Guests)
        {
            var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await guest.InvokeAsync(() => guest.Timers.Schedule(new ActionTimer(fired.SetResult), 200));
            await Eventually.InTimeAsync(fired.Task, "the timer of a loop whose thread is another's", Deadline);
            Assert.True(guest.IsShared);
        }
    }

    [Fact]
    public async Task Within_the_turn_of_one_loop_no_other_loop_of_its_thread_is_current()
    {
        using var trio = new Trio();
        await trio.ShareAsync();
        int[] threads = new int[trio.Loops.Length];
        for (int i = 0; i < trio.Loops.Length; i++)
        {
            bool[] current = await trio.Loops[i].InvokeAsync(() =>
            {
                threads[i] = Environment.CurrentManagedThreadId;
                return trio.Loops.Select(loop => loop.IsCurrent).ToArray();
            });
            Assert.Equal([i], Enumerable.Range(0, current.Length).Where(n => current[n]));
        }

        Assert.Single(threads.Distinct());
    }

    [Fact]
    public async Task Loops_join_when_there_is_little_to_do_and_part_when_the_thread_is_busy()
    {
        using var trio = new Trio(belowPercent: 50);
        await Eventually.HoldsAsync(
            async () =>
            {
                // An idle loop has no turn in which it could ask.
                await Task.WhenAll(trio.Guests.Select(guest => guest.InvokeAsync(() => { })));
                return trio.Guests.All(guest => guest.IsShared);
            },
            "idle loops share a thread");
        using var stop = new CancellationTokenSource();
        var busy = new Busy(trio.Loops[0], stop.Token);
        trio.Loops[0].Post(busy);
        await Eventually.HoldsAsync(() => !trio.Guests.Any(guest => guest.IsShared), "loops part from a busy one");
        await stop.CancelAsync();
    }

    [Fact]
    public async Task Zero_percent_never_shares()
    {
        using var host = new ThreadLoop(new LoopOptions { Name = "host" });
        using var guest = new ThreadLoop(new LoopOptions { Name = "guest" });
        guest.ShareThreadOf(host, new LoopSharingOptions { BelowPercent = 0 });
        host.Start();
        guest.Start();
        await Eventually.LastsAsync(TimeSpan.FromMilliseconds(700));
        await guest.InvokeAsync(() => { });
        await guest.InvokeAsync(() => { });
        Assert.False(guest.IsShared);
        Assert.Equal(0, guest.HandOvers);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_loop_that_stops_leaves_the_others_running(int stopped)
    {
        using var trio = new Trio();
        await trio.ShareAsync();
        await Eventually.InTimeAsync(trio.Loops[stopped].StopAsync(), "the end of a loop", Deadline);
        foreach (Loop loop in trio.Loops.Where((_, n) => n != stopped))
        {
            Assert.Equal(7, await loop.InvokeAsync(() => 7).WaitAsync(Deadline));
            await Eventually.InTimeAsync(loop.StopAsync(), "the end of another loop", Deadline);
        }
    }

    [Fact]
    public async Task A_loop_cannot_be_lent_to_one_that_has_ended()
    {
        using var trio = new Trio();
        await trio.Loops[0].StopAsync().WaitAsync(Deadline);
        for (int i = 0; i < 100; i++)
        {
            await trio.Guests[0].InvokeAsync(trio.Guests[0].HandOverSoon).WaitAsync(Deadline);
        }

        Assert.Equal(0, trio.Guests[0].HandOvers);
    }

    [Theory]
    [InlineData(19, 0, false)]
    [InlineData(20, 9, true)]
    [InlineData(20, 10, false)]
    [InlineData(1_000, 499, true)]
    [InlineData(1_000, 501, false)]
    public void The_host_is_too_busy_above_the_percentage_of_a_window(int windowMs, int sleptMs, bool isTooBusy)
    {
        var host = new LoopHost(new LoopSharingOptions { BelowPercent = 50 }, TimeProvider.System);
        long ms = TimeProvider.System.TimestampFrequency / 1_000;
        host.BeginWindow(ms);
        host.Load.FallAsleep(ms);
        host.Load.WakeUp(ms * (1 + sleptMs));
        Assert.Equal(isTooBusy, host.IsTooBusy(ms * (1 + windowMs)));
    }

    /// <summary>A host and two guests. Beyond a whole thread no load parts them, only the test.</summary>
    private sealed class Trio : IDisposable
    {
        public Trio(int belowPercent = 101)
        {
            foreach (Loop guest in Guests)
            {
                guest.ShareThreadOf(Loops[0], new LoopSharingOptions { BelowPercent = belowPercent });
            }

            foreach (Loop loop in Loops)
            {
                loop.Start();
            }
        }

        public Loop[] Loops { get; } = [.. Enumerable.Range(0, 3).Select(n => new ThreadLoop(new LoopOptions { Name = $"loop-{n}", Index = n }))];

        public Loop[] Guests => Loops[1..];

        public async Task ShareAsync()
        {
            foreach (Loop guest in Guests)
            {
                await guest.InvokeAsync(guest.HandOverSoon);
            }

            await Eventually.HoldsAsync(() => Guests.All(guest => guest.IsShared), "both guests share the thread");
        }

        public void Dispose() => Array.ForEach(Loops, loop => loop.Dispose());
    }

    /// <summary>A loop that notices when two threads are in it, and changes threads at random.</summary>
    private sealed class Watched(Loop loop, Loop[] all, Random random)
    {
        private int _inside;
        private int _unguarded;

        public Loop Loop => loop;

        public int TimersFired { get; private set; }

        public void BeginTimers() => loop.Timers.Schedule(new ActionTimer(() =>
        {
            Enter();
            TimersFired++;
            BeginTimers();
        }), 1);

        /// <summary>Each piece of work on the loop passes here. A wrong one is a fault of the loop, which the test counts.</summary>
        public void Enter()
        {
            if (Interlocked.Increment(ref _inside) != 1)
            {
                throw new InvalidOperationException($"two threads in {loop.Name}");
            }

            if (!loop.IsCurrent || all.Count(each => each.IsCurrent) != 1)
            {
                throw new InvalidOperationException($"in {loop.Name} another loop is current");
            }

            // Not atomic on purpose: a second thread, or one that does not see what the last one wrote, loses a step.
            int before = _unguarded;
            if (loop.Index > 0 && random.Next(40) == 0)
            {
                loop.HandOverSoon();
            }

            _unguarded = before + 1;
            Interlocked.Decrement(ref _inside);
        }
    }

    /// <summary>Numbers that go from outside to each loop in turn, and come to its end in order.</summary>
    private sealed class Chain(Watched[] loops, int first, int each) : IDisposable
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        // Few at a time, so that there are many turns to change threads after.
        private readonly SemaphoreSlim _mayPost = new(20);

        public int Name => first;

        public int Count { get; private set; }

        public Task Done => _done.Task;

        public void Dispose() => _mayPost.Dispose();

        public async Task PostAllAsync()
        {
            for (int i = 1; i <= each; i++)
            {
                await _mayPost.WaitAsync();
                Watched to = loops[first % loops.Length];
                to.Loop.Post(new Step(this, i, first % loops.Length, loops.Length));
            }
        }

        private void Arrive(int number)
        {
            if (number != Count + 1)
            {
                _done.TrySetException(new InvalidOperationException($"{number} after {Count}"));
            }

            Count = number;
            _mayPost.Release();
            if (number == each)
            {
                _done.TrySetResult();
            }
        }

        private sealed class Step(Chain chain, int number, int at, int left) : LoopWork
        {
            private int _at = at;
            private int _left = left;

            protected override void Run()
            {
                chain.Loops[_at].Enter();
                if (--_left == 0)
                {
                    chain.Arrive(number);
                    return;
                }

                _at = (_at + 1) % chain.Loops.Length;
                chain.Loops[_at].Loop.Post(this);
            }
        }

        private Watched[] Loops => loops;
    }

    private sealed class Busy(Loop loop, CancellationToken stop) : LoopWork
    {
        protected override void Run()
        {
            if (!stop.IsCancellationRequested)
            {
                loop.Post(this);
            }
        }
    }

    private sealed class ActionTimer(Action action) : LoopTimer
    {
        protected override void OnDue() => action();
    }
}
