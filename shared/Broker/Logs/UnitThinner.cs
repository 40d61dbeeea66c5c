using System.Runtime.InteropServices;

namespace Trunkline.Broker;

/// <summary>
/// Copies the records of units of the log (blocks, segments) into blocks of a size without the messages of those who lose,
/// and puts a gap in the place of each run of them. Everything else is copied as it is. Any one thread.
/// </summary>
internal sealed class UnitThinner(LogLosers losers, int blockBytes, long firstOrdinal)
{
    /// <summary>Tenants that one gap names; one with more of them names none, and so concerns everybody.</summary>
    private const int NamesMaximum = 16;

    private readonly BlockTopics _topics = new(int.Max(64, blockBytes / LogBlocks.BytesPerLevel));
    private readonly List<ThinnedBlock> _blocks = [];
    private readonly HashSet<uint> _gapNames = [];
    private readonly HashSet<uint> _blockNames = [];
    private byte[] _output = new byte[blockBytes];
    private long _ordinal = firstOrdinal;
    private long _gapFirst;
    private long _gapCount;
    private long _gapAtMs;
    private bool _isGapNameless;
    private ThinnedBlock? _block;

    /// <summary>Messages left out.</summary>
    public long Dropped { get; private set; }

    /// <summary>When the youngest of them was appended, on the log's clock.</summary>
    public long YoungestMs { get; private set; }

    /// <summary>Bytes of the messages that stay, by the name of their tenant.</summary>
    public Dictionary<byte[], long> Kept { get; } = new(BytesComparer.Instance);

    /// <summary>The blocks, one behind the other in <see cref="Output"/>.</summary>
    public IReadOnlyList<ThinnedBlock> Blocks => _blocks;

    public Span<byte> Output => _output.AsSpan(0, Used);

    public int Used { get; private set; }

    /// <summary>Copies what stands one behind the other.</summary>
    /// <param name="source">Records that were checked.</param>
    /// <param name="isFirst">Whether nothing was copied before: a state in the middle would say less than what is before it.</param>
    public void Copy(ReadOnlySpan<byte> source, bool isFirst)
    {
        while (!source.IsEmpty)
        {
            int length = RecordFrame.LengthOf(source);
            ReadOnlySpan<byte> record = source[..length];
            source = source[length..];
            switch (RecordFrame.KindOf(record))
            {
                case RecordKind.Message:
                    CopyMessage(record);
                    break;
                case RecordKind.Gap:
                    Widen(RecordFrame.GapEnd(record) - _ordinal, RecordFrame.AtMsOf(record), RecordFrame.GapNames(record));
                    break;
                case RecordKind.Snapshot when !isFirst:
                    break;
                default:
                    CloseGap();
                    Place(record);
                    break;
            }
        }
    }

    /// <summary>All is copied.</summary>
    public void Finish()
    {
        CloseGap();
        EndBlock();
    }

    private void CopyMessage(ReadOnlySpan<byte> record)
    {
        ReadOnlySpan<byte> topic = RecordFrame.Topic(record);
        if (losers.Loses(topic, out ReadOnlySpan<byte> name))
        {
            long atMs = RecordFrame.AtMsOf(record);
            Dropped++;
            YoungestMs = long.Max(YoungestMs, atMs);
            uint hash = TopicHash.Tenant(name);
            Widen(1, atMs, new ReadOnlySpan<uint>(in hash));
            return;
        }

        CloseGap();
        Place(record);
        _block!.Count++;
        _block.Live++;
        _topics.Add(topic);
        _ordinal++;
        ref long kept = ref CollectionsMarshal.GetValueRefOrAddDefault(Kept.GetAlternateLookup<ReadOnlySpan<byte>>(), name, out _);
        kept += record.Length;
    }

    private void Widen(long count, long atMs, ReadOnlySpan<uint> names)
    {
        if (_gapCount == 0)
        {
            _gapFirst = _ordinal;
            _gapNames.Clear();
            _isGapNameless = false;
        }

        foreach (uint name in names)
        {
            _gapNames.Add(name);
        }

        _isGapNameless |= names.IsEmpty || _gapNames.Count > NamesMaximum;
        _gapCount += count;
        _gapAtMs = long.Max(_gapAtMs, atMs);
        _ordinal += count;
    }

    private void CloseGap()
    {
        if (_gapCount == 0)
        {
            return;
        }

        uint[] names = _isGapNameless ? [] : [.. _gapNames];
        BlockFor(RecordFrame.SizeOfGap(names.Length), _gapFirst);
        int size = RecordFrame.SizeOfGap(names.Length);
        RecordFrame.WriteGap(Room(size), _gapFirst, _gapCount, _gapAtMs, names);
        _block!.Count += (int)_gapCount;
        _block.HasNamelessGap |= _isGapNameless;
        _blockNames.UnionWith(names);
        _block.HasGap = true;
        _gapCount = 0;
        _gapAtMs = 0;
    }

    private void Place(ReadOnlySpan<byte> record)
    {
        BlockFor(record.Length, _ordinal);
        record.CopyTo(Room(record.Length));
    }

    private void BlockFor(int size, long ordinal)
    {
        if (_block is not null && _block.Used > 0 && _block.Used + size > blockBytes)
        {
            EndBlock();
        }

        _block ??= new ThinnedBlock(Used, ordinal);
    }

    private Span<byte> Room(int size)
    {
        if (Used + size > _output.Length)
        {
            Array.Resize(ref _output, int.Max(_output.Length * 2, Used + size));
        }

        _block!.Places.Pass(_block.Used, _block.Count);
        Used += size;
        _block.Used += size;
        return _output.AsSpan(Used - size, size);
    }

    private void EndBlock()
    {
        if (_block is null)
        {
            return;
        }

        _block.Topics = _topics.Take();
        _block.Gaps = !_block.HasGap ? null : _block.HasNamelessGap ? [] : [.. _blockNames];
        _blockNames.Clear();
        _blocks.Add(_block);
        _block = null;
    }
}

/// <summary>A block as <see cref="UnitThinner"/> made it.</summary>
internal sealed class ThinnedBlock(int offset, long firstOrdinal)
{
    public int Offset { get; } = offset;

    public long FirstOrdinal { get; } = firstOrdinal;

    public int Used { get; set; }

    public int Count { get; set; }

    public int Live { get; set; }

    public bool HasGap { get; set; }

    public bool HasNamelessGap { get; set; }

    public BlockIndex Topics { get; set; } = new([], null);

    public uint[]? Gaps { get; set; }

    public BlockPlaces Places { get; } = new();
}
