using System.Diagnostics;
using System.Globalization;
using Trunkline.Topics;
using static Trunkline.Directory.Tests.StreamHarness;

namespace Trunkline.Directory.Tests;

/// <summary>Faults of a Redis of its own each, under appends that are repeated until they are done.</summary>
public sealed class StreamFaultTests
{
    [Theory]
    [InlineData("always")]
    [InlineData("everysec")]
    public async Task A_killed_redis_with_its_file_has_every_confirmed_message_once(string fsync)
    {
        await using RedisServer server = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", fsync);
        await using var harness = new StreamHarness(server);
        GroupStream stream = await harness.OpenAsync();
        var writer = new Writer(stream, "n/1");
        Task writing = writer.RunAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(writer.Confirmed > 500), "appends are under way");
        if (fsync == "everysec")
        {
            // While a sync lags, this Redis answers up to two seconds before it writes: what is in the file is what it keeps.
            writer.EndIn(0);
            await writing;
            await Eventually.HoldsAsync(
                async () => (await server.CommandAsync("INFO persistence")).Contains("aof_buffer_length:0", StringComparison.Ordinal), "all is written");
        }

        await server.KillAsync();
        ulong last = writer.EndIn(1_000);
        if (writing.IsCompleted)
        {
            // On a thread of its own: without a Redis an append fails at once.
            writing = Task.Run(writer.RunAsync);
        }

        await server.RunAsync();
        await writing;
        await ConnectedAsync(stream);
        Assert.Equal(Enumerable.Range(1, (int)last).Select(Text), await ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_killed_redis_that_kept_nothing_goes_on_with_what_is_not_confirmed()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var harness = new StreamHarness(server);
        GroupStream stream = await harness.OpenAsync();
        var writer = new Writer(stream, "n/1");
        Task writing = writer.RunAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(writer.Confirmed > 500), "appends are under way");
        await server.KillAsync();

