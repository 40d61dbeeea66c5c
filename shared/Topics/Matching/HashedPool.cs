namespace Trunkline.Topics;

/// <summary>What a <see cref="HashedPool{TItem}"/> keeps in each item.</summary>
internal interface IHashedItem
{
    /// <summary>The full hash, so that growing never computes it again.</summary>
    uint Hash { get; set; }

    /// <summary>The next item of the same bucket, or of the free list.</summary>
    int Next { get; set; }
}

/// <summary>
/// Structs by number, from 1; 0 means none, so a fresh struct points nowhere. They lie in chunks: the collector sees one
/// object for 1,024 of them, growing copies nothing (only the first chunk doubles up to its size, so that a small pool
/// is small), and a freed number is given out again. Items can be linked into a hash table over the same numbers, which
/// grows and shrinks by one bucket at a time (linear hashing): no add ever pays for moving all the others.
/// <code>
///   bucket(hash) = hash &amp; mask, or hash &amp; (mask / 2) where that bucket does not exist yet
///   grow:   bucket n comes into being and takes its items from bucket n &amp; (mask / 2)
/// </code>
/// A ref into the pool is valid until the next <see cref="Take"/>. One thread at a time.
/// </summary>
internal sealed class HashedPool<TItem>
    where TItem : struct, IHashedItem
{
    private const int ChunkBits = 10;
    private const int ChunkSize = 1 << ChunkBits;
    private const int SmallestChunk = 16;
    private const int SmallestTable = 16;

    private TItem[][] _chunks = [new TItem[SmallestChunk]];
    private int[][] _buckets = [new int[SmallestTable]];
    private int _bucketCount = SmallestTable;
    private uint _mask = SmallestTable - 1;
    private int _linked;
    private int _free;

    /// <summary>Numbers below this one have been given out; some may be free again.</summary>
    public int End { get; private set; } = 1;

    /// <summary>The item of a number.</summary>
    public ref TItem this[int id] => ref _chunks[id >> ChunkBits][id & (ChunkSize - 1)];

    /// <summary>Gives out a number whose item is <c>default</c>.</summary>
    public int Take()
    {
        if (_free != 0)
        {
            int reused = _free;
            ref TItem item = ref this[reused];
            _free = item.Next;
            item.Next = 0;
            return reused;
        }
        int chunk = End >> ChunkBits;
        if (chunk == 0 && End == _chunks[0].Length)
        {
            Array.Resize(ref _chunks[0], End * 2);
        }
        else if (chunk > 0 && (End & (ChunkSize - 1)) == 0)
        {
            Append(ref _chunks, chunk, new TItem[ChunkSize]);
        }
        return End++;
    }

    /// <summary>Takes a number back; its item must not be linked.</summary>
    public void Release(int id)
    {
        ref TItem item = ref this[id];
        item = default;
        item.Next = _free;
        _free = id;
    }

    /// <summary>The first item of the bucket of a hash; the others follow by <see cref="IHashedItem.Next"/>.</summary>
    public int First(uint hash) => Bucket(BucketOf(hash));

    /// <summary>Links an item under a hash.</summary>
    public void Link(int id, uint hash)
    {
        if (++_linked > _bucketCount)
        {
            Grow();
        }
        ref TItem item = ref this[id];
        item.Hash = hash;
        Push(id, ref item);
    }

    /// <summary>Takes an item out of the table; it keeps its number.</summary>
    public void Unlink(int id)
    {
        ref TItem item = ref this[id];
        ref int bucket = ref Bucket(BucketOf(item.Hash));
        if (bucket == id)
        {
            bucket = item.Next;
        }
        else
        {
            int before = bucket;
            while (this[before].Next != id)
            {
                before = this[before].Next;
            }
            this[before].Next = item.Next;
        }
        item.Next = 0;
        _linked--;
        // Twice as many buckets as items: from there two go for each item, so the table ends small when the items do.
        for (int i = 0; i < 2 && _bucketCount > SmallestTable && _linked < _bucketCount / 2; i++)
        {
            Shrink();
        }
    }

    private int BucketOf(uint hash)
    {
        uint index = hash & _mask;
        return (int)(index < (uint)_bucketCount ? index : index & (_mask >> 1));
    }

    private ref int Bucket(int index) => ref _buckets[index >> ChunkBits][index & (ChunkSize - 1)];

    private void Push(int id, ref TItem item)
    {
        ref int bucket = ref Bucket(BucketOf(item.Hash));
        item.Next = bucket;
        bucket = id;
    }

    private void Grow()
    {
        int added = _bucketCount++;
        if ((uint)added > _mask)
        {
            _mask = (_mask << 1) | 1;
        }
        if (added < ChunkSize && added == _buckets[0].Length)
        {
            Array.Resize(ref _buckets[0], added * 2);
        }
        else if (added >= ChunkSize && (added & (ChunkSize - 1)) == 0)
        {
            Append(ref _buckets, added >> ChunkBits, new int[ChunkSize]);
        }
        Redistribute((int)(added & (_mask >> 1)));
    }

    private void Shrink()
    {
        int last = --_bucketCount;
        if ((uint)last <= _mask >> 1)
        {
            _mask >>= 1;
        }
        Redistribute(last);
        if (last >= ChunkSize && (last & (ChunkSize - 1)) == 0)
        {
            _buckets[last >> ChunkBits] = null!;
        }
    }

    /// <summary>Empties a bucket and puts its items where they belong now.</summary>
    private void Redistribute(int index)
    {
        ref int bucket = ref Bucket(index);
        int id = bucket;
        bucket = 0;
        while (id != 0)
        {
            ref TItem item = ref this[id];
            int next = item.Next;
            Push(id, ref item);
            id = next;
        }
    }

    private static void Append<TChunk>(ref TChunk[] chunks, int index, TChunk chunk)
    {
        if (index == chunks.Length)
        {
            Array.Resize(ref chunks, index * 2);
        }
        chunks[index] = chunk;
    }
}
