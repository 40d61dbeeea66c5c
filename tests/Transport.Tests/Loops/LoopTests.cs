using System.Collections.Concurrent;

namespace Trunkline.Transports.Tests.Loops;

public sealed class LoopTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Work_of_many_threads_runs_once_each_in_each_threads_order()
    {
        const int Threads = 8, Each = 20_000;
        using var loop = new ThreadLoop(new LoopOptions { Name = "posted" });
        loop.Start();
        var last = new int[Threads];
        int run = 0;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (int i = 1; i <= Each; i++)
            {
                loop.Post(new Numbered(loop, () =>
                {
                    if (++run == Threads * Each)
                    {
                        done.SetResult();
                    }
                }, last, thread, i));
            }
        })));
        await done.Task.WaitAsync(Deadline);
        Assert.Equal(Threads * Each, run);
        Assert.All(last, value => Assert.Equal(Each, value));
        Assert.Equal(0, loop.FaultCount);
    }

    [Fact]
    public async Task A_sleeping_loop_is_woken_each_time()
    {
        using var loop = new ThreadLoop(new LoopOptions());
        loop.Start();
        for (int i = 0; i < 5_000; i++)
        {
            Assert.Equal(i, await loop.InvokeAsync(() => i).WaitAsync(Deadline));
        }
    }

    [Fact]
    public async Task Exceptions_are_contained_and_told()
    {
        var faults = new Faults();
        using var loop = new ThreadLoop(new LoopOptions { Faults = faults });
        loop.Start();
        loop.Post(() => throw new InvalidOperationException("work"));
        await loop.InvokeAsync(() => loop.Timers.Schedule(new ActionTimer(() => throw new InvalidOperationException("timer")), 0));
        await loop.InvokeAsync(() => loop.AtEndOfTurn(new ActionItem(() => throw new InvalidOperationException("item"))));
        await Assert.ThrowsAsync<InvalidOperationException>(() => loop.InvokeAsync(() => throw new InvalidOperationException("mine")));
        for (int i = 0; i < 3; i++)
        {
            await faults.Told.WaitAsync(Deadline);
        }

        Assert.Equal(["item", "timer", "work"], faults.Messages.Order());
        Assert.Equal(3, await loop.InvokeAsync(() => loop.FaultCount));
    }

    [Fact]
    public async Task After_the_stop_work_is_dropped_and_calls_fail()
    {
        var loop = new ThreadLoop(new LoopOptions());
        loop.Start();
        await loop.InvokeAsync(() => { });
        await loop.StopAsync().WaitAsync(Deadline);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => loop.InvokeAsync(() => { }).WaitAsync(Deadline));
        loop.Dispose();
    }

    [Fact]
    public void Work_may_not_be_queued_twice_but_again_once_it_runs()
    {
        using var loop = new ManualLoop();
        int runs = 0;
        ActionWork? work = null;
        work = new ActionWork(() =>
        {
            if (++runs < 3)
            {
                loop.Post(work!);
            }
        });
        loop.Post(work);
        Assert.Throws<InvalidOperationException>(() => loop.Post(work));
        loop.RunUntilIdle();
        Assert.Equal(3, runs);
    }

    [Fact]
    public void End_of_turn_items_that_add_items_run_in_the_same_turn()
    {
        using var loop = new ManualLoop();
        var order = new List<string>();
        loop.Post(() => loop.AtEndOfTurn(new ActionItem(() =>
        {
            order.Add("first");
            loop.AtEndOfTurn(new ActionItem(() => order.Add("second")));
        })));
        loop.RunTurn();
        Assert.Equal(["first", "second"], order);
    }

    [Fact]
    public void One_connection_gets_its_share_of_a_turn_and_no_more()
    {
        using var loop = new ManualLoop(new ManualTime(), new LoopOptions { InputPerTurnBytes = 4096 });
        (MemoryTransport near, MemoryTransport far) = MemoryTransport.CreatePair(loop, loop);
        (MemoryTransport otherNear, MemoryTransport otherFar) = MemoryTransport.CreatePair(loop, loop);
        var greedy = new Recorder();
        var modest = new Recorder();
        far.Handler = greedy;
        otherFar.Handler = modest;
        System.Buffers.BuffersExtensions.Write(near.Output, new byte[100_000]);
        System.Buffers.BuffersExtensions.Write(otherNear.Output, new byte[10]);
        int before = 0;
        while (greedy.Bytes.Length < 100_000)
        {
            loop.RunTurn();
            Assert.InRange(greedy.Bytes.Length - before, 0, 4096 + BufferPool.LargeBytes);
            before = greedy.Bytes.Length;
            Assert.True(before < 70_000 || modest.Bytes.Length == 10, "the modest one waits behind the greedy one");
        }
    }

    private sealed class Numbered(ThreadLoop loop, Action ran, int[] last, int thread, int number) : LoopWork
    {
        protected override void Run()
        {
            if (!loop.IsCurrent || last[thread] != number - 1)
            {
                throw new InvalidOperationException($"thread {thread}: {number} after {last[thread]}");
            }

            last[thread] = number;
            ran();
        }
    }

    private sealed class ActionWork(Action action) : LoopWork
    {
        protected override void Run() => action();
    }

    private sealed class ActionTimer(Action action) : LoopTimer
    {
        protected override void OnDue() => action();
    }

    private sealed class ActionItem(Action action) : IEndOfTurn
    {
        public void OnEndOfTurn() => action();
    }

    private sealed class Faults : ILoopFaults
    {
        public ConcurrentQueue<string> Messages { get; } = new();

        public SemaphoreSlim Told { get; } = new(0);

        public void OnFault(Loop loop, object source, Exception exception)
        {
            Messages.Enqueue(exception.Message);
            Told.Release();
        }
    }
}
