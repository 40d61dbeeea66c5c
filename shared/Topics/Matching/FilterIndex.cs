namespace Trunkline.Topics;

/// <summary>
/// Filters and the values under them: who wants this topic? One thread at a time.
/// <code>
///   entries   hash table of all filters by their whole text: text, values        add, remove, exact match: one look-up
///   trie      the filters with a wildcard by level, pointing at their entries     see FilterTrie for the bound on its work
/// </code>
/// A filter costs one entry, a wildcard filter besides one trie node for each level it does not share with others; both
/// lie in chunked pools, so there is no object per filter but its text, and that can be shared with whoever else keeps
/// the filter (<see cref="TryGetText"/>). Removal frees the entry and the nodes nobody needs; an index that becomes
/// empty gives its memory back, else it keeps it for the next filters. Filters are valid and without
/// <c>$share/name/</c>; topics are valid topic names.
/// <para>
/// 200,000 filters of 30 bytes with one value each: an exact one takes 36 B, a wildcard one with two levels of its own
/// 109 B, both besides the text (24 + n bytes). Measured by FilterIndexCostTests, which holds add, match and remove
/// below 5 us; the command is in its summary.
/// </para>
/// </summary>
public sealed class FilterIndex<T>
    where T : notnull
{
    private HashedPool<FilterEntry<T>> _entries = new();
    private FilterTrie _trie = new();
    private bool _matching;

    /// <summary>How many different filters there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many values there are under all filters.</summary>
    public int ValueCount { get; private set; }

    /// <summary>Trie nodes of the wildcard filters: the upper bound of the work of one match.</summary>
    public int NodeCount => _trie.NodeCount;

    /// <summary>Adds a value under a filter; false if that filter has an equal value.</summary>
    public bool Add(ReadOnlySpan<byte> filter, T value) => Add(filter, null, value);

    /// <summary>As above, under <see cref="TopicFilterText.Filter"/>, sharing its array unless it is a $share filter.</summary>
    public bool Add(TopicFilterText filter, T value)
    {
        ParsedFilter parts = filter.Parts;
        return Add(parts.Filter, parts.IsShared ? null : filter.Array, value);
    }

    /// <summary>Removes one value; false if it was not there.</summary>
    public bool Remove(ReadOnlySpan<byte> filter, T value)
    {
        ThrowIfMatching();
        int id = Find(filter);
        if (id == 0 || !_entries[id].Remove(value, out bool empty))
        {
            return false;
        }
        ValueCount--;
        if (!empty)
        {
            return true;
        }
        if (TopicText.HasWildcard(filter))
        {
            _trie.Remove(_entries[id].Text!);
        }
        _entries.Unlink(id);
        _entries.Release(id);
        if (--Count == 0)
        {
            Clear();
        }
        return true;
    }

    /// <summary>The values under exactly this filter.</summary>
    public bool TryGet(ReadOnlySpan<byte> filter, out FilterValues<T> values)
    {
        int id = Find(filter);
        values = id != 0 ? _entries[id].Values : default;
        return id != 0;
    }

    /// <summary>The index's own copy of a filter, so that others who keep it need none.</summary>
    public bool TryGetText(ReadOnlySpan<byte> filter, out TopicFilterText text)
    {
        int id = Find(filter);
        text = id != 0 ? new TopicFilterText(_entries[id].Text!) : default;
        return id != 0;
    }

    /// <summary>
    /// Gives every value of every filter that matches a topic name; a value under two of them comes twice. No
    /// allocation, no recursion. Returns the trie nodes visited: at most min(<see cref="NodeCount"/> + 1, 2^(levels + 1)).
    /// </summary>
    public int Match<TCollector>(ReadOnlySpan<byte> topic, ref TCollector collector)
        where TCollector : struct, IFilterCollector<T>, allows ref struct
    {
        ThrowIfMatching();
        _matching = true;
        try
        {
            int id = Find(topic);
            if (id != 0 && !TopicText.HasWildcard(topic))
            {
                _entries[id].CollectInto(ref collector);
            }
            return _trie.IsEmpty ? 0 : _trie.Match(topic, _entries, ref collector);
        }
        finally
        {
            _matching = false;
        }
    }

    /// <summary>
    /// Walks over all filters, from position 0; false at the end. Filters may come and go between two calls: one that
    /// stays is given exactly once.
    /// </summary>
    public bool TryNext(ref int position, out TopicFilterText filter, out FilterValues<T> values)
    {
        for (int id = Math.Max(position, 1); id < _entries.End; id++)
        {
            ref FilterEntry<T> entry = ref _entries[id];
            if (entry.Text is not null)
            {
                position = id + 1;
                filter = new TopicFilterText(entry.Text);
                values = entry.Values;
                return true;
            }
        }
        position = _entries.End;
        filter = default;
        values = default;
        return false;
    }

    /// <summary>Removes everything.</summary>
    public void Clear()
    {
        ThrowIfMatching();
        _entries = new HashedPool<FilterEntry<T>>();
        _trie = new FilterTrie();
        Count = 0;
        ValueCount = 0;
    }

    private bool Add(ReadOnlySpan<byte> filter, byte[]? shared, T value)
    {
        ThrowIfMatching();
        if (filter.Length is 0 or > TopicLimits.LargestBytes)
        {
            throw new ArgumentException("a filter has 1 to 65,535 bytes", nameof(filter));
        }
        uint hash = (uint)KeyHash.Of(filter);
        int id = Find(filter, hash);
        if (id != 0)
        {
            bool added = _entries[id].Add(value);
            ValueCount += added ? 1 : 0;
            return added;
        }
        byte[] text = shared ?? filter.ToArray();
        id = _entries.Take();
        ref FilterEntry<T> entry = ref _entries[id];
        entry.Text = text;
        entry.Value = value;
        _entries.Link(id, hash);
        if (TopicText.HasWildcard(filter))
        {
            _trie.Add(text, id);
        }
        Count++;
        ValueCount++;
        return true;
    }

    private int Find(ReadOnlySpan<byte> filter) => Find(filter, (uint)KeyHash.Of(filter));

    private int Find(ReadOnlySpan<byte> filter, uint hash)
    {
        int id = _entries.First(hash);
        while (id != 0)
        {
            ref FilterEntry<T> entry = ref _entries[id];
            if (entry.Hash == hash && filter.SequenceEqual(entry.Text))
            {
                return id;
            }
            id = entry.Next;
        }
        return 0;
    }

    private void ThrowIfMatching()
    {
        if (_matching)
        {
            throw new InvalidOperationException("a collector must not use the index that calls it");
        }
    }
}
