namespace Trunkline.Topics;

/// <summary>Filters and the values under them.</summary>
public sealed class FilterIndex<T>
    where T : notnull
{
    /// <summary>How many different filters there are.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>How many values there are under all filters.</summary>
    public int ValueCount => throw new NotImplementedException();

    /// <summary>Adds a value under a valid filter (without <c>$share/name/</c>); false if that filter has an equal value.</summary>
    public bool Add(ReadOnlySpan<byte> filter, T value) => throw new NotImplementedException();

    /// <summary>As above, under <see cref="TopicFilterText.Filter"/>, sharing the array where the filter is not $share.</summary>
    public bool Add(TopicFilterText filter, T value) => throw new NotImplementedException();

    /// <summary>Removes one value; false if it was not there.</summary>
    public bool Remove(ReadOnlySpan<byte> filter, T value) => throw new NotImplementedException();

    /// <summary>The values under exactly this filter, valid until the next change.</summary>
    public bool TryGet(ReadOnlySpan<byte> filter, out FilterValues<T> values) => throw new NotImplementedException();

    /// <summary>The index's own copy of a filter, so that others who keep it need none.</summary>
    public bool TryGetText(ReadOnlySpan<byte> filter, out TopicFilterText text) => throw new NotImplementedException();

    /// <summary>Gives the values of all filters that match; returns the work done.</summary>
    public int Match<TCollector>(ReadOnlySpan<byte> topic, ref TCollector collector)
        where TCollector : struct, IFilterCollector<T>, allows ref struct => throw new NotImplementedException();

    /// <summary>Walks over all filters in steps, from position 0; false at the end.</summary>
    public bool TryNext(ref int position, out TopicFilterText filter, out FilterValues<T> values) => throw new NotImplementedException();

    /// <summary>Removes everything.</summary>
    public void Clear() => throw new NotImplementedException();
}

/// <summary>The values under one filter, valid until the index's next change.</summary>
public readonly ref struct FilterValues<T>
    where T : notnull
{
    /// <summary>How many; at least one.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>One of them, in no order.</summary>
    public T this[int index] => throw new NotImplementedException();
}
