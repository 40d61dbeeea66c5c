namespace Trunkline.Topics;

/// <summary>How an <see cref="ItemTable{TKey, TItem, TRules}"/> finds an item: the item carries its own key.</summary>
/// <typeparam name="TKey">What is looked for.</typeparam>
/// <typeparam name="TItem">What is held.</typeparam>
public interface IItemRules<TKey, TItem>
{
    /// <summary>The hash of a key; devices choose keys, so it must be one they cannot predict, or never collide.</summary>
    static abstract uint HashOf(in TKey key);

    /// <summary>The key of an item.</summary>
    static abstract TKey KeyOf(TItem item);

    /// <summary>Whether two keys are the same.</summary>
    static abstract bool AreEqual(in TKey left, in TKey right);
}

/// <summary>
/// Items by a key they carry themselves, about 20 bytes each: a dictionary of as many has 28 to 56, most of it room for
/// growth. It grows by one bucket at a time, so no add pays for moving all, and nothing of it is a large object, which
/// only the rarest collection would free. One thread at a time.
/// </summary>
public sealed class ItemTable<TKey, TItem, TRules>
    where TItem : class
    where TRules : IItemRules<TKey, TItem>
{
    private readonly HashedPool<Slot> _slots = new();

    /// <summary>Items held.</summary>
    public int Count { get; private set; }

    /// <summary>Every item now; the table must not change meanwhile.</summary>
    public IEnumerable<TItem> Items
    {
        get
        {
            for (int id = 1; id < _slots.End; id++)
            {
                if (_slots[id].Item is { } item)
                {
                    yield return item;
                }
            }
        }
    }

    /// <summary>The item of a key, or null.</summary>
    public TItem? Find(in TKey key)
    {
        int id = FindSlot(key, TRules.HashOf(key));
        return id == 0 ? null : _slots[id].Item;
    }

    /// <summary>Adds an item whose key is not held yet.</summary>
    /// <exception cref="ArgumentException">Its key is held.</exception>
    public void Add(TItem item)
    {
        TKey key = TRules.KeyOf(item);
        uint hash = TRules.HashOf(key);
        if (FindSlot(key, hash) != 0)
        {
            throw new ArgumentException($"The key {key} is held already.", nameof(item));
        }

        int id = _slots.Take();
        _slots[id].Item = item;
        _slots.Link(id, hash);
        Count++;
    }

    /// <summary>Takes the item of a key out; returns it, or null when there was none.</summary>
    public TItem? Remove(in TKey key)
    {
        int id = FindSlot(key, TRules.HashOf(key));
        if (id == 0)
        {
            return null;
        }

        TItem? item = _slots[id].Item;
        _slots.Unlink(id);
        _slots.Release(id);
        Count--;
        return item;
    }

    private int FindSlot(in TKey key, uint hash)
    {
        for (int id = _slots.First(hash); id != 0;)
        {
            ref Slot slot = ref _slots[id];
            if (slot.Hash == hash && TRules.AreEqual(TRules.KeyOf(slot.Item!), key))
            {
                return id;
            }

            id = slot.Next;
        }

        return 0;
    }

    private struct Slot : IHashedItem
    {
        public TItem? Item;

        public uint Hash { get; set; }

        public int Next { get; set; }
    }
}
