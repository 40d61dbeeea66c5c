namespace Trunkline.Topics;

/// <summary>
/// Topics and their values, e.g. retained messages, read in pages by filter (TopicIndex.Read.cs). One thread at a time.
/// <code>
///   blocks   [ a .. a/z ] [ b .. b/k ] [ b/m .. c ]      entries in TopicOrder, up to 128 a block
/// </code>
/// One sorted sequence, no tree of levels: a place in it is just a topic, so a reader that stopped finds its place again
/// by searching, whatever came and went meanwhile, and a filter is read by skipping from one possible match to the next.
/// The list of blocks is an array: at 1,000,000 topics some 10,000 references, moved once in about 64 inserts.
/// </summary>
public sealed partial class TopicIndex<T>
{
    private readonly List<TopicBlock<T>> _blocks = [];
    private bool _reading;

    /// <summary>How many topics there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all topic names together, for limits.</summary>
    public long TopicBytes { get; private set; }

    /// <summary>Sets the value of a valid topic name; true if the topic is new, else <paramref name="previous"/> is what it replaced.</summary>
    public bool Set(ReadOnlySpan<byte> topic, T value, out T? previous)
    {
        ThrowIfReading();
        previous = default;
        if (_blocks.Count == 0)
        {
            _blocks.Add(new TopicBlock<T>());
        }
        int at = BlockFor(topic);
        TopicBlock<T> block = _blocks[at];
        int index = block.LowerBound(topic, 0, out bool equal);
        if (equal)
        {
            previous = block.Value(index);
            block.Value(index) = value;
            return false;
        }
        if (block.Count == TopicBlock<T>.Capacity)
        {
            (block, index) = Split(at, index);
        }
        block.Insert(index, topic.ToArray(), value);
        Count++;
        TopicBytes += topic.Length;
        return true;
    }

    /// <summary>Removes a topic; false if it was not there.</summary>
    public bool Remove(ReadOnlySpan<byte> topic, out T? removed)
    {
        ThrowIfReading();
        removed = default;
        if (!TryFind(topic, out int at, out int index))
        {
            return false;
        }
        TopicBlock<T> block = _blocks[at];
        removed = block.Value(index);
        block.RemoveAt(index);
        Count--;
        TopicBytes -= topic.Length;
        if (block.Count == 0)
        {
            _blocks.RemoveAt(at);
        }
        else if (block.Count < TopicBlock<T>.Capacity / 4)
        {
            MergeWithNext(Math.Max(at - 1, 0));
        }
        return true;
    }

    /// <summary>The value of a topic.</summary>
    public bool TryGet(ReadOnlySpan<byte> topic, out T? value)
    {
        bool found = TryFind(topic, out int at, out int index);
        value = found ? _blocks[at].Value(index) : default;
        return found;
    }

    private bool TryFind(ReadOnlySpan<byte> topic, out int at, out int index)
    {
        (at, index) = (0, 0);
        if (_blocks.Count == 0)
        {
            return false;
        }
        at = BlockFor(topic);
        index = _blocks[at].LowerBound(topic, 0, out bool equal);
        return equal;
    }

    /// <summary>The last block that begins at or below a topic, or the first; there must be one.</summary>
    private int BlockFor(ReadOnlySpan<byte> topic)
    {
        int low = 1, high = _blocks.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = TopicOrder.Compare(_blocks[middle].First, topic) <= 0 ? (middle + 1, high) : (low, middle);
        }
        return low - 1;
    }

    private (TopicBlock<T> Block, int Index) Split(int at, int index)
    {
        TopicBlock<T> lower = _blocks[at];
        // Topics that arrive in order would leave half-empty blocks behind: at the very end, begin a new block instead.
        bool appends = at == _blocks.Count - 1 && index == lower.Count;
        int cut = appends ? lower.Count : lower.Count / 2;
        TopicBlock<T> upper = appends ? new TopicBlock<T>() : lower.SplitAt(cut);
        _blocks.Insert(at + 1, upper);
        return index <= cut && !appends ? (lower, index) : (upper, index - cut);
    }

    private void MergeWithNext(int at)
    {
        if (at + 1 < _blocks.Count && _blocks[at].Count + _blocks[at + 1].Count <= TopicBlock<T>.Capacity / 2)
        {
            _blocks[at].Append(_blocks[at + 1]);
            _blocks.RemoveAt(at + 1);
        }
    }

    private void ThrowIfReading()
    {
        if (_reading)
        {
            throw new InvalidOperationException("a reader must not change the index that calls it");
        }
    }
}
