using System.Diagnostics;
using System.Net;
using StackExchange.Redis;

namespace Trunkline.Directory.Tests;

/// <summary>Faults of a Redis of its own each: FAULTS.md rows 6, 11 and 12 as far as the directory goes.</summary>
public sealed class RedisFaultTests
{
    [Fact]
    public async Task A_stopped_redis_costs_a_deadline_then_nothing_and_works_after_it()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (one, events) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        HeldSession held = new("held", (await one.ClaimAsync(new("held", 1))).Value.Token, 1);
        events.Drain<object>();

        server.Stop();
        long start = Stopwatch.GetTimestamp();
        DirectoryResult<Claim>[] results = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => one.ClaimAsync(new("c" + i, i)).AsTask()));
        Assert.All(results, r => Assert.Equal(DirectoryStatus.Unavailable, r.Status));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 30);
        await events.NextAsync<DirectoryHealth>(h => h.State == DirectoryState.Unavailable);

        // Given up: now the answer comes at once.
        double least = double.MaxValue;
        for (int i = 0; i < 10; i++)
        {
            // The least of ten: one may be held up by what else the machine does.
            start = Stopwatch.GetTimestamp();
            Assert.Equal(DirectoryStatus.Unavailable, (await one.ClaimAsync(new("x", 1))).Status);
            least = double.Min(least, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        Assert.InRange(least, 0, 200);

        // Much longer than a lease: afterwards nobody declared anybody dead.
        await Eventually.LastsAsync(TimeSpan.FromSeconds(7));
        server.Continue();
        await events.NextAsync<DirectoryHealth>(h => h.State == DirectoryState.Connected);
        Assert.Equal(HeldDoubt.Reconnected, await events.NextAsync<HeldDoubt>());
        Assert.Empty((await one.VerifyHeldAsync([held])).Value);
        await EventuallyAsync(async () => (await two.ClaimAsync(new("held", 2))).IsOk);
        Assert.Equal(DirectoryStatus.Stale, (await one.ReleaseAsync("held", held.Token)).Status);
        Assert.False(events.Drain<RecordingEvents.Gone>());
        Assert.False(events.Drain<RecordingEvents.SelfDead>());
    }

    [Fact]
    public async Task A_killed_redis_that_comes_back_empty_is_recovering_and_written_back()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (one, events) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two");
        List<HeldSession> held = [];
        for (int i = 0; i < 500; i++)
        {
            held.Add(new("d" + i, (await one.ClaimAsync(new("d" + i, i))).Value.Token, i));
        }

        string generation = one.Health.Generation;
        await server.KillAsync();
        await events.NextAsync<DirectoryHealth>(h => h.State == DirectoryState.Unavailable);
        Assert.Equal(DirectoryStatus.Unavailable, (await one.ClaimAsync(new("x", 1))).Status);
        await server.RunAsync();
        DirectoryHealth recovering = await events.NextAsync<DirectoryHealth>(h => h.State == DirectoryState.Recovering);
        Assert.NotEqual(generation, recovering.Generation);
        Assert.Equal(HeldDoubt.NewGeneration, await events.NextAsync<HeldDoubt>());
        await twoEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration);
        DirectoryResult<IReadOnlyList<HeldFinding>> restored = await one.RestoreHeldAsync(held);
        Assert.True(restored.IsOk, restored.Detail);
        Assert.Equal(500, restored.Value.Count(f => f.Standing == HeldStanding.Restored));
        Assert.Equal(held[3].Token, (await two.ClaimAsync(new("d3", 1))).Value.Previous);
        await events.NextAsync<DirectoryHealth>(h => h.State == DirectoryState.Connected);
        await EventuallyAsync(() => Task.FromResult(one.Nodes.Count == 2 && two.Nodes.Count == 2));
    }

    [Fact]
    public async Task A_killed_redis_that_kept_its_file_has_a_new_generation_too()
    {
        await using RedisServer server = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var tier = new TestTier(server, "t");
        var (one, events) = await tier.JoinAsync("one");
        HeldSession held = new("kept", (await one.ClaimAsync(new("kept", 1))).Value.Token, 1);
        string generation = one.Health.Generation;
        await server.KillAsync();
        await events.NextAsync<DirectoryHealth>(h => h.State == DirectoryState.Unavailable);
        await server.RunAsync();
        Assert.Equal(HeldDoubt.NewGeneration, await events.NextAsync<HeldDoubt>());
        Assert.NotEqual(generation, one.Health.Generation);
        Assert.Empty((await one.RestoreHeldAsync([held])).Value);
    }

    [Fact]
    public async Task Script_flush_is_invisible()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (one, events) = await tier.JoinAsync();
        await events.NextAsync<DirectoryHealth>(h => h.State == DirectoryState.Connected);
        long connection = one.Health.Connection;
        for (int i = 0; i < 20; i++)
        {
            Assert.True((await one.ClaimAsync(new("id", i))).IsOk);
            await server.CommandAsync("SCRIPT FLUSH");
            DirectoryResult<Claim>[] claims = await Task.WhenAll(Enumerable.Range(0, 50).Select(n => one.ClaimAsync(new("id" + n, i)).AsTask()));
            Assert.All(claims, c => Assert.True(c.IsOk, c.Detail));
        }

        Assert.Equal(connection, one.Health.Connection);
    }

    [Fact]
    public async Task Cut_connections_come_back_with_their_subscriptions()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (one, oneEvents) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two");
        await oneEvents.NextAsync<RecordingEvents.Appeared>();
        foreach (string cut in new[] { "CLIENT KILL TYPE normal", "CLIENT KILL TYPE pubsub" })
        {
            await server.CommandAsync(cut);
            Assert.Equal(HeldDoubt.Reconnected, await oneEvents.NextAsync<HeldDoubt>());
            Assert.Equal(HeldDoubt.Reconnected, await twoEvents.NextAsync<HeldDoubt>());
            SessionToken old = (await one.ClaimAsync(new("id", 1))).Value.Token;
            SessionToken mine = (await two.ClaimAsync(new("id", 1))).Value.Token;
            Assert.Equal(TakeOverAnswer.Confirmed, await two.RequestTakeOverAsync("id", old, mine));
            SessionToken back = (await one.ClaimAsync(new("id", 1))).Value.Token;
            Assert.Equal(TakeOverAnswer.Confirmed, await one.RequestTakeOverAsync("id", mine, back));
        }
    }

    [Fact]
    public async Task A_subscription_that_is_tried_again_delivers_each_message_once()
    {
        // Subscriptions have a connection of their own, the second; until it stands the library refuses them.
        const int unreadable = 3030;
        await using RedisServer server = await RedisServer.StartAsync();
        await using var relay = new Relay(server.Port) { LaterMs = static number => number == 2 ? 100 : 0 };
        var log = new RecordingLog();
        await using var tier = new TestTier(server, "t") { Logger = log };
        var (one, _) = await tier.JoinAsync("one", tier.Options with { Endpoints = [relay.Endpoint] });
        var (two, _) = await tier.JoinAsync("two");

        // A connection that is replaced meanwhile, on a busy machine, may lose one: then another is sent.
        string channel = new RedisKeys("t").Node(one.Self.Id).ToString();
        HashSet<long> published = [];
        await Eventually.HoldsAsync(
            async () =>
            {
                if (published.Add(one.Health.Connection))
                {
                    await server.CommandAsync($"PUBLISH {channel} what-no-node-sends");
                }

                return log.Of(unreadable).Length > 0;
            },
            "the message came");

        // Messages have no order among themselves, and repeats of one come together with it: this one comes behind most of them.
        SessionToken old = (await one.ClaimAsync(new("id", 1))).Value.Token;
        SessionToken mine = (await two.ClaimAsync(new("id", 1))).Value.Token;
        await two.RequestTakeOverAsync("id", old, mine);
        Assert.InRange(log.Of(unreadable).Length, 1, published.Count);
    }

    /// <summary>
    /// Red without it one start of some twenty, in a new process (<c>ForeignLogTests</c>): a log whose Redis was killed counted as
    /// there, for the library told of its next attempt in place of the loss.
    /// </summary>
    [Fact]
    public async Task That_an_endpoint_cannot_be_reached_again_is_a_loss_and_that_one_never_was_is_none()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        ConnectionMultiplexer multiplexer = await ConnectionMultiplexer.ConnectAsync(server.Endpoint);
        var connection = new RedisConnection(multiplexer, 0);
        EndPoint reached = Assert.Single(multiplexer.GetEndPoints());
        Assert.True(connection.IsLoss(ConnectionFailureType.UnableToConnect, reached));
        Assert.True(connection.IsLoss(ConnectionFailureType.SocketClosed, reached));
        Assert.False(connection.IsLoss(ConnectionFailureType.UnableToConnect, new IPEndPoint(IPAddress.Loopback, 1)));
        await connection.CloseAsync();
    }

    [Fact]
    public async Task A_holder_cut_off_during_a_take_over_finds_itself_stale()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var relay = new Relay(server.Port);
        await using var tier = new TestTier(server, "t");
        var (one, events) = await tier.JoinAsync("one", tier.Options with { Endpoints = [relay.Endpoint] });
        var (two, _) = await tier.JoinAsync("two");
        HeldSession held = new("id", (await one.ClaimAsync(new("id", 1))).Value.Token, 1);
        events.Drain<object>();

        // Half-open: the connections stand, nothing passes.
        relay.Passes = false;
        await events.NextAsync<DirectoryHealth>(h => h.State == DirectoryState.Unavailable);
        SessionToken mine = (await two.ClaimAsync(new("id", 1))).Value.Token;
        Assert.Equal(TakeOverAnswer.NoAnswer, await two.RequestTakeOverAsync("id", held.Token, mine));
        relay.Passes = true;
        if ((await events.NextAsync<object>(e => e is HeldDoubt or RecordingEvents.SelfDead)) is HeldDoubt)
        {
            HeldFinding stale = Assert.Single((await one.VerifyHeldAsync([held])).Value);
            Assert.Equal((HeldStanding.Stale, mine), (stale.Standing, stale.Other));
        }

        Assert.False((await one.ReleaseAsync("id", held.Token)).IsOk);
        Assert.Equal(mine, (await two.LookUpAsync("id")).Value.Token);
    }

    [Fact]
    public async Task A_full_redis_is_unavailable_not_silent_and_heals()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (one, _) = await tier.JoinAsync();
        SessionToken token = (await one.ClaimAsync(new("id", 1))).Value.Token;
        await server.CommandAsync("CONFIG SET maxmemory 1");
        DirectoryResult<Claim> refused = await one.ClaimAsync(new("other", 1));
        Assert.Equal(DirectoryStatus.Unavailable, refused.Status);
        Assert.Contains("OOM", refused.Detail, StringComparison.Ordinal);
        await server.CommandAsync("CONFIG SET maxmemory 0");
        await EventuallyAsync(async () => (await one.ClaimAsync(new("other", 1))).IsOk);
        Assert.Equal(token, (await one.LookUpAsync("id")).Value.Token);
    }

    [Fact]
    public async Task A_full_redis_leaves_records_whole_or_untouched()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (one, _) = await tier.JoinAsync();
        SessionChange record = Records.Sets(("f:a", "1"), ("w", "bye")) with { ExpirySeconds = 60, WillDelaySeconds = 30 };
        SessionToken token = (await one.MustClaimAsync("id", record)).Token;
        await server.CommandAsync("CONFIG SET maxmemory 1");
        SessionChange change = Records.Sets(("p", "1"), ("o:1", "x")) with { DropsWill = true, Deletes = ["f:a"], ExpirySeconds = 90 };
        Assert.Equal(DirectoryStatus.Unavailable, (await one.WriteSessionAsync("id", token, change)).Status);
        Assert.Equal(("f:a=1,w=bye", 60U), ((await one.MustReadAsync("id")).Text(), (await one.MustReadAsync("id")).ExpirySeconds));
        Assert.Equal(DirectoryStatus.Unavailable, (await one.WriteCheckpointAsync(new(1, [], []))).Status);
        await server.CommandAsync("CONFIG SET maxmemory 0");
        await EventuallyAsync(async () => (await one.DetachSessionAsync("id", token, change)).IsOk);
        Assert.Equal("o:1=x,p=1", (await one.MustReadAsync("id")).Text());
    }

    [Fact]
    public async Task A_slow_redis_is_waited_for_up_to_the_deadline_and_then_left()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        DirectoryOptions options = tier.Options with { OperationDeadlineMs = 2_000 };
        var (one, events) = await tier.JoinAsync("one", options);
        var (two, twoEvents) = await tier.JoinAsync("two", options);
        SessionToken token = (await one.MustClaimAsync("id", new() { ExpirySeconds = 60 })).Token;
        long connection = one.Health.Connection;
        Task<string> nap = server.CommandAsync("DEBUG SLEEP 0.4");
        await one.WriteSessionAsync("id", token, Records.Sets(("p", "1"))).MustAsync();
        await nap;
        Assert.Equal(connection, one.Health.Connection);
        events.Drain<object>();

        Task<string> sleep = server.CommandAsync("DEBUG SLEEP 10");
        await EventuallyAsync(async () => !(await one.WriteSessionAsync("id", token, Records.Sets(("p", "2")))).IsOk);

        // Left: the answer is that of the deadline, not of the Redis that wakes up behind it.
        bool sleeps = !sleep.IsCompleted;
        DirectoryResult left = await one.WriteSessionAsync("id", token, Records.Sets(("p", "3")));
        Assert.False(sleeps && left.IsOk, "the write was answered by a Redis that sleeps");
        await sleep;
        await EventuallyAsync(async () => (await one.WriteSessionAsync("id", token, Records.Sets(("p", "4")))).IsOk);

        // Each node finds back by itself.
        await EventuallyAsync(async () => (await two.ReadSessionAsync("id")).IsOk);
        Assert.Equal("p=4", (await two.MustReadAsync("id")).Text());
        Assert.NotEqual(connection, one.Health.Connection);
        Assert.False(events.Drain<RecordingEvents.SelfDead>());
        Assert.False(twoEvents.Drain<RecordingEvents.SelfDead>());
    }

    [Fact]
    public async Task A_redis_that_is_not_there_yet_is_waited_for()
    {
        await using RedisServer server = await RedisServer.StartAsync("--requirepass", "secret");
        await using var tier = new TestTier(server, "t");
        NodeDirectory wrong = tier.Make("wrong password");
        Assert.Equal(DirectoryStatus.Unavailable, (await wrong.JoinAsync(TestTier.Shape, new RecordingEvents())).Status);
        await server.KillAsync();
        NodeDirectory one = tier.Make("one", tier.Options with { Password = "secret" });
        var events = new RecordingEvents();
        Assert.Equal(DirectoryStatus.Unavailable, (await one.JoinAsync(TestTier.Shape, events)).Status);
        Task starting = server.RunAsync();
        await EventuallyAsync(async () => (await one.JoinAsync(TestTier.Shape, events)).IsOk);
        await starting;
        Assert.True((await one.ClaimAsync(new("id", 1))).IsOk);
    }

    [Fact]
    public async Task A_damaged_record_harms_nobody()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (one, _) = await tier.JoinAsync();
        string key = new RedisKeys("t").Session("id")[4]!;
        await server.CommandAsync($"HSET {key} e nonsense n who a x");
        await server.CommandAsync("HSET {t1:tier}:nodes zzz notjson");
        Assert.True((await one.LookUpAsync("id")).Value.Token.IsNone);
        DirectoryResult<Claim> claim = await one.ClaimAsync(new("id", 1));
        Assert.True(claim.IsOk, claim.Detail);
        Assert.True(claim.Value.Previous.IsNone);
        var (two, _) = await tier.JoinAsync("two");
        Assert.Equal(2, two.Nodes.Count);
    }

    private static Task EventuallyAsync(Func<Task<bool>> holds) => Eventually.HoldsAsync(holds, "what the test waits for");
}
