namespace Trunkline.Topics;

/// <summary>One filter of an index: its text, its values (the first inline), its place in the table of all filters.</summary>
internal struct FilterEntry<T> : IHashedItem
    where T : notnull
{
    /// <summary>null: the number is free.</summary>
    public byte[]? Text;
    public T Value;
    public ValueList<T>? More;

    public uint Hash { get; set; }

    public int Next { get; set; }

    public readonly FilterValues<T> Values => new(Value, More);

    public readonly void CollectInto<TCollector>(ref TCollector collector)
        where TCollector : struct, IFilterCollector<T>, allows ref struct
    {
        collector.Add(Value);
        if (More is not null)
        {
            foreach (T value in More.Items)
            {
                collector.Add(value);
            }
        }
    }

    public bool Add(T value)
    {
        if (EqualityComparer<T>.Default.Equals(Value, value) || More?.Contains(value) == true)
        {
            return false;
        }
        More ??= new ValueList<T>();
        More.Add(value);
        return true;
    }

    /// <summary>Removes a value; <paramref name="empty"/> if it was the only one, which then is still in place.</summary>
    public bool Remove(T value, out bool empty)
    {
        empty = false;
        if (!EqualityComparer<T>.Default.Equals(Value, value))
        {
            if (More?.Remove(value) != true)
            {
                return false;
            }
        }
        else if (More is null)
        {
            empty = true;
            return true;
        }
        else
        {
            Value = More.TakeLast();
        }
        if (More.Count == 0)
        {
            More = null;
        }
        return true;
    }
}
