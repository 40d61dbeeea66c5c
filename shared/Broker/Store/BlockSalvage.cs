namespace Trunkline.Broker;

/// <summary>
/// Checks a block that was read back. What is damaged in it is taken out of the way alone: in memory a record that says how
/// many messages are lost stands in its place, and everything else is served under its own position. Any one thread.
/// </summary>
/// <remarks>
/// <code>
///   place            damaged            next place, or the end: its number is known
///     v                v                       v
///   [ sound ][ sound ][XXXXXXXX][ sound ][ sound ]
///     numbers counted on --&gt;      &lt;-- and back
/// </code>
/// A length that can be trusted leads to a sound record: then one record is lost. Where it does not, the first record from
/// which sound ones lead to the next place is looked for byte by byte. Two damaged records between two places are lost
/// alone, too, where their lengths lead on and the numbers leave one message for each; otherwise all between them is.
/// </remarks>
internal ref struct BlockSalvage
{
    private readonly Span<byte> _bytes;
    private readonly LogSegment _segment;
    private readonly long _fileOffset;
    private readonly List<BlockDamage> _damages;

    private BlockSalvage(Span<byte> bytes, LogSegment segment, long fileOffset, List<BlockDamage> damages)
    {
        _bytes = bytes;
        _segment = segment;
        _fileOffset = fileOffset;
        _damages = damages;
    }

    /// <summary>Checks a block and mends its bytes in memory; empty when it is sound.</summary>
    /// <param name="bytes">The whole of it.</param>
    /// <param name="block">Where it stands.</param>
    /// <param name="endOrdinal">The number after its last message.</param>
    public static IReadOnlyList<BlockDamage> Run(Span<byte> bytes, LogBlock block, long endOrdinal)
    {
        if (IsSound(bytes, block))
        {
            return [];
        }

        var salvage = new BlockSalvage(bytes, block.Segment!, block.FileOffset, []);
        (int offset, long ordinal) = (0, block.FirstOrdinal);
        for (int i = 0; i < block.Places.Count; i++)
        {
            (int placeOffset, int number) = block.Places[i];
            salvage.Section(offset, ordinal, placeOffset, block.FirstOrdinal + number);
            (offset, ordinal) = (placeOffset, block.FirstOrdinal + number);
        }

        salvage.Section(offset, ordinal, bytes.Length, endOrdinal);
        return salvage._damages;
    }

    private static bool IsSound(ReadOnlySpan<byte> bytes, LogBlock block)
    {
        int offset = 0;
        while (offset < bytes.Length
            && RecordFrame.TryCheck(bytes[offset..], block.Segment!.SeedAt(block.FileOffset + offset), out int length))
        {
            offset += length;
        }

        return offset == bytes.Length;
    }

    private readonly void Section(int start, long ordinal, int end, long endOrdinal)
    {
        (int sound, long counted) = Walk(start, end, ordinal);
        if (sound == end && counted == endOrdinal)
        {
            return;
        }

        if (sound < end && !TryEachAlone(sound, counted, end, endOrdinal))
        {
            LoseToNext(sound, counted, end, endOrdinal);
        }
        else if (sound == end)
        {
            // Sound records of another number than was appended here are not to be served under wrong positions.
            Lose(start, end, ordinal, endOrdinal);
        }
    }

    /// <summary>Over sound records; where they end, and the number of the next message there.</summary>
    private readonly (int Offset, long Ordinal) Walk(int offset, int end, long ordinal)
    {
        while (offset < end && IsSoundAt(offset, end, out int length))
        {
            ordinal += MessagesAt(offset);
            offset += length;
        }

        return (offset, ordinal);
    }

    /// <summary>Several damaged records whose lengths lead to sound ones, one message each (or none).</summary>
    private readonly bool TryEachAlone(int offset, long ordinal, int end, long endOrdinal)
    {
        if (_segment.IsThinned)
        {
            // A record there may stand for any number of messages.
            return false;
        }

        var damaged = new List<(int Offset, int Length, long Before)>();
        long soundMessages = 0;
        while (offset < end)
        {
            int length = RecordFrame.LengthOf(_bytes[offset..]);
            if (length < RecordFrame.HeaderBytes || length > end - offset || HasSoundWithin(offset, offset + length))
            {
                return false;
            }

            damaged.Add((offset, length, soundMessages));
            (int next, long counted) = Walk(offset + length, end, 0);
            if (next == offset + length && next < end)
            {
                return false;
            }

            soundMessages += counted;
            offset = next;
        }

        long lost = endOrdinal - ordinal - soundMessages;
        if (lost != damaged.Count && lost != 0)
        {
            return false;
        }

        for (int i = 0; i < damaged.Count; i++)
        {
            (int at, int length, long before) = damaged[i];
            long first = ordinal + before + (lost == 0 ? 0 : i);
            Lose(at, at + length, first, first + (lost == 0 ? 0 : 1));
        }

        return true;
    }

    private readonly bool HasSoundWithin(int offset, int end)
    {
        for (int at = offset + 1; at < end; at++)
        {
            if (IsSoundAt(at, end, out _))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Everything up to the first record from which sound ones lead to the end of the section.</summary>
    private readonly void LoseToNext(int offset, long ordinal, int end, long endOrdinal)
    {
        for (int from = offset + RecordFrame.HeaderBytes; from <= end - RecordFrame.HeaderBytes;)
        {
            (int led, long messages) = Walk(from, end, 0);
            if (led == end && endOrdinal - messages >= ordinal)
            {
                Lose(offset, from, ordinal, endOrdinal - messages);
                return;
            }

            from = int.Max(led, from) + 1;
        }

        Lose(offset, end, ordinal, endOrdinal);
    }

    private readonly void Lose(int offset, int end, long ordinal, long endOrdinal)
    {
        RecordFrame.WriteDamaged(_bytes[offset..end], ordinal, endOrdinal - ordinal);
        _damages.Add(new BlockDamage(_fileOffset + offset, end - offset, endOrdinal - ordinal));
    }

    private readonly bool IsSoundAt(int offset, int end, out int length) =>
        RecordFrame.TryCheck(_bytes[offset..end], _segment.SeedAt(_fileOffset + offset), out length);

    private readonly long MessagesAt(int offset) => RecordFrame.KindOf(_bytes[offset..]) switch
    {
        RecordKind.Message => 1,
        RecordKind.Gap => RecordFrame.GapCount(_bytes[offset..]),
        _ => 0,
    };
}

/// <summary>A damaged place of a file.</summary>
/// <param name="FileOffset">Where it begins.</param>
/// <param name="Bytes">How many.</param>
/// <param name="Messages">Messages that stood there.</param>
internal readonly record struct BlockDamage(long FileOffset, int Bytes, long Messages);
