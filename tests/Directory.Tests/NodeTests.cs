namespace Trunkline.Directory.Tests;

[Collection("redis")]
public sealed class NodeTests(RedisServers servers)
{
    public static TheoryData<string> Kinds => ["memory", "redis", "cluster"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Nodes_appear_and_leave(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, events) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        Assert.Equal(two.Self, (await events.NextAsync<RecordingEvents.Appeared>()).Node);
        Assert.Equal(2, one.Nodes.Count);
        Assert.Equal(2, two.Nodes.Count);
        SessionToken left = (await two.ClaimAsync(new("left-over", 1))).Value.Token;
        Assert.False(left.IsNone);
        Assert.True((await two.LeaveAsync()).IsOk);
        RecordingEvents.Gone gone = await events.NextAsync<RecordingEvents.Gone>();
        Assert.Equal(new RecordingEvents.Gone(two.Self, NodeGoneReason.Left), gone);
        Assert.True((await one.LookUpAsync("left-over")).Value.Token.IsNone);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_silent_node_is_declared_dead_detached_and_learns_it(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, events) = await tier.JoinAsync("one");

        // A node that raises far too seldom looks like one that was stopped, and can be asked afterwards.
        var (two, twoEvents) = await tier.JoinAsync("two", tier.Options with { LeaseMs = 900_000, LeaseRaiseIntervalMs = 300_000 });
        for (int i = 0; i < 200; i++)
        {
            Assert.True((await two.ClaimAsync(new("held" + i, i))).IsOk);
        }

        RecordingEvents.Gone gone = await events.NextAsync<RecordingEvents.Gone>();
        Assert.Equal(new RecordingEvents.Gone(two.Self, NodeGoneReason.Dead), gone);
        DirectoryResult<Claim> late;
        do
        {
            // Until its bucket is fenced a claim may still get through; then it never does again.
            late = await two.ClaimAsync(new("late", 1));
        }
        while (late.IsOk);
        Assert.Equal(DirectoryStatus.DeclaredDead, late.Status);
        await twoEvents.NextAsync<RecordingEvents.SelfDead>();
        Assert.Equal(DirectoryStatus.DeclaredDead, (await two.ReleaseAsync("held1", default)).Status);

        for (int i = 0; i < 200; i++)
        {
            DirectoryResult<Claim> claim;
            do
            {
                claim = await one.ClaimAsync(new("held" + i, i));
            }
            while (!claim.IsOk);
            Assert.True(claim.Value.Previous.IsNone || claim.Value.Previous.Node == two.Self.Id);
        }

        Assert.Single(one.Nodes);
        Assert.Equal(DirectoryStatus.DeclaredDead, (await two.JoinAsync(TestTier.Shape, twoEvents)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Another_shape_is_refused_with_a_sentence(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        await tier.JoinAsync();
        NodeDirectory other = tier.Make();
        foreach (TierShape wrong in new TierShape[] { new(2, ["g0", "g1"]), new(0, ["g0", "g1", "g2"]), new(0, ["g1", "g0"]) })
        {
            DirectoryResult refused = await other.JoinAsync(wrong, new RecordingEvents());
            Assert.Equal(DirectoryStatus.Refused, refused.Status);
            Assert.Contains("Sharding:KeyLevels", refused.Detail, StringComparison.Ordinal);
            Assert.Contains(string.Join(", ", wrong.Groups), refused.Detail, StringComparison.Ordinal);
        }

        // A refused node may try again.
        Assert.True((await other.JoinAsync(TestTier.Shape, new RecordingEvents())).IsOk);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Recovering_lasts_for_the_grace(string kind)
    {
        await using TestTier tier = servers.Tier(kind);

        // Long enough for the calls below on a busy machine.
        NodeDirectory directory = tier.Make(options: tier.Options with { RecoveringGraceMs = 2_000 });
        var events = new RecordingEvents();
        Assert.True((await directory.JoinAsync(TestTier.Shape, events)).IsOk);
        Assert.Equal(DirectoryState.Recovering, (await events.NextAsync<DirectoryHealth>()).State);
        Assert.Equal(DirectoryStatus.Recovering, (await directory.ClaimAsync(new("p", 1, WaitsForRecovery: true))).Status);
        Assert.True((await directory.ClaimAsync(new("c", 1))).IsOk);
        Assert.Equal(DirectoryState.Connected, (await events.NextAsync<DirectoryHealth>()).State);
        Assert.True((await directory.ClaimAsync(new("p", 1, WaitsForRecovery: true))).IsOk);

        // One who comes later sees how old the generation is.
        var (later, _) = await tier.JoinAsync();
        Assert.Equal(DirectoryState.Connected, later.Health.State);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_emptied_directory_is_noticed_and_written_back(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, oneEvents) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two");
        HeldSession older = new("id", (await one.ClaimAsync(new("id", 1))).Value.Token, 1);
        HeldSession newer = new("id", (await two.ClaimAsync(new("id", 1))).Value.Token, 1);
        HeldSession alone = new("alone", (await one.ClaimAsync(new("alone", 2))).Value.Token, 2);
        await servers.EmptyAsync(kind, tier);

        // The very first claim meets the missing generation, not only the next raise of the lease.
        DirectoryResult<Claim> met = await one.ClaimAsync(new("fresh", 3));
        Assert.True(met.IsOk, met.Detail);
        await oneEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration);
        await twoEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration);
        Assert.Equal(one.Health.Generation, two.Health.Generation);

        // The older holder restores first, the newer one replaces it, and the older learns.
        Assert.Equal(2, (await one.RestoreHeldAsync([older, alone])).Value.Count(f => f.Standing == HeldStanding.Restored));
        HeldFinding replaced = Assert.Single((await two.RestoreHeldAsync([newer])).Value);
        Assert.Equal((HeldStanding.Restored, older.Token), (replaced.Standing, replaced.Other));
        HeldFinding stale = Assert.Single((await one.VerifyHeldAsync([older, alone])).Value);
        Assert.Equal((HeldStanding.Stale, newer.Token), (stale.Standing, stale.Other));
        Assert.True((await one.ClaimAsync(new("id", 4))).Value.Token.Epoch > newer.Token.Epoch);

        // Nobody was taken for gone meanwhile.
        await oneEvents.NextAsync<DirectoryHealth>(h => h.State == DirectoryState.Connected);
        Assert.False(oneEvents.Drain<RecordingEvents.Gone>());
        Assert.Equal(2, one.Nodes.Count);
    }
}