        // What Redis confirmed before its death may be read after it; a failure is behind all of that.
        await Eventually.HoldsAsync(() => Task.FromResult(writer.Failures > 0), "the death is noticed");
        ulong last = writer.EndIn(1_000);
        await server.RunAsync();
        await writing;
        await ConnectedAsync(stream);
        List<string> kept = await ReadAllAsync(stream);
        Assert.InRange(kept.Count, 1_000, (int)last - 1);
        Assert.Equal(Enumerable.Range(1, (int)last).Select(Text).TakeLast(kept.Count), kept);
    }

    [Fact]
    public async Task A_stopped_redis_costs_a_deadline_and_repeats_nothing_after_it()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var harness = new StreamHarness(server);
        GroupStream stream = await harness.OpenAsync();
        var writer = new Writer(stream, "n/1");
        Task writing = writer.RunAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(writer.Confirmed > 200), "appends are under way");
        server.Stop();
        await Eventually.HoldsAsync(() => Task.FromResult(writer.Failures > 0), "a deadline passes");
        long start = Stopwatch.GetTimestamp();
        Assert.False((await stream.AppendAsync(Batch("other", 0, 1, "x"))).IsOk);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 10);
        Assert.False(stream.IsConnected && stream.Fault.Length > 0);
        ulong last = writer.EndIn(1_000);
        server.Continue();
        await writing;
        await ConnectedAsync(stream);
        Assert.Equal(Enumerable.Range(1, (int)last).Select(Text), (await ReadAllAsync(stream)).Where(text => text != "x"));
    }

    [Fact]
    public async Task A_full_redis_refuses_and_takes_again_when_there_is_room()
    {
        await using RedisServer server = await RedisServer.StartAsync("--maxmemory", "6mb", "--maxmemory-policy", "noeviction");
        await using var harness = new StreamHarness(server);
        GroupStream stream = await harness.OpenAsync();
        string large = new('x', 100_000);
        ulong number = 0;
        DirectoryResult<StreamAppended> result;
        do
        {
            number++;
            result = await stream.AppendAsync(Batch("n/1", number - 1, number, large));
        }
        while (result.IsOk);

        Assert.Contains("OOM", result.Detail, StringComparison.Ordinal);
        Assert.InRange(number, 5UL, 100UL);
        Assert.True(stream.IsConnected);
        Assert.Equal((int)number - 1, (await ReadAllAsync(stream)).Count);
        await server.CommandAsync("CONFIG SET maxmemory 100mb");
        Assert.Equal(1, (await AppendAsync(stream, "n/1", number - 1, number, large)).Added);
    }

    [Fact]
    public async Task Script_flush_under_appends_loses_and_repeats_nothing()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var harness = new StreamHarness(server);
        GroupStream stream = await harness.OpenAsync();
        var writer = new Writer(stream, "n/1");
        writer.EndIn(3_000);
        Task writing = writer.RunAsync();
        while (!writing.IsCompleted)
        {
            await server.CommandAsync("SCRIPT FLUSH");
        }

        await writing;
        Assert.Equal(Enumerable.Range(1, 3_000).Select(Text), await ReadAllAsync(stream));
    }

    [Fact]
    public async Task An_append_that_too_few_replicas_have_is_not_confirmed()
    {
        await using RedisServer master = await RedisServer.StartAsync();
        await using var harness = new StreamHarness(master);
        harness.Directory = harness.Directory with { Durability = "replicas(1)", ReplicaWaitMs = 200 };
        GroupStream stream = await harness.OpenAsync();
        Assert.False((await stream.AppendAsync(Batch("n/1", 0, 1, "a"))).IsOk);
        await using RedisServer replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", master.Port.ToString(CultureInfo.InvariantCulture));
        await Eventually.HoldsAsync(async () => (await master.CommandAsync("WAIT 1 10")).Contains(":1", StringComparison.Ordinal), "the replica is there");

        // A repeat, and it too waits for the replica.
        StreamAppended appended = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                DirectoryResult<StreamAppended> result = await stream.AppendAsync(Batch("n/1", 0, 1, "a"));
                appended = result.Value;
                return result.IsOk;
            },
            "the replica has it");
        Assert.Equal((0, 1UL), (appended.Added, appended.Last));
        Assert.Equal(["a"], await ReadAllAsync(stream));
        Assert.Contains(":1", await replica.CommandAsync("XLEN {t1:log:g}:s"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_a_cluster_an_append_waits_for_the_replica_of_its_own_master()
    {
        RedisServer[] servers = await RedisServer.StartClusterOfSixAsync();
        try
        {
            await using var harness = new StreamHarness(servers[0]);
            harness.Directory = harness.Directory with { Endpoints = [.. servers.Select(s => s.Endpoint)], Durability = "replicas(1)", ReplicaWaitMs = 300 };
            GroupStream stream = await harness.OpenAsync();
            await AppendAsync(stream, "n/1", 0, 1, "a");
            int master = Slots.OfKey("{t1:log:g}:s"u8) / 5_461;
            servers[((master + 1) % 3) + 3].Stop();
            await AppendAsync(stream, "n/1", 1, 2, "b");

            servers[master + 3].Stop();
            Assert.Equal("too few replicas had it in time", (await stream.AppendAsync(Batch("n/1", 2, 3, "c"))).Detail);
            servers[master + 3].Continue();
            await Eventually.HoldsAsync(async () => (await stream.AppendAsync(Batch("n/1", 2, 3, "c"))).IsOk, "its replica goes on");
            Assert.Equal(["a", "b", "c"], await ReadAllAsync(stream));
        }
        finally
        {
            foreach (RedisServer server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Appends 1, 2, 3, ... in batches of ten, four under way, and again from the last confirmed one after any failure.</summary>
    private sealed class Writer(GroupStream stream, string producer)
    {
        private long _confirmed;
        private long _last = long.MaxValue;
        private int _failures;

        public ulong Confirmed => (ulong)Interlocked.Read(ref _confirmed);

        public int Failures => Volatile.Read(ref _failures);

        /// <summary>Ends so many messages after the last confirmed one.</summary>
        public ulong EndIn(ulong count)
        {
            ulong last = Confirmed + count;
            Interlocked.Exchange(ref _last, (long)last);
            return last;
        }

        public async Task RunAsync()
        {
            while (Confirmed < (ulong)Interlocked.Read(ref _last))
            {
                ulong last = (ulong)Interlocked.Read(ref _last);
                ulong confirmed = Confirmed;
                var batches = new List<Task<DirectoryResult<StreamAppended>>>();
                ulong next = confirmed + 1;
                for (int i = 0; i < 4 && next <= last; i++)
                {
                    ulong end = ulong.Min(next + 9, last);
                    string[] texts = [.. Enumerable.Range((int)next, (int)(end - next) + 1).Select(Text)];
                    batches.Add(stream.AppendAsync(Batch(producer, confirmed, next, texts)).AsTask());
                    next = end + 1;
                }

                foreach (Task<DirectoryResult<StreamAppended>> batch in batches)
                {
                    DirectoryResult<StreamAppended> result = await batch;
                    if (!result.IsOk || result.Value.IsGap)
                    {
                        Interlocked.Increment(ref _failures);
                        await Task.WhenAll(batches);
                        break;
                    }

                    Interlocked.Exchange(ref _confirmed, (long)ulong.Max(Confirmed, result.Value.Last));
                }
            }
        }
    }
}
