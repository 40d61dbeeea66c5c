using Trunkline.Sessions;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests;

/// <summary>Checkpoints of nodes: the same rules in memory, in Redis and in a Cluster.</summary>
[Collection("redis")]
public sealed class CheckpointTests(RedisServers servers)
{
    private const uint Hour = 3_600;

    public static TheoryData<string> Kinds => ["memory", "redis", "cluster"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_dead_nodes_sessions_carry_what_its_frozen_checkpoint_had_of_them(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, events) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two", tier.Options with { LeaseMs = 900_000, LeaseRaiseIntervalMs = 300_000 });
        foreach ((string id, int attach) in new[] { ("covered", 1), ("laggard", 2), ("later", 3) })
        {
            await two.MustClaimAsync(id, Sets(("w", "bye " + id)) with { ExpirySeconds = Hour, WillDelaySeconds = 0 }, attach);
        }

        await two.MustClaimAsync("clean", SessionChange.None, 1);
        await two.MustClaimAsync("will only", Sets(("w", "bye")) with { WillDelaySeconds = 5 }, 1);
        LogPosition[] common = [new(3, 40), new(1, 7)], behind = [new(2, 9), new(1, 7)];
        NodeCheckpoint checkpoint = new(2, common, [("laggard", behind)]);
        await two.WriteCheckpointAsync(checkpoint).MustAsync();
        NodeCheckpoint read = (await one.ReadCheckpointAsync(two.Self.Id)).Value!;
        Assert.Equal(2, read.AttachNumber);
        Assert.Equal(common, read.PositionsOf("covered", 1));
        Assert.Equal(behind, read.PositionsOf("laggard", 2));
        Assert.Null(read.PositionsOf("later", 3));

        await events.NextAsync<RecordingEvents.Gone>(g => g.Reason == NodeGoneReason.Dead);
        Assert.Equal(DirectoryStatus.DeclaredDead, (await two.WriteCheckpointAsync(checkpoint with { AttachNumber = 3 })).Status);
        await twoEvents.NextAsync<RecordingEvents.SelfDead>();
        await Eventually.HoldsAsync(async () => (await one.ReadCheckpointAsync(two.Self.Id)).Value is null, "its sessions are detached");
        foreach ((string id, LogPosition[]? positions) in new (string, LogPosition[]?)[] { ("covered", common), ("laggard", behind), ("later", null) })
        {
            Assert.Equal("bye " + id, Assert.Single(await one.DueAsync(id)).Will.Text());
            Claim claim = await one.MustClaimAsync(id, new() { DropsWill = true }, 9);
            Assert.Equal((two.Self.Id, SessionToken.None), (claim.Record!.LastNode, claim.Previous));
            Assert.Equal(positions, claim.Record.Checkpoint?.ToArray());
        }

        Assert.Equal("bye", Assert.Single(await one.DueAsync("will only")).Will.Text());
        Assert.Equal(0, (await one.MustReadAsync("clean")).AttachNumber);
        Assert.Equal(DirectoryStatus.DeclaredDead, (await two.WriteSessionAsync("covered", default, SessionChange.None)).Status);
    }

    /// <summary>One whose answer was lost may take effect late, over another connection: what a newer one said since then holds.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_checkpoint_that_comes_late_changes_nothing(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");

        // The numbers differ in another byte than the last, and in the last.
        foreach ((long late, long newer) in new[] { (255L, 256L), (1_000L, 1_001L) })
        {
            NodeCheckpoint Numbered(long number) => new(number, [new(7, (ulong)number)], []) { Number = number, IsLeaving = number == newer };
            Assert.Equal(Finding.Ok, (await one.Store.WriteCheckpointAsync(one.Self.Id, Numbered(newer), default)).Value);
            Assert.Equal(Finding.Late, (await one.Store.WriteCheckpointAsync(one.Self.Id, Numbered(late), default)).Value);
            NodeCheckpoint stands = (await one.ReadCheckpointAsync(one.Self.Id)).Value!;
            Assert.Equal((newer, newer, true), (stands.AttachNumber, stands.Number, stands.IsLeaving));

            // Sent again, because its answer was lost.
            Assert.Equal(Finding.Ok, (await one.Store.WriteCheckpointAsync(one.Self.Id, Numbered(newer), default)).Value);
        }
    }

    [Fact]
    public async Task A_node_numbers_its_checkpoints()
    {
        await using TestTier tier = servers.Tier("redis");
        var (one, _) = await tier.JoinAsync("one");
        for (int number = 1; number < 4; number++)
        {
            await one.WriteCheckpointAsync(new(1, [], [])).MustAsync();
            Assert.Equal(number, (await one.ReadCheckpointAsync(one.Self.Id)).Value!.Number);
        }
    }

    /// <summary>The common positions of a node may lie before those that a session came with from another dead node.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Of_two_checkpoints_of_dead_nodes_the_higher_positions_hold(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        LogPosition[][] of = [[new(3, 40), new(1, 255)], [new(3, 9), new(1, 256), new(7, 1)], [new(2, 41), new(1, 1)]];
        LogPosition[] higher = [new(3, 40), new(1, 256), new(7, 1)];
        foreach (LogPosition[] common in of)
        {
            var (node, _) = await tier.JoinAsync("another");
            await node.MustClaimAsync("id", new() { ExpirySeconds = Hour }, 1);
            await node.WriteCheckpointAsync(new(1, common, [])).MustAsync();
            Assert.Equal(1, (await one.DetachNodeAsync(node.Self.Id, default)).Value);
        }

        Assert.Equal(higher, (await one.MustClaimAsync("id", SessionChange.None, 1)).Record!.Checkpoint);
    }
}
