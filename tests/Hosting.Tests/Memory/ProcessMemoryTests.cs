using Trunkline.Hosting.Memory;

namespace Trunkline.Hosting.Tests.Memory;

/// <summary>What measures the whole process runs while nothing else does.</summary>
[CollectionDefinition(nameof(MeasuredAlone), DisableParallelization = true)]
public sealed class MeasuredAlone;

/// <summary>The memory of this very process.</summary>
[Collection(nameof(MeasuredAlone))]
public sealed class ProcessMemoryTests
{
    [Fact]
    public void The_process_itself_is_measured_without_mapped_files()
    {
        using var source = new ProcessMemory(long.MaxValue);
        long before = source.ReadUsedBytes();
        Assert.InRange(before, 1 << 20, Environment.WorkingSet + (64 << 20));
        byte[] more = GC.AllocateArray<byte>(64 << 20);
        more.AsSpan().Fill(1);
        Assert.True(source.ReadUsedBytes() > before + (32 << 20));
        GC.KeepAlive(more);
    }
}
