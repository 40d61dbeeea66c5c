using System.Globalization;

namespace Trunkline.Directory.Tests;

[Collection("redis")]
public sealed class ClaimTests(RedisServers servers)
{
    public static TheoryData<string> Kinds => ["memory", "redis", "cluster"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Claim_release_claim(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (directory, _) = await tier.JoinAsync();

        DirectoryResult<Claim> first = await directory.ClaimAsync(new("a{b}c", 1, "1.2.3.4:5"));
        Assert.True(first.IsOk, first.Detail);
        Assert.True(first.Value.Previous.IsNone);
        Assert.False(first.Value.SessionExists);
        Assert.Equal(directory.Self.Id, first.Value.Token.Node);
        DirectoryResult<Holding> held = await directory.LookUpAsync("a{b}c");
        Assert.Equal(new Holding(first.Value.Token, 1, "1.2.3.4:5", false) { Generation = directory.Health.Generation }, held.Value);

        DirectoryResult<Claim> second = await directory.ClaimAsync(new("a{b}c", 2));
        Assert.Equal(first.Value.Token, second.Value.Previous);
        Assert.True(second.Value.Token.Epoch > first.Value.Token.Epoch);

        Assert.Equal(DirectoryStatus.Stale, (await directory.ReleaseAsync("a{b}c", first.Value.Token)).Status);
        Assert.Equal(second.Value.Token, (await directory.LookUpAsync("a{b}c")).Value.Token);
        Assert.True((await directory.ReleaseAsync("a{b}c", second.Value.Token)).IsOk);
        Assert.True((await directory.LookUpAsync("a{b}c")).Value.Token.IsNone);
        Assert.True((await directory.ReleaseAsync("a{b}c", second.Value.Token)).IsOk);
        Assert.True((await directory.ClaimAsync(new("a{b}c", 3))).Value.Token.Epoch > second.Value.Token.Epoch);
    }

    [Theory]
    [InlineData("127.0.0.1:40123")]
    [InlineData("1.2.3.4:0")]
    [InlineData("127.1:40123")]
    [InlineData("1.2.3.4")]
    [InlineData("[::1]:5")]
    [InlineData("::ffff:1.2.3.4")]
    [InlineData("unix")]
    [InlineData("")]
    public async Task The_word_about_the_connection_is_kept_as_it_is(string info)
    {
        await using TestTier tier = servers.Tier("memory");
        var (directory, _) = await tier.JoinAsync();
        await directory.ClaimAsync(new("id", 1, "another: longer than an address"));
        await directory.ClaimAsync(new("id", 2, info));
        Assert.Equal(info, (await directory.LookUpAsync("id")).Value.Info);
    }

    /// <summary>A claim whose answer was lost may come late, over another connection: what was made before it was declared void changes nothing.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_claim_that_was_declared_void_changes_nothing(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        string generation = one.Health.Generation;
        await one.ClaimAsync(new("id", 1));
        Holding found = (await one.VoidClaimsAsync("id")).Value;
        Assert.Equal(one.Self.Id, found.Token.Node);
        await one.ReleaseAsync("id", found.Token).MustAsync();
        Assert.True((await one.VoidClaimsAsync("id")).Value.Token.IsNone);

        for (long number = 1; number <= 3; number++)
        {
            Assert.Equal(Finding.Late, (await one.Store.ClaimAsync(new("id", 2), one.Self.Id, generation, 0, number, default)).Value.Finding);
        }

        Assert.True((await one.LookUpAsync("id")).Value.Token.IsNone);
        Assert.Equal(Finding.Ok, (await one.Store.ClaimAsync(new("id", 3), one.Self.Id, generation, 0, 4, default)).Value.Finding);
        Assert.Equal(Finding.Ok, (await two.Store.ClaimAsync(new("id", 4), two.Self.Id, generation, 0, 1, default)).Value.Finding);
        Assert.True((await one.ClaimAsync(new("id", 5))).IsOk);
    }

