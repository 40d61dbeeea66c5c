using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests;

/// <summary>A master with a replica and three sentinels: FAULTS.md row 11.</summary>
public sealed class SentinelTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_fail_over_everything_held_is_written_back(bool stopped)
    {
        await using Sentinels sentinels = await Sentinels.StartAsync();
        await using var tier = new TestTier(sentinels.Master, "t") { Options = sentinels.Options("memory") };
        var (one, oneEvents) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two");
        List<HeldSession> held = [];
        for (int i = 0; i < 200; i++)
        {
            SessionChange record = Sets(("p", "p" + i)) with { ExpirySeconds = 3_600 };
            held.Add(new("d" + i, (await one.MustClaimAsync("d" + i, record, i)).Token, i) { Record = record });
        }

        string generation = one.Health.Generation;
        if (stopped)
        {
            sentinels.Master.Stop();
        }
        else
        {
            await sentinels.Master.KillAsync();
        }

        // Meanwhile every call ends, within its deadline and a little.
        await Eventually.HoldsAsync(
            async () => (await one.WriteSessionAsync("d0", held[0].Token, Sets(("p", "late"))).AsTask().WaitAsync(TimeSpan.FromSeconds(10))).Status
                == DirectoryStatus.Unavailable,
            "the master is missed");
        Assert.Equal(HeldDoubt.NewGeneration, await oneEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration, 60));
        await twoEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration, 60);
        Assert.NotEqual(generation, one.Health.Generation);

        // Either node may be between two connections still: its calls say so and are made again.
        DirectoryResult<IReadOnlyList<HeldFinding>> restored = default;
        await Eventually.HoldsAsync(async () => (restored = await one.RestoreHeldAsync(held)).IsOk, () => $"written back: {restored.Detail}");
        Assert.DoesNotContain(restored.Value, f => f.Standing == HeldStanding.Stale);
        await Eventually.HoldsAsync(async () => (await two.ReadSessionAsync("d199")).IsOk, "read by the other node");
        Assert.Equal("p=p199", (await two.MustReadAsync("d199")).Text());

        if (stopped)
        {
            // Two primaries for a while: nobody follows the old one, and what is written goes to one place.
            sentinels.Master.Continue();
            await sentinels.Master.DemotedAsync();
            Assert.Equal(DirectoryState.Connected, await StateAsync(one));
            Assert.Equal(DirectoryState.Connected, await StateAsync(two));
            Claim claim = (await two.ClaimAsync(new("d7", 1, "", ExpectedHolder.Exactly, held[7].Token))).Value;
            Assert.Equal(claim.Token, (await one.LookUpAsync("d7")).Value.Token);
        }
    }

    [Fact]
    public async Task A_replica_with_an_older_past_gets_everything_held_back_and_old_tokens_stay_worthless()
    {
        await using Sentinels sentinels = await Sentinels.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var tier = new TestTier(sentinels.Master, "t") { Options = sentinels.Options("memory") };
        var (one, oneEvents) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two");
        SessionChange old = Sets(("p", "old"), ("o:1", "old")) with { ExpirySeconds = 3_600 };
        SessionToken stays = (await one.MustClaimAsync("stays", old, 1)).Token;
        SessionToken moved = (await one.MustClaimAsync("moved", old, 2)).Token;
        await Eventually.HoldsAsync(async () => (await sentinels.Replica.CommandAsync($"HGET {new RedisKeys("t").Session("moved")[4]} p")).Contains("old", StringComparison.Ordinal), "replicated");

        // From here on the replica knows nothing: a session goes on, one moves, one is new.
        await sentinels.Replica.KillAsync();
        await one.WriteSessionAsync("stays", stays, Sets(("p", "new")) with { Deletes = ["o:1"] }).MustAsync();
        SessionToken mine = (await two.ClaimAsync(new("moved", 3) { Change = Sets(("p", "new")) with { Deletes = ["o:1"] } })).Value.Token;
        SessionToken fresh = (await two.MustClaimAsync("fresh", Sets(("p", "new")) with { ExpirySeconds = 3_600 }, 4)).Token;
        await sentinels.Master.KillAsync();
        await sentinels.Replica.RunAsync();
        await oneEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration, 90);
        await twoEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration, 90);
        Assert.Contains("role:master", await sentinels.Replica.CommandAsync("INFO replication"), StringComparison.Ordinal);
        Assert.Equal((moved, "o:1=old,p=old"), ((await one.MustReadAsync("moved")).Token, (await one.MustReadAsync("moved")).Text()));

        // The one that lost the session has its old token confirmed by the older past, until the newer holder has written back.
        SessionChange whole = Sets(("p", "new")) with { ExpirySeconds = 3_600 };
        Assert.True((await one.RestoreHeldAsync([new("stays", stays, 1) { Record = whole }, new("moved", moved, 2) { Record = old }])).IsOk);
        Assert.True((await two.RestoreHeldAsync([new("moved", mine, 3) { Record = whole }, new("fresh", fresh, 4) { Record = whole }])).IsOk);
        foreach ((string id, SessionToken token) in new[] { ("stays", stays), ("moved", mine), ("fresh", fresh) })
        {
            StoredSession stored = await one.MustReadAsync(id);
            Assert.Equal((id, token, "p=new"), (id, stored.Token, stored.Text()));
        }

        Assert.Equal(HeldStanding.Stale, Assert.Single((await one.VerifyHeldAsync([new("moved", moved, 2)])).Value).Standing);
        Assert.Equal(DirectoryStatus.Stale, (await one.WriteSessionAsync("moved", moved, Sets(("p", "late")))).Status);
        Assert.True((await one.ClaimAsync(new("moved", 5))).Value.Token.Epoch > mine.Epoch);
    }

    [Fact]
    public async Task A_master_that_lost_its_replicas_grants_nothing_where_replicas_are_asked_for()
    {
        await using Sentinels sentinels = await Sentinels.StartAsync();
        await using var tier = new TestTier(sentinels.Master, "t") { Options = sentinels.Options("replicas(1)") };
        var (one, _) = await tier.JoinAsync("one");
        SessionToken token = (await one.MustClaimAsync("id", Sets(("p", "1")) with { ExpirySeconds = 60 })).Token;
        Assert.Contains("p", await sentinels.Replica.CommandAsync($"HKEYS {new RedisKeys("t").Session("id")[4]}"), StringComparison.Ordinal);

        // No replica: neither a claim nor a write counts as done; what loses nothing by a repeat goes on.
        sentinels.Replica.Stop();
        int attempt = 0;
        string detail = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                // On a loaded machine the deadline of the call may come first, which is the same answer with another reason.
                DirectoryResult<Claim> refused = await one.ClaimAsync(new("other", ++attempt));
                Assert.Equal(DirectoryStatus.Unavailable, refused.Status);
                detail = refused.Detail;
                return detail.Contains("replicas confirmed", StringComparison.Ordinal);
            },
            () => detail);
        Assert.Equal(DirectoryStatus.Unavailable, (await one.WriteSessionAsync("id", token, Sets(("q:1", "x")))).Status);
        await one.WriteCheckpointAsync(new(1, [], [])).MustAsync();
        sentinels.Replica.Continue();
        await Eventually.HoldsAsync(async () => (await one.WriteSessionAsync("id", token, Sets(("q:1", "x")))).IsOk, "the replica is back");
        NodeDirectory tooMany = tier.Make("wants two", sentinels.Options("replicas(2)"));
        await Eventually.HoldsAsync(
            async () =>
            {
                DirectoryResult waits = await tooMany.JoinAsync(TestTier.Shape, new RecordingEvents());
                Assert.Equal(DirectoryStatus.Unavailable, waits.Status);
                detail = waits.Detail;
                return detail.Contains("1 replicas connected", StringComparison.Ordinal);
            },
            () => detail);
    }

    [Fact]
    public async Task Two_primaries_never_give_two_holders_that_both_may_write()
    {
        await using Sentinels sentinels = await Sentinels.StartAsync();
        await using var tier = new TestTier(sentinels.Master, "t") { Options = sentinels.Options("replicas(1)") };
        var (one, oneEvents) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two");
        SessionToken first = (await one.MustClaimAsync("id", Sets(("p", "0")) with { ExpirySeconds = 60 })).Token;
        sentinels.Master.Stop();
        await Eventually.HoldsAsync(
            async () => !(await sentinels.Voters[0].CommandAsync("SENTINEL get-master-addr-by-name m")).Contains(sentinels.Master.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal),
            "the replica is promoted");
        sentinels.Master.Continue();

        // Whoever still talks to the old master gets no confirmation of its replica, which is its rival now.
        int both = 0;
        SessionToken last = first;
        for (int i = 0; i < 100; i++)
        {
            DirectoryResult<Claim>[] claims = await Task.WhenAll(
                one.ClaimAsync(new("id", i, "", ExpectedHolder.Exactly, last)).AsTask(), two.ClaimAsync(new("id", i, "", ExpectedHolder.Exactly, last)).AsTask());
            both += claims.All(c => c.IsOk) ? 1 : 0;
            DirectoryResult<StoredSession> read = await one.ReadSessionAsync("id");
            last = claims.FirstOrDefault(c => c.IsOk) is { IsOk: true } won ? won.Value.Token : read is { IsOk: true, Value.Token.IsNone: false } ? read.Value.Token : last;
        }

        Assert.Equal(0, both);
        await sentinels.Master.DemotedAsync();
        Assert.Equal(DirectoryState.Connected, await StateAsync(one));
        Assert.Equal(DirectoryState.Connected, await StateAsync(two));
        Assert.Equal((await one.LookUpAsync("id")).Value.Token, (await two.LookUpAsync("id")).Value.Token);
        oneEvents.Drain<object>();
        twoEvents.Drain<object>();
    }

    private static async Task<DirectoryState> StateAsync(NodeDirectory directory)
    {
        await Eventually.HoldsAsync(() => Task.FromResult(directory.Health.State == DirectoryState.Connected), "connected");
        return directory.Health.State;
    }

    private sealed class Sentinels : IAsyncDisposable
    {
        public RedisServer Master { get; private init; } = null!;

        public RedisServer Replica { get; private init; } = null!;

        public RedisServer[] Voters { get; private init; } = [];

        public static async Task<Sentinels> StartAsync(params string[] settings)
        {
            RedisServer master = await RedisServer.StartAsync(["--repl-diskless-sync-delay", "0", .. settings]);
            RedisServer replica = await RedisServer.StartAsync(["--replicaof", $"127.0.0.1 {master.Port}", "--repl-diskless-sync-delay", "0", .. settings]);
            RedisServer[] voters = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RedisServer.StartSentinelAsync(master.Port, 2)));
            await Eventually.HoldsAsync(async () => (await replica.CommandAsync("INFO replication")).Contains("master_link_status:up", StringComparison.Ordinal), "replicating");
            foreach (RedisServer voter in voters)
            {
                await Eventually.HoldsAsync(
                    async () =>
                    {
                        string master = await voter.CommandAsync("INFO sentinel");
                        return master.Contains("slaves=1", StringComparison.Ordinal) && master.Contains("sentinels=3", StringComparison.Ordinal);
                    },
                    "the sentinels know each other");
            }

            return new Sentinels { Master = master, Replica = replica, Voters = voters };
        }

        public DirectoryOptions Options(string durability) => new()
        {
            Endpoints = [.. Voters.Select(v => v.Endpoint)],
            SentinelMaster = "m",
            Durability = durability,
            Prefix = "t",
            OperationDeadlineMs = 1_000,
            ReplicaWaitMs = 200,
            ConnectDeadlineMs = 1_000,
            LeaseMs = 20_000,
            LeaseRaiseIntervalMs = 200,
            RecoveringGraceMs = 300,
            ReconnectMinMs = 20,
            ReconnectMaxMs = 200,
            SubscriptionCheckIntervalMs = 500,
        };

        public async ValueTask DisposeAsync()
        {
            foreach (RedisServer server in Voters.Append(Replica).Append(Master))
            {
                await server.DisposeAsync();
            }
        }
    }
}
