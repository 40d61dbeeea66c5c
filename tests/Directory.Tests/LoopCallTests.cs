using System.Collections.Concurrent;
using Trunkline.Transports;

namespace Trunkline.Directory.Tests;

/// <summary>Calls that a loop makes go on on it; the first loop carries the connection to Redis.</summary>
[Collection("redis")]
public sealed class LoopCallTests(RedisServers servers) : IAsyncDisposable
{
    // The last test about a loop ends it; the others leave that to the end.
    private readonly Loop _second = Loops.Start();

    public ValueTask DisposeAsync()
    {
        _second.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(true, "redis")]
    [InlineData(false, "redis")]
    [InlineData(true, "cluster")]
    [InlineData(false, "cluster")]
    public async Task A_call_goes_on_on_the_loop_that_made_it(bool isDialled, string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        NodeDirectory directory = await JoinAsync(tier, isDialled);
        foreach (Loop loop in new[] { tier.Loop, _second })
        {
            (bool isOnLoop, DirectoryResult<Claim> claimed) = await CallAsync(
                loop, () => directory.ClaimAsync(new("d" + loop.GetHashCode(), 1)));
            Assert.True(claimed.IsOk, claimed.Detail);
            Assert.True(isOnLoop);
        }

        // Who calls from elsewhere goes on elsewhere: a loop must never be held up by it.
        Assert.True((await directory.ClaimAsync(new("elsewhere", 1))).IsOk);
        Assert.False(tier.Loop.IsCurrent || _second.IsCurrent);
    }

    [Fact]
    public async Task Many_callers_at_once_get_their_own_answers()
    {
        await using TestTier tier = servers.Tier("redis");
        NodeDirectory directory = await JoinAsync(tier, isDialled: true);
        const int each = 2_000;
        var tokens = new ConcurrentDictionary<string, SessionToken>();
        Task Claims(Loop? loop, string name) => Task.WhenAll(Enumerable.Range(0, each).Select(async i =>
        {
            string id = name + i;
            DirectoryResult<Claim> claimed = loop is null
                ? await directory.ClaimAsync(new(id, i))
                : (await CallAsync(loop, () => directory.ClaimAsync(new(id, i)))).Result;
            Assert.True(claimed.IsOk, claimed.Detail);
            tokens[id] = claimed.Value.Token;
        }));
        await Task.WhenAll(Claims(tier.Loop, "a"), Claims(_second, "b"), Task.Run(() => Claims(null, "c")));

        Assert.Equal(3 * each, tokens.Count);
        foreach ((string id, SessionToken token) in tokens)
        {
            Assert.Equal(token, (await directory.LookUpAsync(id)).Value.Token);
        }
    }

    [Fact]
    public async Task Bytes_may_come_one_at_a_time()
    {
        await using var relay = new Relay(servers.Single.Port) { PieceBytes = 1 };
        await using TestTier tier = servers.Tier("redis");
        NodeDirectory directory = await JoinAsync(tier, isDialled: true, tier.Options with { Endpoints = [relay.Endpoint] });
        for (int i = 0; i < 20; i++)
        {
            string id = new('x', 1 + (i * 50));
            DirectoryResult<Claim> claimed = (await CallAsync(tier.Loop, () => directory.ClaimAsync(new(id, i)))).Result;
            Assert.Equal(claimed.Value.Token, (await CallAsync(tier.Loop, () => directory.LookUpAsync(id))).Result.Value.Token);
        }
    }

    [Fact]
    public async Task A_flushed_script_is_sent_again_with_its_text()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        NodeDirectory directory = await JoinAsync(tier, isDialled: true);
        for (int i = 0; i < 20; i++)
        {
            await server.CommandAsync("SCRIPT FLUSH");
            DirectoryResult<Claim>[] claims = await Task.WhenAll(Enumerable.Range(0, 50).Select(
                async n => (await CallAsync(tier.Loop, () => directory.ClaimAsync(new("id" + n, i)))).Result));
            Assert.All(claims, claim => Assert.True(claim.IsOk, claim.Detail));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stopped_redis_costs_a_loop_a_deadline_and_its_connection(bool isDialled)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        NodeDirectory directory = await JoinAsync(tier, isDialled);
        server.Stop();
        var calls = Enumerable.Range(0, 500).Select(i => CallAsync(tier.Loop, () => directory.ClaimAsync(new("c" + i, i)))).ToArray();
        foreach ((bool isOnLoop, DirectoryResult<Claim> result) in await Task.WhenAll(calls))
        {
            Assert.Equal(DirectoryStatus.Unavailable, result.Status);
            Assert.True(isOnLoop);
        }

        server.Continue();
        await Eventually.HoldsAsync(
            async () => (await CallAsync(tier.Loop, () => directory.ClaimAsync(new("again", 1)))).Result.IsOk, "claims are granted again");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_killed_redis_ends_the_calls_of_a_loop_at_once(bool isDialled)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        NodeDirectory directory = await JoinAsync(tier, isDialled, tier.Options with { OperationDeadlineMs = 60_000, RecoveringGraceMs = 60_000 });
        server.Stop();
        var calls = Enumerable.Range(0, 100).Select(i => CallAsync(tier.Loop, () => directory.ClaimAsync(new("c" + i, i)))).ToArray();
        await server.KillAsync();
        foreach ((_, DirectoryResult<Claim> result) in await Task.WhenAll(calls).WaitAsync(TimeSpan.FromSeconds(30)))
        {
            Assert.Equal(DirectoryStatus.Unavailable, result.Status);
        }
    }

    [Fact]
    public async Task A_loop_that_ends_leaves_no_call_without_an_end()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        NodeDirectory directory = await JoinAsync(tier, isDialled: true);
        server.Stop();
        ValueTask<DirectoryResult<Claim>> call = await _second.InvokeAsync(() => directory.ClaimAsync(new("c", 1)));
        await _second.StopAsync();
        server.Continue();
        Assert.True((await call.AsTask().WaitAsync(TimeSpan.FromSeconds(30))).IsOk);
    }

    private async Task<NodeDirectory> JoinAsync(TestTier tier, bool isDialled, DirectoryOptions? options = null)
    {
        tier.Wrap = environment => environment with { Loops = [tier.Loop, _second], Dial = isDialled ? environment.Dial : null };
        return (await tier.JoinAsync("node", options)).Directory;
    }

    /// <summary>Makes a call in a turn of the loop; whether what follows it was in one, too.</summary>
    private static async Task<(bool IsOnLoop, T Result)> CallAsync<T>(Loop loop, Func<ValueTask<T>> call)
    {
        var done = new TaskCompletionSource<(bool, T)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await loop.InvokeAsync(() => call().Then(done, (done, result) => done.SetResult((loop.IsCurrent, result))));
        return await done.Task;
    }
}
