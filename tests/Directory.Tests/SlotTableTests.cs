namespace Trunkline.Directory.Tests;

[Collection("redis")]
public sealed class SlotTableTests(RedisServers servers)
{
    public static TheoryData<string> Kinds => ["memory", "redis", "cluster"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task One_of_many_publishers_wins_each_version(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        Assert.Null((await one.ReadSlotTableAsync()).Value);
        for (long version = 1; version <= 50; version++)
        {
            var a = new SlotTable(version, new byte[] { 1, (byte)version });
            var b = new SlotTable(version, new byte[] { 2, (byte)version });
            DirectoryResult<SlotTable?>[] raced = await Task.WhenAll(
                one.PublishSlotTableAsync(a, version - 1).AsTask(), two.PublishSlotTableAsync(b, version - 1).AsTask());
            Assert.Single(raced, r => r.Status == DirectoryStatus.Ok);
            DirectoryResult<SlotTable?> lost = Assert.Single(raced, r => r.Status == DirectoryStatus.Stale);
            byte[] winner = (raced[0].IsOk ? a : b).Map.ToArray();
            Assert.Equal(winner, lost.Value!.Map.ToArray());
            Assert.Equal(winner, (await two.ReadSlotTableAsync()).Value!.Map.ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Others_are_told_and_a_table_that_went_back_is_written_again(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, oneEvents) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two");
        Assert.True((await one.PublishSlotTableAsync(new(7, new byte[] { 7 }), 0)).IsOk);
        Assert.Equal(7, (await twoEvents.NextAsync<SlotTable>()).Version);
        Assert.Equal(7, (await oneEvents.NextAsync<SlotTable>()).Version);
        if (kind == "memory")
        {
            tier.Memory.Empty();
        }
        else
        {
            await (kind == "redis" ? servers.Single : servers.Cluster).CommandAsync("FLUSHALL");
        }

        await oneEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration);
        await twoEvents.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration);
        Assert.Equal(7, (await two.ReadSlotTableAsync()).Value!.Version);

        // One who joins afterwards knows it from the start.
        var (three, _) = await tier.JoinAsync("three");
        Assert.Equal(7, three.SlotTable!.Version);
    }
}
