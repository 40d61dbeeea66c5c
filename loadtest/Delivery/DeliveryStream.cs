namespace Trunkline.Loadtest;

/// <summary>
/// What one subscriber got of one publisher: the next number it waits for and the gaps below it. Without loss it is two
/// words. Loop thread only.
/// </summary>
/// <remarks>
/// <code>
/// received  0 1 2 . . 5 6 . 8        gaps [3,5) [7,8)        next 9
/// </code>
/// </remarks>
internal struct DeliveryStream
{
    /// <summary>Gaps kept at most; the oldest is settled as lost then, and a late message of it counts as a duplicate.</summary>
    public const int MaximumGaps = 4096;

    private List<(uint Start, uint End)>? _gaps;
    private long _settled;

    /// <summary>The number after the highest one received.</summary>
    public uint Next { get; private set; }

    /// <summary>Begins in the middle: what came before the first message seen is nobody's loss.</summary>
    public static DeliveryStream StartingAt(uint sequence) => new() { Next = sequence };

    /// <summary>Takes a message.</summary>
    public Arrival Observe(uint sequence)
    {
        if (sequence == Next)
        {
            Next++;
            return Arrival.InOrder;
        }

        if (sequence > Next)
        {
            AddGap(Next, sequence);
            Next = sequence + 1;
            return Arrival.InOrder;
        }

        return TryFill(sequence) ? Arrival.Reordered : Arrival.Duplicate;
    }

    /// <summary>Messages missing when so many were sent; without that number, those missing below the highest received.</summary>
    public readonly long MissingOf(uint? sent)
    {
        long missing = _settled;
        foreach ((uint start, uint end) in _gaps ?? [])
        {
            missing += end - start;
        }

        return sent is { } count && count > Next ? missing + (count - Next) : missing;
    }

    private void AddGap(uint start, uint end)
    {
        _gaps ??= [];
        if (_gaps.Count == MaximumGaps)
        {
            _settled += _gaps[0].End - _gaps[0].Start;
            _gaps.RemoveAt(0);
        }

        _gaps.Add((start, end));
    }

    private readonly bool TryFill(uint sequence)
    {
        for (int i = (_gaps?.Count ?? 0) - 1; i >= 0; i--)
        {
            (uint start, uint end) = _gaps![i];
            if (sequence >= end)
            {
                return false;
            }

            if (sequence < start)
            {
                continue;
            }

            _gaps.RemoveAt(i);
            if (sequence + 1 < end)
            {
                _gaps.Insert(i, (sequence + 1, end));
            }

            if (start < sequence)
            {
                _gaps.Insert(i, (start, sequence));
            }

            return true;
        }

        return false;
    }
}
