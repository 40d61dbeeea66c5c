namespace Trunkline.Topics;

// Reading in pages. A page looks at topics in order and asks FilterScan what each one means for the filter: it matches,
// or no topic before a certain place can. Then it goes on there, so whole subtrees are skipped:
//
//     filter +/b    a, a/b, a/c, a/d, b/a, ...    a: next. a/b: match. a/c: beyond a/b, go to a<1>. b/a: go to b/b.
//
// Work: every step looks at one entry (and may search for the next place, log2 Count comparisons); the place only moves
// forward, so a whole reading looks at each entry once at most, and a page at maximumSteps entries at most.
//
// Guarantee: entries are given in TopicOrder and the place is a topic, not a reference. So an entry present during the
// whole reading is given exactly once, one that comes, goes, or does both meanwhile at most once, and a value is the
// one at the time of its page.
public sealed partial class TopicIndex<T>
{
    private byte[] _target = [];

    /// <summary>
    /// Reads the next page of the entries whose topic matches a valid filter (without <c>$share/name/</c>), until the
    /// reader says stop or <paramref name="maximumSteps"/> entries were looked at. True: there may be more, call again
    /// with the same filter and the cursor. False: nothing is left, <see cref="TopicCursor.IsEnd"/>.
    /// </summary>
    public bool Read<TReader>(ReadOnlySpan<byte> filter, ref TopicCursor cursor, int maximumSteps, ref TReader reader)
        where TReader : struct, ITopicReader<T>, allows ref struct
    {
        ArgumentOutOfRangeException.ThrowIfZero(filter.Length, nameof(filter));
        return ReadPage(new FilterScan(filter), ref cursor, maximumSteps, ref reader);
    }

    /// <summary>Reads the next page of all entries, those that begin with $ too; else as <see cref="Read"/>.</summary>
    public bool ReadAll<TReader>(ref TopicCursor cursor, int maximumSteps, ref TReader reader)
        where TReader : struct, ITopicReader<T>, allows ref struct =>
        ReadPage(default, ref cursor, maximumSteps, ref reader);

    private bool ReadPage<TReader>(FilterScan scan, ref TopicCursor cursor, int maximumSteps, ref TReader reader)
        where TReader : struct, ITopicReader<T>, allows ref struct
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumSteps, 1);
        ThrowIfReading();
        Place place = default;
        if (cursor.IsEnd || !TryStart(scan, cursor, ref place))
        {
            cursor = TopicCursor.End;
            return false;
        }
        _reading = true;
        try
        {
            for (int step = 0; step < maximumSteps; step++)
            {
                byte[] topic = _blocks[place.Block].Topic(place.Index);
                ScanStep next = scan.Look(topic, ref _target, out int targetLength);
                if (next == ScanStep.End || !TryMove(next, _target.AsSpan(0, targetLength), place, out Place moved))
                {
                    if (next == ScanStep.Match)
                    {
                        reader.Read(topic, _blocks[place.Block].Value(place.Index));
                    }
                    cursor = TopicCursor.End;
                    return false;
                }
                if (next == ScanStep.Match && !reader.Read(topic, _blocks[place.Block].Value(place.Index)))
                {
                    cursor = TopicCursor.After(topic);
                    return true;
                }
                place = moved;
            }
        }
        finally
        {
            _reading = false;
        }
        cursor = TopicCursor.At(_blocks[place.Block].Topic(place.Index));
        return true;
    }

    /// <summary>The first entry of a page: at the cursor, or at the beginning of what the filter can match.</summary>
    private bool TryStart(FilterScan scan, TopicCursor cursor, ref Place place)
    {
        if (_blocks.Count == 0)
        {
            return false;
        }
        if (cursor.IsStart)
        {
            return TrySeek(scan.FirstTopic, default, out place);
        }
        if (!TrySeek(cursor.Bound, default, out place))
        {
            return false;
        }
        bool skip = cursor.IsAfterBound && _blocks[place.Block].Topic(place.Index).AsSpan().SequenceEqual(cursor.Bound);
        return !skip || TryNextEntry(place, out place);
    }

    private bool TryMove(ScanStep step, ReadOnlySpan<byte> target, Place from, out Place to) =>
        step == ScanStep.Seek ? TrySeek(target, from, out to) : TryNextEntry(from, out to);

    private bool TryNextEntry(Place from, out Place to)
    {
        to = from.Index + 1 < _blocks[from.Block].Count ? new Place(from.Block, from.Index + 1) : new Place(from.Block + 1, 0);
        return to.Block < _blocks.Count;
    }

    /// <summary>The first entry not below the target; looks into the present block first, as most skips are short.</summary>
    private bool TrySeek(ReadOnlySpan<byte> target, Place from, out Place to)
    {
        bool here = TopicOrder.Compare(_blocks[from.Block].Last, target) >= 0;
        bool isStart = from == default;
        int at = here && !isStart ? from.Block : BlockFor(target);
        int index = _blocks[at].LowerBound(target, at == from.Block ? from.Index : 0, out _);
        to = index < _blocks[at].Count ? new Place(at, index) : new Place(at + 1, 0);
        return to.Block < _blocks.Count;
    }

    private readonly record struct Place(int Block, int Index);
}
