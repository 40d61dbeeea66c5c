using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// The log in memory: as durable as the process, committed at once. Bounded in messages and bytes; at a limit who has more
/// than its share of the space loses its oldest messages (MemoryGroupLog.Room.cs), and when the process's memory is short the
/// oldest go with each that comes (MemoryGroupLog.Memory.cs). Blocks of bytes, so that a million messages are a few thousand
/// objects. Loop thread only.
/// </summary>
public sealed partial class MemoryGroupLog : IGroupLog
{
    private const int MaximumDropsPerTick = 100_000;
    private readonly Loop _loop;
    private readonly BrokerOptions _options;
    private readonly LogBlocks _blocks;
    private readonly LogIdentities _identities;
    private readonly LogTenants _tenants;
    private byte[]? _spare;
    private int _headOffset;

    /// <summary>Begins an empty log.</summary>
    /// <param name="loop">The group's loop, for its clock.</param>
    /// <param name="options">The limits.</param>
    /// <param name="term">
    /// The first term. Wall-clock milliseconds by default, so that a restart begins above the terms of the run before;
    /// links that know a higher one raise it.
    /// </param>
    public MemoryGroupLog(Loop loop, BrokerOptions options, ulong? term = null)
    {
        _loop = loop;
        _options = options;
        _tenants = new LogTenants(options);
        _blocks = new LogBlocks(new LogTerms(term ?? (ulong)loop.Time.GetUtcNow().ToUnixTimeMilliseconds()), options.LogBlockBytes);
        _identities = new LogIdentities(
            _blocks, new LogProducers(options.ProducersMaximum, options.ProducerMemoryMs), new LogIds(options.MessageIdsMaximum));
    }

    /// <inheritdoc/>
    public ulong Term => _blocks.Terms.Current;

    /// <inheritdoc/>
    public LogPosition Start => _blocks.Start;

    /// <inheritdoc/>
    public LogPosition Tail => _blocks.Tail;

    /// <inheritdoc/>
    public LogPosition Committed => Tail;

    /// <inheritdoc/>
    public long UncommittedBytes => 0;

    /// <inheritdoc/>
    public bool IsFailing => false;

    /// <inheritdoc/>
    public long Messages { get; private set; }

    /// <inheritdoc/>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public long IndexBytes => _blocks.IndexBytes;

    /// <inheritdoc/>
    public long Dropped { get; private set; }

    /// <inheritdoc/>
    public long ProducersForgotten => _identities.Producers.Forgotten;

    /// <inheritdoc/>
    public int Ids => _identities.Ids.Count;

    /// <inheritdoc/>
    public long IdsForgotten => _identities.Ids.Forgotten;

    /// <inheritdoc/>
    public ILogListener? Listener { get; set; }

    /// <inheritdoc/>
    public Func<byte[]>? ShareSnapshot { get; set; }

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> TakeShareRecords() => [];

    /// <inheritdoc/>
    public long AppendShares(ReadOnlySpan<byte> record) => 0;

    /// <inheritdoc/>
    public bool IsCommitted(long shareRecord) => true;

    /// <inheritdoc/>
    public void RaiseTermAbove(ulong known)
    {
        if (known >= Term)
        {
            _blocks.Terms.Begin(known + 1, _blocks.LastOrdinal + 1, _blocks.FirstOrdinal);
        }
    }

    /// <inheritdoc/>
    public LogProducer Acquire(string node, ulong link) => _identities.Producers.Acquire(node, link, _loop.NowMs, Start);

    /// <inheritdoc/>
    public void Release(LogProducer producer) => _identities.Producers.Release(producer, _loop.NowMs, Start);

    /// <inheritdoc/>
    public bool TryFind(in MessageId id, out LogPosition position) => _identities.TryFind(id, out position);

    /// <inheritdoc/>
    public LogPosition Append(in LogRecord record)
    {
        int size = checked((int)RecordFrame.SizeOf(record));
        while (Messages > 0 && (Messages >= _options.LogMaximumMessages || Bytes + size > _options.LogMaximumBytes))
        {
            MakeRoom();
        }

        if (IsMemoryScarce)
        {
            DropForMemory(size);
        }

        LogBlock block = BlockFor(size);
        RecordFrame.Write(
            block.Extend(size), record, new RecordStamp(RecordKind.Message, _loop.NowMs, record.ExpiresAtMs));
        Bytes += size;
        Messages++;
        _appendedBytes += size;
        long ordinal = _blocks.Count(block, record.Topic);
        _tenants.Add(block.Tenants, record.Topic, size);
        LogPosition position = Tail;
        _identities.Add(record, ordinal, position);
        return position;
    }

    /// <inheritdoc/>
    public LogCursor Seek(LogPosition after, out bool mayHaveLost) => _blocks.Seek(after, out mayHaveLost);

    /// <inheritdoc/>
    public bool Skip(ref LogCursor cursor, TopicsWanted wanted) => _blocks.Skip(ref cursor, wanted, _blocks.LastOrdinal + 1);

    /// <inheritdoc/>
    public void OnTick()
    {
        long before = _loop.NowMs - _options.LogMaximumAgeMs;
        for (int left = MaximumDropsPerTick; left > 0 && Messages > 0 && RecordFrame.AtMsOf(_blocks[0].At(_headOffset)) < before; left--)
        {
            DropOldest(isForRoom: false);
        }

        if (IsMemoryScarce)
        {
            GiveBack();
        }
    }

    /// <inheritdoc/>
    public LogReading TryRead(ref LogCursor cursor, out LogRecord record) => _blocks.TryRead(ref cursor, out record, out _);

    private LogBlock BlockFor(int size)
    {
        if (_blocks.Last is { } last && last.Free >= size)
        {
            return last;
        }

        byte[] buffer;
        if (_spare is not null && _spare.Length >= size)
        {
            buffer = _spare;
            _spare = null;
        }
        else
        {
            buffer = NewBuffer(int.Max(size, _options.LogBlockBytes));
        }

        var block = new LogBlock(buffer, _blocks.LastOrdinal + 1);
        _blocks.Add(block);
        return block;
    }
}
