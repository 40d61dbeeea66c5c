using System.Diagnostics;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests;

/// <summary>A Redis that answers late, or whose replica takes over with an older past: FAULTS.md rows 11 and 12.</summary>
public sealed class RedisMoodTests
{
    [Fact]
    public async Task A_slow_redis_slows_calls_and_costs_nobody_his_sessions()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var relay = new Relay(server.Port);
        await using var tier = new TestTier(server, "t");
        DirectoryOptions through = tier.Options with { Endpoints = [relay.Endpoint], OperationDeadlineMs = 5_000, TakeOverDeadlineMs = 10_000 };
        var (one, oneEvents) = await tier.JoinAsync("one", through);
        var (two, twoEvents) = await tier.JoinAsync("two", through);
        long connection = one.Health.Connection;
        SessionToken held = (await one.MustClaimAsync("held", Sets(("p", "0")) with { ExpirySeconds = 60 })).Token;
        relay.DelayMs = 300;

        // Calls are pipelined: a thousand take hardly longer than one.
        long start = Stopwatch.GetTimestamp();
        DirectoryResult<Claim>[] claims = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => one.ClaimAsync(new("c" + i, i)).AsTask()));
        Assert.All(claims, claim => Assert.True(claim.IsOk, claim.Detail));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 300, 10_000);

        // Several leases long: both raise their counters slowly, and nobody takes the other for dead.
        for (int i = 1; i <= 10; i++)
        {
            await one.WriteSessionAsync("held", held, Sets(("p", i.ToString(System.Globalization.CultureInfo.InvariantCulture)))).MustAsync();
        }

        Assert.Equal("p=10", (await two.MustReadAsync("held")).Text());
        SessionToken taken = (await two.ClaimAsync(new("held", 1))).Value.Token;
        Assert.Equal(TakeOverAnswer.Confirmed, await two.RequestTakeOverAsync("held", held, taken));
        Assert.Equal(DirectoryStatus.Stale, (await one.WriteSessionAsync("held", held, Sets(("p", "late")))).Status);
        relay.DelayMs = 0;
        Assert.Equal((connection, 2, 2), (one.Health.Connection, one.Nodes.Count, two.Nodes.Count));
        Assert.False(oneEvents.Drain<RecordingEvents.SelfDead>());
        Assert.False(twoEvents.Drain<RecordingEvents.SelfDead>());
    }

    [Fact]
    public async Task A_redis_slower_than_the_deadline_is_given_up_and_taken_again()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var relay = new Relay(server.Port);
        await using var tier = new TestTier(server, "t");
        var (one, events) = await tier.JoinAsync("one", tier.Options with { Endpoints = [relay.Endpoint] });
        SessionToken held = (await one.MustClaimAsync("held", Sets(("p", "0")) with { ExpirySeconds = 60 })).Token;
        long connection = one.Health.Connection;
        relay.DelayMs = 20 * tier.Options.OperationDeadlineMs;

        long start = Stopwatch.GetTimestamp();
        Assert.Equal(DirectoryStatus.Unavailable, (await one.WriteSessionAsync("held", held, Sets(("p", "1")))).Status);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 0, 20 * tier.Options.OperationDeadlineMs);
        await events.NextAsync<DirectoryHealth>(health => health.State == DirectoryState.Unavailable);
        relay.DelayMs = 0;
        await Eventually.HoldsAsync(async () => (await one.WriteSessionAsync("held", held, Sets(("p", "2")))).IsOk, "it is taken again");
        Assert.NotEqual(connection, one.Health.Connection);
        Assert.Equal("p=2", (await one.MustReadAsync("held")).Text());
    }
}
