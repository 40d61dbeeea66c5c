using System.Globalization;
using Trunkline.Sessions;
using Trunkline.Topics;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests;

/// <summary>Two versions on one Redis: what a newer one wrote (by hand here) the older sets aside, says so, and does not destroy.</summary>
public sealed class NewerVersionTests
{
    private const uint Hour = 3_600;

    [Fact]
    public async Task A_dead_node_whose_checkpoint_is_newer_is_left_to_a_node_that_can_read_it()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (newer, _) = await tier.JoinAsync("newer", tier.Options with { LeaseMs = 900_000, LeaseRaiseIntervalMs = 300_000 });
        Claim claim = await newer.MustClaimAsync("id", Sets(("m", "\u0001"), ("p", "0"), ("z:unknown", "kept")) with { ExpirySeconds = Hour }, 5);
        await newer.MustClaimAsync("clean", SessionChange.None, 6);
        string record = new RedisKeys("t").Session("id")[4]!;
        Assert.StartsWith(":1", await server.CommandAsync($"HSET {record} zz header"), StringComparison.Ordinal);
        Assert.StartsWith(":", await server.CommandAsync($"HSET {{t1:tier}}:cp {newer.Self.Id} \u0002whatever"), StringComparison.Ordinal);
        var (older, events) = await tier.JoinAsync("older");
        await events.NextAsync<RecordingEvents.Gone>(gone => gone.Reason == NodeGoneReason.Dead, 60);

        // Several rounds, also those in which every node tries: it stays, with everything of it.
        Assert.Equal(DirectoryStatus.NewerRecord, (await older.ReadCheckpointAsync(newer.Self.Id)).Status);
        await Eventually.LastsAsync(TimeSpan.FromMilliseconds(3 * tier.Options.LeaseMs));
        Assert.Contains("whatever", await server.CommandAsync($"HGET {{t1:tier}}:cp {newer.Self.Id}"), StringComparison.Ordinal);
        Assert.Contains(newer.Self.Id.ToString(), await server.CommandAsync("HGETALL {t1:tier}:detaching"), StringComparison.Ordinal);
        Assert.Equal(claim.Token, (await older.LookUpAsync("id")).Value.Token);

        // A node that can read it takes it up, whoever declared the dead one: here the checkpoint becomes one that this version knows.
        byte[] known = PositionWire.Write(new NodeCheckpoint(9, [new(7, 8)], []));
        string quoted = string.Concat(known.Select(b => "\\x" + b.ToString("x2", CultureInfo.InvariantCulture)));
        Assert.StartsWith(":0", await server.CommandAsync($"HSET {{t1:tier}}:cp {newer.Self.Id} \"{quoted}\""), StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => (await older.LookUpAsync("id")).Value.Token.IsNone, "it is detached");
        StoredSession stored = await older.MustReadAsync("id");
        Assert.Equal([new LogPosition(7, 8)], stored.Checkpoint!);
        Assert.Contains("z:unknown=kept", stored.Text(), StringComparison.Ordinal);
        Assert.Contains("header", await server.CommandAsync($"HGET {record} zz"), StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => (await server.CommandAsync("HLEN {t1:tier}:detaching")).StartsWith(":0", StringComparison.Ordinal), "it is done");
    }

    [Theory]
    [InlineData("slots/2 something else")]
    [InlineData("slots/1 nonsense")]
    public async Task A_slot_map_that_cannot_be_read_is_said_and_never_replaced(string text)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (one, _) = await tier.JoinAsync("one");
        SlotMap first = SlotMap.Even(2, 3);
        Assert.True((await one.PublishSlotMapAsync(first, 0)).IsOk);
        await server.CommandAsync($"HSET {{t1:tier}}:slots v 9 m \"{text}\"");
        DirectoryResult<SlotMap?> read = await one.ReadSlotMapAsync();
        Assert.Equal(DirectoryStatus.NewerRecord, read.Status);
        Assert.Contains("start that version", read.Detail, StringComparison.Ordinal);

        // Neither somebody who knows an older one nor somebody who comes now puts another in its place; the known one stays in use.
        Assert.False((await one.PublishSlotMapAsync(first.WithOwner(0, 0, 1), 3)).IsOk);
        var (two, _) = await tier.JoinAsync("two");
        Assert.Equal(DirectoryStatus.NewerRecord, (await two.ReadSlotMapAsync()).Status);
        Assert.False((await two.PublishSlotMapAsync(SlotMap.Even(2), 0)).IsOk);
        await Eventually.LastsAsync(TimeSpan.FromMilliseconds(5 * tier.Options.LeaseRaiseIntervalMs));
        Assert.Contains(text, await server.CommandAsync("HGET {t1:tier}:slots m"), StringComparison.Ordinal);
        Assert.Equal(first, one.SlotMap);
        Assert.Null(two.SlotMap);
    }

    [Fact]
    public async Task Entries_messages_and_due_work_of_a_newer_version_are_passed_over_and_stay()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        var (one, _) = await tier.JoinAsync("one");
        RedisKeys keys = new("t");
        int bucket = Bucket.Of("id");
        string entry = """{"id":"00000000000000aa","name":"newer","color":[1,2],"version":"9"}""".Replace("\"", "\\\"", StringComparison.Ordinal);
        await server.CommandAsync($"HSET {{t1:tier}}:nodes 00000000000000aa \"{entry}\"");
        await server.CommandAsync("HINCRBY {t1:tier}:state nodes 1");
        await server.CommandAsync("HSET {t1:tier}:state color red");
        await server.CommandAsync($"ZADD {keys.Due(bucket)[2]} 1 y:id");
        await server.CommandAsync("PUBLISH t1:all \"Z of a newer version\"");
        await Eventually.HoldsAsync(() => one.Nodes.Any(node => node.Name == "newer"), "the newer node is known");
        Assert.Equal("9", one.Nodes.First(node => node.Name == "newer").Version);
        Assert.Empty((await one.ReadDueAsync(bucket, 10)).Value);
        Assert.Contains("y:id", await server.CommandAsync($"ZRANGE {keys.Due(bucket)[2]} 0 -1"), StringComparison.Ordinal);
        Assert.Contains("red", await server.CommandAsync("HGET {t1:tier}:state color"), StringComparison.Ordinal);
        await Eventually.HoldsAsync(() => one.Health.State == DirectoryState.Connected, "connected");
    }
}
