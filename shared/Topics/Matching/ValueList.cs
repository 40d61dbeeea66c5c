namespace Trunkline.Topics;

/// <summary>
/// The values of one filter beyond the first, in no order. A filter that all devices share has as many values as
/// there are devices, and each leaves alone: from <see cref="IndexedFrom"/> values on their places are indexed.
/// </summary>
internal sealed class ValueList<T>
    where T : notnull
{
    private const int IndexedFrom = 32;

    private T[] _items = new T[2];
    private Dictionary<T, int>? _places;

    public int Count { get; private set; }

    public ReadOnlySpan<T> Items => _items.AsSpan(0, Count);

    public bool Contains(T value) => PlaceOf(value) >= 0;

    /// <summary>Adds a value that is not in the list.</summary>
    public void Add(T value)
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Count * 2);
        }
        _items[Count] = value;
        _places?.Add(value, Count);
        Count++;
        if (_places is null && Count == IndexedFrom)
        {
            _places = new Dictionary<T, int>(IndexedFrom * 2);
            for (int i = 0; i < Count; i++)
            {
                _places.Add(_items[i], i);
            }
        }
    }

    public bool Remove(T value)
    {
        int place = PlaceOf(value);
        if (place < 0)
        {
            return false;
        }
        T last = _items[Count - 1];
        if (_places is not null)
        {
            _places[last] = place;
            _places.Remove(value);
        }
        _items[place] = last;
        DropLast();
        return true;
    }

    /// <summary>Takes out one value; the list must have one.</summary>
    public T TakeLast()
    {
        T last = _items[Count - 1];
        _places?.Remove(last);
        DropLast();
        return last;
    }

    private void DropLast()
    {
        _items[--Count] = default!;
        if (Count < IndexedFrom / 2)
        {
            _places = null;
        }
        if (_items.Length > 2 && Count <= _items.Length / 4)
        {
            Array.Resize(ref _items, _items.Length / 2);
            _places?.TrimExcess();
        }
    }

    private int PlaceOf(T value)
    {
        if (_places is not null)
        {
            return _places.TryGetValue(value, out int place) ? place : -1;
        }
        EqualityComparer<T> comparer = EqualityComparer<T>.Default;
        for (int i = 0; i < Count; i++)
        {
            if (comparer.Equals(_items[i], value))
            {
                return i;
            }
        }
        return -1;
    }
}
