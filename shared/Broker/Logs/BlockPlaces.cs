namespace Trunkline.Broker;

/// <summary>
/// Where some records of a block begin, with their numbers: a record does not say its own, so behind a damaged one only such
/// a place tells how many messages were lost, and which the next one is. Filled while the block is, then only read: by any
/// one thread at a time.
/// </summary>
internal sealed class BlockPlaces
{
    /// <summary>Bytes between two places, at least: 32 of 8 bytes each in a block of 256 KiB.</summary>
    public const int ApartBytes = 8 * 1024;

    private (int Offset, int Number)[] _places = [];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Where the record begins, from the beginning of the block, and how many messages stand before it.</summary>
    public (int Offset, int Number) this[int index] => _places[index];

    /// <summary>A record is about to be added.</summary>
    /// <param name="offset">Where.</param>
    /// <param name="number">Messages of the block before it.</param>
    public void Pass(int offset, int number)
    {
        if (offset < (Count == 0 ? 0 : _places[Count - 1].Offset) + ApartBytes)
        {
            return;
        }

        if (Count == _places.Length)
        {
            Array.Resize(ref _places, int.Max(4, Count * 2));
        }

        _places[Count++] = (offset, number);
    }
}
