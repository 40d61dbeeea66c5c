using Microsoft.Win32.SafeHandles;

namespace Trunkline.Broker;

/// <summary>
/// Writes one segment, or two neighbours as one, anew without the messages of those who lose: beside the old file and then
/// in its place, by one rename, so that a crash leaves the one or the other. Where two become one the second file is
/// deleted after that; recovery knows one that was left. On the store's helping thread; used once.
/// </summary>
internal sealed class SegmentThinning : StoreJob
{
    private readonly StoreDisk _disk;
    private readonly LogSegment _next;
    private readonly LogLosers _losers;
    private readonly int _blockBytes;
    private readonly Action<SegmentThinning> _done;

    /// <param name="disk">Where it is written.</param>
    /// <param name="old">See <see cref="Old"/>.</param>
    /// <param name="next">The segment behind them; the state at its beginning is written.</param>
    /// <param name="losers">Whose messages go.</param>
    /// <param name="blockBytes">The size of a block.</param>
    /// <param name="done">Called on the loop.</param>
    public SegmentThinning(
        StoreDisk disk, IReadOnlyList<LogSegment> old, LogSegment next, LogLosers losers, int blockBytes, Action<SegmentThinning> done)
    {
        _disk = disk;
        _next = next;
        Old = old;
        _losers = losers;
        _blockBytes = blockBytes;
        _done = done;
        Fresh = old[0].Thinned();
        Thinner = new UnitThinner(losers, blockBytes, old[0].FirstOrdinal);
    }

    /// <summary>The segments it reads; one or two neighbours.</summary>
    public IReadOnlyList<LogSegment> Old { get; }

    /// <summary>The segment in their place.</summary>
    public LogSegment Fresh { get; }

    /// <summary>What it copied.</summary>
    public UnitThinner Thinner { get; private set; }

    /// <summary>Whether the new file is in place.</summary>
    public bool IsDone { get; private set; }

    protected override void Work()
    {
        for (int i = 0; i < Old.Count; i++)
        {
            Thinner.Copy(ReadChecked(Old[i]), isFirst: i == 0);
        }

        Thinner.Finish();
        Seal();
        SyncWhatStays();
        Fresh.Replace(_disk, Thinner.Output);
        IsDone = true;
        for (int i = 1; i < Old.Count; i++)
        {
            File.Delete(Old[i].Path);
        }
    }

    protected override void Run() => _done(this);

    /// <summary>
    /// What is to be on the disk before messages go: the state at the beginning of the next segment, which knows their numbers,
    /// and a second file whole, which a power cut may bring back after it was deleted. With <c>always</c> they are.
    /// </summary>
    private void SyncWhatStays()
    {
        foreach (LogSegment segment in Old.Skip(1).Append(_next))
        {
            segment.Flush(_disk);
        }

        _disk.FlushFolder(Path.GetDirectoryName(Fresh.Path)!);
    }

    private ReadOnlySpan<byte> ReadChecked(LogSegment segment)
    {
        SafeFileHandle handle = segment.Handle!;
        byte[] bytes = new byte[segment.Length - LogSegment.HeaderBytes];
        _disk.Read(handle, bytes, LogSegment.HeaderBytes);
        for (int offset = 0; offset < bytes.Length;)
        {
            if (!RecordFrame.TryCheck(bytes.AsSpan(offset), segment.SeedAt(LogSegment.HeaderBytes + offset), out int length))
            {
                throw new IOException($"{segment.Path} is damaged at offset {LogSegment.HeaderBytes + offset}.");
            }

            offset += length;
        }

        return bytes;
    }

    /// <summary>Each record has another place now, and is part of no other write.</summary>
    private void Seal()
    {
        Span<byte> output = Thinner.Output;
        for (int offset = 0; offset < output.Length;)
        {
            int place = LogSegment.HeaderBytes + offset;
            Span<byte> record = output.Slice(offset, RecordFrame.LengthOf(output[offset..]));
            RecordFrame.Unbatch(record);
            RecordFrame.Seal(record, Fresh.SeedAt(place));
            offset += record.Length;
        }
    }
}
