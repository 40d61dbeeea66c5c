using System.Buffers;

namespace Trunkline.Transports;

/// <summary>
/// A loop's buffers: 1 KiB, 16 KiB and 64 KiB chunks kept for use again up to a limit, larger ones from the shared array
/// pool. A chunk rented from one loop's pool may be returned to another's. What has to be made is told to the gauge: many
/// connections at once can take more between two looks of its watch than is left. Loop thread only.
/// </summary>
/// <param name="memory">Hears of each chunk that is made, and of each that is larger than the pooled ones.</param>
public sealed class BufferPool(MemoryGauge memory)
{
    /// <summary>The sizes of pooled chunks in bytes.</summary>
    public const int SmallBytes = 1024, MediumBytes = 16 * 1024, LargeBytes = 64 * 1024;

    // At most 1/4 + 4 + 2 MiB stay with a loop that had a burst.
    private const int SmallLimit = 256, MediumLimit = 256, LargeLimit = 32;

    private Shelf _small;
    private Shelf _medium;
    private Shelf _large;

    /// <summary>Gives an empty chunk of at least <paramref name="minimumBytes"/>.</summary>
    public BufferChunk Rent(int minimumBytes)
    {
        if (minimumBytes <= SmallBytes)
        {
            return _small.Take() ?? NewPinned(SmallBytes);
        }

        if (minimumBytes <= MediumBytes)
        {
            return _medium.Take() ?? NewPinned(MediumBytes);
        }

        if (minimumBytes <= LargeBytes)
        {
            return _large.Take() ?? NewPinned(LargeBytes);
        }

        return RentForTravel(minimumBytes);
    }

    /// <summary>
    /// Gives an empty chunk that is not pinned, for bytes that travel to another loop: most connections are accepted on one
    /// loop, and pooled chunks that leave with them would be made anew for each.
    /// </summary>
    public BufferChunk RentForTravel(int minimumBytes)
    {
        byte[] array = ArrayPool<byte>.Shared.Rent(minimumBytes);
        if (array.Length > LargeBytes)
        {
            memory.Take(array.Length);
        }

        return new BufferChunk(array, isPinned: false);
    }

    /// <summary>Takes a chunk back; the caller holds no reference to it or its memory afterwards.</summary>
    public void Return(BufferChunk chunk)
    {
        chunk.Start = 0;
        chunk.End = 0;
        chunk.Next = null;
        if (!chunk.IsPinned)
        {
            ArrayPool<byte>.Shared.Return(chunk.Array);
            return;
        }

        switch (chunk.Capacity)
        {
            case SmallBytes: _small.Put(chunk, SmallLimit); break;
            case MediumBytes: _medium.Put(chunk, MediumLimit); break;
            default: _large.Put(chunk, LargeLimit); break;
        }
    }

    /// <summary>Takes a whole chain back.</summary>
    public void ReturnChain(BufferChunk? chain)
    {
        while (chain is not null)
        {
            BufferChunk? next = chain.Next;
            Return(chain);
            chain = next;
        }
    }

    private BufferChunk NewPinned(int bytes)
    {
        memory.Take(bytes);
        return new BufferChunk(GC.AllocateUninitializedArray<byte>(bytes, pinned: true), isPinned: true);
    }

    private struct Shelf
    {
        private BufferChunk? _top;
        private int _count;

        public BufferChunk? Take()
        {
            BufferChunk? chunk = _top;
            if (chunk is not null)
            {
                _top = chunk.Next;
                chunk.Next = null;
                _count--;
            }

            return chunk;
        }

        public void Put(BufferChunk chunk, int limit)
        {
            if (_count < limit)
            {
                chunk.Next = _top;
                _top = chunk;
                _count++;
            }
        }
    }
}
