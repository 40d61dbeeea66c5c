
namespace Trunkline.Directory.Tests;

public sealed class DurabilityTests
{
    [Theory]
    [InlineData("aof-everysec", "yes", "everysec", DirectoryStatus.Ok, "")]
    [InlineData("aof-everysec", "yes", "always", DirectoryStatus.Ok, "")]
    [InlineData("aof-everysec", "yes", "no", DirectoryStatus.Refused, "set appendfsync everysec")]
    [InlineData("aof-everysec", "no", "everysec", DirectoryStatus.Refused, "set appendonly yes")]
    [InlineData("aof-always", "yes", "everysec", DirectoryStatus.Refused, "set appendfsync always")]
    [InlineData("aof-always", "yes", "always", DirectoryStatus.Ok, "")]
    [InlineData("replicas(1)", "no", "everysec", DirectoryStatus.Unavailable, "start the missing ones")]
    [InlineData("memory", "no", "everysec", DirectoryStatus.Ok, "are lost when it ends")]
    [InlineData("memory", "yes", "everysec", DirectoryStatus.Ok, "")]
    public async Task What_redis_keeps_is_compared_at_start(string asked, string appendOnly, string fsync, DirectoryStatus status, string sentence)
    {
        await using RedisServer server = await RedisServer.StartAsync("--appendonly", appendOnly, "--appendfsync", fsync);
        var log = new RecordingLog();
        await using var tier = new TestTier(server, "t") { Logger = log };
        DirectoryOptions options = tier.Options with { Durability = asked };
        Assert.Empty(options.Validate());
        DirectoryResult joined = await tier.Make("one", options).JoinAsync(TestTier.Shape, new RecordingEvents());
        Assert.Equal(status, joined.Status);
        Assert.Contains(sentence, status == DirectoryStatus.Ok ? string.Join('\n', log.Of(3006)) : joined.Detail, StringComparison.Ordinal);
        Assert.Equal(status == DirectoryStatus.Ok && sentence.Length > 0 ? 1 : 0, log.Of(3006).Length);
    }

    [Fact]
    public async Task A_redis_that_evicts_is_refused_and_one_that_hides_its_settings_is_doubted()
    {
        await using RedisServer server = await RedisServer.StartAsync("--appendonly", "yes", "--maxmemory-policy", "allkeys-lru");
        var log = new RecordingLog();
        await using var tier = new TestTier(server, "t") { Logger = log };
        DirectoryOptions options = tier.Options with { Durability = "aof-everysec" };
        DirectoryResult refused = await tier.Make("one", options).JoinAsync(TestTier.Shape, new RecordingEvents());
        Assert.Equal(DirectoryStatus.Refused, refused.Status);
        Assert.Contains("maxmemory-policy noeviction", refused.Detail, StringComparison.Ordinal);

        await server.CommandAsync("CONFIG SET maxmemory-policy noeviction");
        await server.CommandAsync("ACL SETUSER default -config");
        Assert.True((await tier.Make("two", options).JoinAsync(TestTier.Shape, new RecordingEvents())).IsOk);
        Assert.Contains("does not tell its appendfsync", Assert.Single(log.Of(3006)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replicas_that_a_master_of_a_cluster_lacks_are_waited_for_at_start()
    {
        await using RedisServer server = await RedisServer.StartClusterAsync();
        await using var tier = new TestTier(server, "t");
        DirectoryResult joined = await tier.Make("one", tier.Options with { Durability = "replicas(1)" }).JoinAsync(TestTier.Shape, new RecordingEvents());
        Assert.Equal(DirectoryStatus.Unavailable, joined.Status);
        Assert.Contains("start the missing ones", joined.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Forms_are_read_and_others_told()
    {
        Assert.True(Durability.TryParse("replicas(2)", out Durability two));
        Assert.Equal(new Durability(DurabilityKind.Replicas, 2), two);
        foreach (string wrong in new[] { "", "aof", "replicas", "replicas()", "replicas(0)", "replicas(10)", "replicas(-1)", "replicas(1", "Memory" })
        {
            Assert.False(Durability.TryParse(wrong, out _));
            Assert.Contains("aof-everysec", Assert.Single(new DirectoryOptions { Durability = wrong }.Validate()).Fix, StringComparison.Ordinal);
        }

        Assert.Equal("Directory:Durability", Assert.Single(new DirectoryOptions { Durability = "aof-always" }.Validate()).Path);
        Assert.Equal("Directory:SentinelMaster", Assert.Single(new DirectoryOptions { SentinelMaster = "m" }.Validate()).Path);
        DirectoryOptions slow = new() { Endpoints = ["a:1"], Durability = "replicas(1)", ReplicaWaitMs = 2_000 };
        Assert.Equal("Directory:ReplicaWaitMs", Assert.Single(slow.Validate()).Path);
    }
}
