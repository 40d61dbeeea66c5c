using Trunkline.Hosting.Memory;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Memory;

public sealed class MemoryWatchTests
{
    private readonly LogList _log = new();

    [Fact]
    public void The_level_follows_what_is_left_and_each_change_is_told_once()
    {
        using var source = new FixedMemory(1_000);
        using var watch = new MemoryWatch(new MemoryOptions(), TimeProvider.System, _log, source, () => long.MaxValue);
        foreach ((long used, MemoryLevel level) in new[]
        {
            (0L, MemoryLevel.Ample), (800, MemoryLevel.Ample), (801, MemoryLevel.Low), (880, MemoryLevel.Low),
            (881, MemoryLevel.Short), (2_000, MemoryLevel.Short), (850, MemoryLevel.Low), (100, MemoryLevel.Ample),
        })
        {
            source.UsedBytes = used;
            watch.Look();
            watch.Look();
            Assert.Equal(level, watch.Gauge.Level);
        }

        Assert.Equal(["2066", "2066", "2066", "2067"], _log.Lines.Select(line => line[..4]));
    }

    [Fact]
    public void The_runtimes_own_limit_of_the_heap_counts_where_less_of_it_is_left()
    {
        using var source = new FixedMemory(long.MaxValue / 2) { UsedBytes = 1 };
        using var watch = new MemoryWatch(new MemoryOptions(), TimeProvider.System, _log, source, () => 1024);
        watch.Look();
        Assert.Equal(MemoryLevel.Short, watch.Gauge.Level);
        Assert.False(watch.Gauge.Allows(0));
    }

    [Fact]
    public void What_is_taken_in_large_pieces_between_two_looks_is_bounded_by_what_is_left()
    {
        using var source = new FixedMemory(1_000) { UsedBytes = 480 };
        using var watch = new MemoryWatch(new MemoryOptions(), TimeProvider.System, _log, source, () => long.MaxValue);
        watch.Gauge.Take(long.MaxValue / 2);
        Assert.False(watch.Gauge.IsShort);
        watch.Look();
        Assert.True(watch.Gauge.Allows(200));
        Assert.False(watch.Gauge.Allows(201));
        watch.Gauge.Take(200);
        Assert.False(watch.Gauge.IsShort);
        Assert.False(watch.Gauge.Allows(1));
        watch.Gauge.Take(1);
        Assert.True(watch.Gauge.IsShort);
        watch.Look();
        Assert.False(watch.Gauge.IsShort);
    }

    [Fact]
    public void A_look_that_fails_changes_nothing()
    {
        using var source = new FixedMemory(1_000) { UsedBytes = 999 };
        using var watch = new MemoryWatch(new MemoryOptions(), TimeProvider.System, _log, source, () => long.MaxValue);
        watch.Look();
        source.IsUnreadable = true;
        watch.Look();
        Assert.Equal(MemoryLevel.Short, watch.Gauge.Level);
    }

    [Theory]
    [InlineData("4:memory:/a/b", "memory/a", "memory.limit_in_bytes", "memory.usage_in_bytes")]
    [InlineData("0::/a/b", "a", "memory.max", "memory.current")]
    [InlineData("0::/not/shown/here", "", "memory.max", "memory.current")]
    public void The_tightest_group_counts_without_the_pages_of_files(string membership, string limiting, string limitFile, string usageFile)
    {
        string root = Directory.CreateTempSubdirectory("trunkline-cgroup-").FullName;
        foreach ((string folder, string limit) in new[] { ("", "max\n"), ("memory", "9223372036854771712\n"), ("memory/a/b", "9000\n"), ("a/b", "9000\n"), (limiting, "5000\n") })
        {
            Directory.CreateDirectory(Path.Combine(root, folder));
            File.WriteAllText(Path.Combine(root, folder, limitFile), limit);
            File.WriteAllText(Path.Combine(root, folder, usageFile), "4000\n");
            File.WriteAllText(Path.Combine(root, folder, "memory.stat"), "anon 2500\ninactive_file 1000\nactive_file 500\ntotal_inactive_file 7\n");
        }

        using (CgroupMemory? found = CgroupMemory.Find(root, ["1:cpu:/", membership]))
        {
            Assert.NotNull(found);
            Assert.Equal(5000, found.LimitBytes);
            Assert.Equal(2500, found.ReadUsedBytes());
        }

        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public void Without_a_limit_nothing_is_watched()
    {
        string root = Directory.CreateTempSubdirectory("trunkline-cgroup-").FullName;
        File.WriteAllText(Path.Combine(root, "memory.max"), "max\n");
        Assert.Null(CgroupMemory.Find(root, ["0::/"]));
        Directory.Delete(root, recursive: true);

        using var watch = new MemoryWatch(new MemoryOptions(), TimeProvider.System, _log, source: null);
        watch.Start();
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData(1024, 15, 8, 50, 1000, "LimitBytes")]
    [InlineData(0, 0, 0, 50, 0, "ReservePercent")]
    [InlineData(0, 15, 16, 50, 100, "ShedPercent")]
    [InlineData(0, 15, 8, 1, 3_600_000, "CheckIntervalMs")]
    [InlineData(0, 15, 8, 50, 99, "TrimIntervalMs")]
    public void What_cannot_be_is_named(long limit, int reserve, int shed, int interval, int trim, string key)
    {
        var options = new MemoryOptions { LimitBytes = limit, ReservePercent = reserve, ShedPercent = shed, CheckIntervalMs = interval, TrimIntervalMs = trim };
        Assert.Equal($"Memory:{key}", Assert.Single(options.Validate("Memory")).Path);
        Assert.Empty(new MemoryOptions().Validate("Memory"));
    }

    private sealed class FixedMemory(long limit) : IMemorySource
    {
        public long LimitBytes { get; } = limit;

        public long UsedBytes { get; set; }

        public bool IsUnreadable { get; set; }

        public long ReadUsedBytes() => IsUnreadable ? throw new IOException("Too many open files") : UsedBytes;

        public void Dispose()
        {
        }
    }
}
