using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// What is written at once: everything appended up to one position. Gathered on the loop, written there or on the
/// writing thread; meanwhile the loop only adds behind it. Written again as it is when it failed.
/// </summary>
internal sealed class LogBatch(StoreDisk disk, bool syncs, Action<LogBatch> done) : StoreJob
{
    private readonly List<(LogBlock Block, int From, int To)> _extents = [];

    /// <summary>Whether it is gathered and not done yet.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>Once it is written, everything up to here is.</summary>
    public LogPosition Target { get; private set; }

    /// <summary>The number of the message at <see cref="Target"/>.</summary>
    public long TargetOrdinal { get; private set; }

    /// <summary>Bytes in it.</summary>
    public long Bytes { get; private set; }

    /// <summary>The segment it ends in, and where there.</summary>
    public (LogSegment Segment, long Offset) End => (_extents[^1].Block.Segment!, _extents[^1].Block.FileOffset + _extents[^1].To);

    /// <summary>Takes what is not written yet; on the loop, with none under way.</summary>
    public void Gather(Queue<LogBlock> dirty, LogPosition target, long targetOrdinal)
    {
        IsUnderWay = true;
        Target = target;
        TargetOrdinal = targetOrdinal;
        Bytes = 0;
        foreach (LogBlock block in dirty)
        {
            _extents.Add((block, block.Written, block.Used));
            Bytes += block.Used - block.Written;
        }
    }

    /// <summary>It is written: its blocks say so. On the loop.</summary>
    public void Finish()
    {
        foreach ((LogBlock block, _, int to) in _extents)
        {
            block.Written = to;
        }

        _extents.Clear();
        IsUnderWay = false;
    }

    protected override void Work()
    {
        LogSegment? before = null;
        foreach ((LogBlock block, int from, int to) in _extents)
        {
            LogSegment segment = block.Segment!;
            if (syncs && before is not null && before != segment)
            {
                disk.Flush(before.Handle!);
            }

            before = segment;
            segment.Make(disk, syncs);
            disk.Write(segment.Handle!, block.Buffer.AsSpan(from, to - from), block.FileOffset + from);
        }

        if (syncs && before is not null)
        {
            disk.Flush(before.Handle!);
        }
    }

    protected override void Run() => done(this);
}
