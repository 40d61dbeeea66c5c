namespace Trunkline.Topics;

/// <summary>Up to <see cref="Capacity"/> entries of a <see cref="TopicIndex{T}"/> in order; arrays grow as needed.</summary>
internal sealed class TopicBlock<T>
{
    public const int Capacity = 128;

    private byte[][] _topics;
    private T[] _values;

    public TopicBlock()
        : this(4)
    {
    }

    private TopicBlock(int size)
    {
        _topics = new byte[size][];
        _values = new T[size];
    }

    public int Count { get; private set; }

    public byte[] First => _topics[0];

    public byte[] Last => _topics[Count - 1];

    public byte[] Topic(int index) => _topics[index];

    public ref T Value(int index) => ref _values[index];

    /// <summary>The first index, from <paramref name="from"/> on, whose topic is not below the bound; Count if none.</summary>
    public int LowerBound(ReadOnlySpan<byte> bound, int from, out bool equal)
    {
        int low = from, high = Count;
        equal = false;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            int order = TopicOrder.Compare(_topics[middle], bound);
            if (order == 0)
            {
                equal = true;
                return middle;
            }
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    public void Insert(int index, byte[] topic, T value)
    {
        if (Count == _topics.Length)
        {
            Resize(Math.Min(Count * 2, Capacity));
        }
        Array.Copy(_topics, index, _topics, index + 1, Count - index);
        Array.Copy(_values, index, _values, index + 1, Count - index);
        _topics[index] = topic;
        _values[index] = value;
        Count++;
    }

    public void RemoveAt(int index)
    {
        Count--;
        Array.Copy(_topics, index + 1, _topics, index, Count - index);
        Array.Copy(_values, index + 1, _values, index, Count - index);
        _topics[Count] = null!;
        _values[Count] = default!;
        if (_topics.Length > 4 && Count <= _topics.Length / 4)
        {
            Resize(_topics.Length / 2);
        }
    }

    /// <summary>Moves everything from an index on into a new block.</summary>
    public TopicBlock<T> SplitAt(int index)
    {
        TopicBlock<T> upper = new(Capacity);
        upper.Append(this, index);
        Array.Clear(_topics, index, Count - index);
        Array.Clear(_values, index, Count - index);
        Count = index;
        return upper;
    }

    /// <summary>Takes over the entries of the block that follows, from an index on.</summary>
    public void Append(TopicBlock<T> next, int from = 0)
    {
        int added = next.Count - from;
        if (Count + added > _topics.Length)
        {
            Resize(Math.Min(Math.Max(Count + added, _topics.Length * 2), Capacity));
        }
        Array.Copy(next._topics, from, _topics, Count, added);
        Array.Copy(next._values, from, _values, Count, added);
        Count += added;
    }

    private void Resize(int size)
    {
        Array.Resize(ref _topics, size);
        Array.Resize(ref _values, size);
    }
}
