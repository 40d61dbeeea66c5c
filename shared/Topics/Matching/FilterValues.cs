namespace Trunkline.Topics;

/// <summary>The values under one filter of a <see cref="FilterIndex{T}"/>, valid until its next change.</summary>
public readonly ref struct FilterValues<T>
    where T : notnull
{
    private readonly T _first;
    private readonly ValueList<T>? _more;

    internal FilterValues(T first, ValueList<T>? more)
    {
        _first = first;
        _more = more;
    }

    /// <summary>How many; at least one where the index found the filter.</summary>
    public int Count => 1 + (_more?.Count ?? 0);

    /// <summary>One of them, in no order.</summary>
    public T this[int index] => index == 0 ? _first : _more is null ? throw new ArgumentOutOfRangeException(nameof(index)) : _more.Items[index - 1];
}
