namespace Trunkline.Sessions;

/// <summary>
/// Reads what <see cref="StateWriter"/> wrote. Never throws and never reads beyond the field: a value that is cut off or
/// out of range clears <see cref="IsSound"/>, and everything after it reads as zero.
/// </summary>
internal ref struct StateReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>Groups a tier can have at most; a higher number is damage.</summary>
    private const int MaximumGroups = 65_536;

    private ReadOnlySpan<byte> _left = bytes;

    /// <summary>Whether everything so far could be read.</summary>
    public bool IsSound { get; private set; } = true;

    /// <summary>Whether everything was read, to the last byte.</summary>
    public readonly bool IsComplete => IsSound && _left.IsEmpty;

    public byte Byte()
    {
        if (_left.IsEmpty)
        {
            return Damaged<byte>();
        }

        byte value = _left[0];
        _left = _left[1..];
        return value;
    }

    /// <summary>A number in its shortest form and no greater than <paramref name="maximum"/>.</summary>
    public ulong Number(ulong maximum = ulong.MaxValue)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte current = Byte();
            if (shift == 63 && current > 1)
            {
                return Damaged<ulong>();
            }

            value |= (ulong)(current & 0x7F) << shift;
            if (current < 0x80)
            {
                return IsSound && value <= maximum && (current != 0 || shift == 0) ? value : Damaged<ulong>();
            }
        }

        return Damaged<ulong>();
    }

    public bool Flag() => Number(1) == 1;

    public ReadOnlySpan<byte> Bytes()
    {
        ulong length = Number();
        if (length > (ulong)_left.Length)
        {
            Damaged<byte>();
            return default;
        }

        ReadOnlySpan<byte> value = _left[..(int)length];
        _left = _left[(int)length..];
        return value;
    }

    /// <summary>A group, or -1, and a position.</summary>
    public GroupPosition Place() =>
        new((int)Number(MaximumGroups) - 1, new LogPosition(Number(), Number()));

    public IReadOnlyList<GroupPosition> Positions()
    {
        ulong count = Number(MaximumGroups);
        var positions = new List<GroupPosition>();
        for (ulong i = 0; i < count && IsSound; i++)
        {
            GroupPosition place = Place();
            if (place.Group < 0)
            {
                Damaged<byte>();
            }

            positions.Add(place);
        }

        return positions;
    }

    private T Damaged<T>()
    {
        IsSound = false;
        _left = default;
        return default!;
    }
}