    /// <summary>A claim of a session that this very node holds, come late after newer writes of it: it would set the positions back.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_claim_older_than_a_write_of_the_same_holder_changes_nothing(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        SessionToken token = (await one.ClaimAsync(new("id", 1) { Change = new() { ExpirySeconds = 3600 } })).Value.Token;
        await one.WriteSessionAsync("id", token, new() { Sets = [new("p", new byte[] { 1 })] }).MustAsync();
        var late = new ClaimRequest("id", 2, Expecting: ExpectedHolder.Exactly, Expected: token);
        Assert.Equal(Finding.Late, (await one.Store.ClaimAsync(late, one.Self.Id, one.Health.Generation, 0, 2, default)).Value.Finding);
        Assert.Equal(Finding.Ok, (await one.Store.ClaimAsync(late, one.Self.Id, one.Health.Generation, 0, 3, default)).Value.Finding);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Expected_holder_is_compared_whole(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (directory, _) = await tier.JoinAsync();
        SessionToken token = (await directory.ClaimAsync(new("id", 1, "", ExpectedHolder.Exactly, SessionToken.None))).Value.Token;
        foreach (SessionToken wrong in new[] { SessionToken.None, token with { Epoch = token.Epoch - 1 }, token with { Node = new NodeId(7) } })
        {
            DirectoryResult<Claim> refused = await directory.ClaimAsync(new("id", 2, "", ExpectedHolder.Exactly, wrong));
            Assert.Equal(DirectoryStatus.Stale, refused.Status);
            Assert.Equal(token, refused.Value.Previous);
            Assert.True(refused.Value.Token.IsNone);
        }

        Assert.True((await directory.ClaimAsync(new("id", 2, "", ExpectedHolder.Exactly, token))).IsOk);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Races_have_one_order_with_rising_epochs(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        const int Races = 1_000;
        Task<DirectoryResult<Claim>>[] claims = new Task<DirectoryResult<Claim>>[2 * Races];
        for (int i = 0; i < Races; i++)
        {
            claims[2 * i] = one.ClaimAsync(new("contended", i)).AsTask();
            claims[2 * i + 1] = two.ClaimAsync(new("contended", i)).AsTask();
        }

        DirectoryResult<Claim>[] all = await Task.WhenAll(claims);
        Assert.All(all, c => Assert.True(c.IsOk, c.Detail));

        // The chain of predecessors visits every claim exactly once, and epochs rise along it.
        Dictionary<SessionToken, SessionToken> next = all.ToDictionary(c => c.Value.Previous, c => c.Value.Token);
        SessionToken at = SessionToken.None;
        int length = 0;
        while (next.TryGetValue(at, out SessionToken following))
        {
            Assert.True(following.Epoch > at.Epoch);
            at = following;
            length++;
        }

        Assert.Equal(2 * Races, length);
        Assert.Equal(at, (await one.LookUpAsync("contended")).Value.Token);

        // Exactly the last holder may release.
        int released = 0;
        foreach (DirectoryResult<Claim> claim in all.Where(c => c.Value.Token != at).Take(200))
        {
            released += (await two.ReleaseAsync("contended", claim.Value.Token)).IsOk ? 1 : 0;
        }

        Assert.Equal(0, released);
        Assert.True((await one.ReleaseAsync("contended", at)).IsOk);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Verify_and_restore_tell_stale_from_missing(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        List<HeldSession> held = [];
        for (int i = 0; i < 300; i++)
        {
            string id = "d" + i.ToString(CultureInfo.InvariantCulture);
            held.Add(new(id, (await one.ClaimAsync(new(id, i))).Value.Token, i));
        }

        Assert.Empty((await one.VerifyHeldAsync(held)).Value);
        SessionToken theirs = (await two.ClaimAsync(new("d7", 1))).Value.Token;
        await one.ReleaseAsync("d9", held[9].Token);

        Dictionary<string, HeldFinding> verified = (await one.VerifyHeldAsync(held)).Value.ToDictionary(f => f.Held.ClientId);
        Assert.Equal(2, verified.Count);
        Assert.Equal(new HeldFinding(held[7], HeldStanding.Stale, theirs), verified["d7"]);
        Assert.Equal(HeldStanding.Missing, verified["d9"].Standing);

        Dictionary<string, HeldFinding> restored = (await one.RestoreHeldAsync(held)).Value.ToDictionary(f => f.Held.ClientId);
        Assert.Equal(HeldStanding.Stale, restored["d7"].Standing);
        Assert.Equal(HeldStanding.Restored, restored["d9"].Standing);
        Assert.Equal(held[9].Token, (await two.LookUpAsync("d9")).Value.Token);
        Assert.Equal(theirs, (await one.LookUpAsync("d7")).Value.Token);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cancellation_and_calls_before_joining_are_values(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        NodeDirectory apart = tier.Make();
        Assert.Equal(DirectoryStatus.Unavailable, (await apart.ClaimAsync(new("x", 1))).Status);
        var (directory, _) = await tier.JoinAsync();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Assert.Equal(DirectoryStatus.Canceled, (await directory.ClaimAsync(new("x", 1), cancelled.Token)).Status);
        await directory.LeaveAsync();
        Assert.Equal(DirectoryStatus.Unavailable, (await directory.ClaimAsync(new("x", 1))).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Callbacks_run_once(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (directory, _) = await tier.JoinAsync();
        var done = new TaskCompletionSource<(string, DirectoryStatus)>();
        directory.ClaimAsync(new("x", 1)).Then("state", (state, result) => done.SetResult((state, result.Status)));
        Assert.Equal(("state", DirectoryStatus.Ok), await done.Task);
    }
}
