using Trunkline.Topics;

namespace Trunkline.Directory.Tests;

[Collection("redis")]
public sealed class SlotMapTests(RedisServers servers)
{
    public static TheoryData<string> Kinds => ["memory", "redis", "cluster"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task One_of_many_publishers_wins_each_version(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        Assert.Null((await one.ReadSlotMapAsync()).Value);
        for (ulong version = 1; version <= 50; version++)
        {
            SlotMap a = SlotMap.Even(2, version);
            SlotMap b = SlotMap.Even(3, version);
            DirectoryResult<SlotMap?>[] raced = await Task.WhenAll(
                one.PublishSlotMapAsync(a, version - 1).AsTask(), two.PublishSlotMapAsync(b, version - 1).AsTask());
            Assert.Single(raced, r => r.Status == DirectoryStatus.Ok);
            DirectoryResult<SlotMap?> lost = Assert.Single(raced, r => r.Status == DirectoryStatus.Stale);
            SlotMap winner = raced[0].IsOk ? a : b;
            Assert.Equal(winner, lost.Value);
            Assert.Equal(winner, (await two.ReadSlotMapAsync()).Value);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Others_are_told_and_a_table_that_went_back_is_written_again(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, oneEvents) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two");
        Assert.True((await one.PublishSlotMapAsync(SlotMap.Even(2, 7), 0)).IsOk);
        Assert.Equal(7UL, (await twoEvents.NextAsync<SlotMap>()).Version);
        Assert.Equal(7UL, (await oneEvents.NextAsync<SlotMap>()).Version);
        await servers.EmptyAsync(kind, tier);

        await oneEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration);
        await twoEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration);
        Assert.Equal(7UL, (await two.ReadSlotMapAsync()).Value!.Version);

        // One who joins afterwards knows it from the start.
        var (three, _) = await tier.JoinAsync("three");
        Assert.Equal(7UL, three.SlotMap!.Version);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_maps_of_one_version_end_as_the_same_one_everywhere(bool storedWins)
    {
        await using TestTier tier = servers.Tier("memory");
        var (one, events) = await tier.JoinAsync("one");
        SlotMap a = SlotMap.Even(2, 9), b = SlotMap.Even(3, 9);
        (SlotMap newer, SlotMap older) = a.IsNewerThan(b) ? (a, b) : (b, a);
        Assert.True((await one.PublishSlotMapAsync(storedWins ? older : newer, 0)).IsOk);
        tier.Memory.Empty();
        tier.Memory.Contents.SetSlots(storedWins ? newer : older);
        await events.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration);
        Assert.Equal(newer, one.SlotMap);
        Assert.Equal(newer, (await one.ReadSlotMapAsync()).Value);
        Assert.Equal(newer, tier.Memory.Contents.Slots);
    }
}
