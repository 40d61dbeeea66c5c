namespace Trunkline.Transports.Tests.Transports;

/// <summary>What a pool tells the gauge of the process's memory.</summary>
public sealed class BufferPoolTests
{
    [Theory]
    [InlineData(BufferPool.SmallBytes)]
    [InlineData(BufferPool.MediumBytes)]
    [InlineData(BufferPool.LargeBytes)]
    public void A_chunk_that_is_made_is_counted_and_one_that_is_used_again_is_not(int bytes)
    {
        var gauge = new MemoryGauge();
        gauge.Allow(bytes);
        var pool = new BufferPool(gauge);
        BufferChunk chunk = pool.Rent(bytes);
        Assert.True(gauge.Allows(0));
        Assert.False(gauge.Allows(1));
        pool.Return(chunk);
        Assert.Same(chunk, pool.Rent(bytes));
        Assert.False(gauge.IsShort);
    }

    [Fact]
    public void Chunks_beyond_the_pooled_sizes_are_counted_each_time_also_those_for_travel()
    {
        var gauge = new MemoryGauge();
        var pool = new BufferPool(gauge);
        const long Budget = 1 << 20;
        gauge.Allow(Budget);
        long taken = 0;
        for (int n = 0; n < 2; n++)
        {
            BufferChunk chunk = pool.Rent(BufferPool.LargeBytes + 1);
            taken += chunk.Capacity;
            pool.Return(chunk);
            chunk = pool.RentForTravel(BufferPool.LargeBytes + 1);
            taken += chunk.Capacity;
            pool.Return(chunk);
        }

        Assert.True(gauge.Allows(Budget - taken));
        Assert.False(gauge.Allows(Budget - taken + 1));
    }
}
