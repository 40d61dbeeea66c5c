using Trunkline.Tool;
using Trunkline.Tool.Bench.Load;

namespace Trunkline.SystemTests.Bench;

/// <summary>What `growth-devices` calls the memory of a process.</summary>
public sealed class HeldMemoryTests
{
    // A library, the heap in three pieces (12 GiB), a gap, something anonymous of 4 GiB, a named mapping after it, a stack.
    private const string Smaps = """
        5581a0000000-5581a0010000 r-xp 00000000 fe:00 131 /usr/bin/program
        Rss:                  64 kB
        Anonymous:             0 kB
        VmFlags: rd ex mr mw me
        7e0000000000-7e0000100000 rw-p 00000000 00:00 0
        Rss:                1000 kB
        7e0000100000-7e0200000000 ---p 00000000 00:00 0
        Rss:                   0 kB
        7e0200000000-7e0300000000 rw-p 00000000 00:00 0
        Rss:                 500 kB
        7f0000000000-7f0100000000 rw-p 00000000 00:00 0
        Rss:                  16 kB
        7f0100000000-7f0500000000 rw-s 00000000 00:01 7 /memfd:doublemapper (deleted)
        Rss:                 128 kB
        7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]
        Rss:                  32 kB
        """;

    [Fact]
    public void The_heap_is_the_longest_row_of_anonymous_mappings_and_does_not_count() =>
        Assert.Equal((64 + 16 + 128 + 32) * 1024, ProcessMemory.OutsideHeap(Smaps.Split('\n'), 1500 * 1024));

    [Fact]
    public void A_heap_that_fits_in_no_row_is_an_error() =>
        Assert.Throws<ToolException>(() => ProcessMemory.OutsideHeap(Smaps.Split('\n'), 13d * 1024 * 1024 * 1024));

    [Fact]
    public async Task A_process_that_is_asked_to_collect_has_collected_everything_when_it_returns()
    {
        WeakReference garbage = Garbage();

        await HeldMemory.CollectAsync(Environment.ProcessId, CancellationToken.None);

        Assert.False(garbage.IsAlive);
    }

    // In a method of its own, so that no register holds on to it; promoted, so that a collection of young objects alone leaves it.
    private static WeakReference Garbage()
    {
        object value = new();
        GC.Collect();
        GC.Collect();
        Assert.Equal(2, GC.GetGeneration(value));
        return new WeakReference(value);
    }
}
