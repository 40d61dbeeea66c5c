using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// The log in memory: as durable as the process, committed at once. Bounded in messages and bytes; at a limit the oldest
/// message is dropped. Blocks of bytes, so that a million messages are a few thousand objects. Loop thread only.
/// </summary>
public sealed class MemoryGroupLog : IGroupLog
{
    private const int MaximumDropsPerTick = 100_000;
    private readonly Loop _loop;
    private readonly BrokerOptions _options;
    private readonly LogProducers _producers;
    private readonly LogBlocks _blocks;
    private readonly LogIds _ids;
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
        _blocks = new LogBlocks(new LogTerms(term ?? (ulong)loop.Time.GetUtcNow().ToUnixTimeMilliseconds()));
        _producers = new LogProducers(options.ProducersMaximum, options.ProducerMemoryMs);
        _ids = new LogIds(options.MessageIdsMaximum);
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
    public long Messages => _blocks.LastOrdinal - _blocks.FirstOrdinal + 1;

    /// <inheritdoc/>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public long Dropped { get; private set; }

    /// <inheritdoc/>
    public long ProducersForgotten => _producers.Forgotten;

    /// <inheritdoc/>
    public int Ids => _ids.Count;

    /// <inheritdoc/>
    public long IdsForgotten => _ids.Forgotten;

    /// <inheritdoc/>
    public ILogListener? Listener { get; set; }

    /// <inheritdoc/>
    public void RaiseTermAbove(ulong known)
    {
        if (known >= Term)
        {
            _blocks.Terms.Begin(known + 1, _blocks.LastOrdinal + 1, _blocks.FirstOrdinal);
        }
    }

    /// <inheritdoc/>
    public LogProducer Acquire(string node, ulong link) => _producers.Acquire(node, link, _loop.NowMs, Start);

    /// <inheritdoc/>
    public void Release(LogProducer producer) => _producers.Release(producer, _loop.NowMs, Start);

    /// <inheritdoc/>
    public bool TryFind(in MessageId id, out LogPosition position)
    {
        if (_ids.TryFind(id, out long ordinal))
        {
            position = _blocks.Terms.PositionOf(ordinal);
            return true;
        }

        LogProducer? producer = _producers.Find(id.Node, id.Link);
        position = producer?.LastPosition ?? default;
        return producer?.Has(id.Number) ?? false;
    }

    /// <inheritdoc/>
    public LogPosition Append(in LogRecord record)
    {
        int size = checked((int)RecordFrame.SizeOf(record));
        while (Messages > 0 && (Messages >= _options.LogMaximumMessages || Bytes + size > _options.LogMaximumBytes))
        {
            DropOldest();
        }

        LogBlock block = BlockFor(size);
        RecordFrame.Write(
            block.Extend(size), record, new RecordStamp(RecordKind.Message, _loop.NowMs, record.ExpiresAtMs));
        Bytes += size;
        long ordinal = _blocks.Count(block, record.Topic);
        LogPosition position = Tail;
        record.Producer?.Pass(record.Number, position);
        if (record.Id is { } id)
        {
            _ids.Add(id, ordinal);
        }

        return position;
    }

    /// <inheritdoc/>
    public LogCursor Seek(LogPosition after, out bool mayHaveLost) => _blocks.Seek(after, out mayHaveLost);

    /// <inheritdoc/>
    public bool Skip(ref LogCursor cursor, uint[] wanted) => _blocks.Skip(ref cursor, wanted, _blocks.LastOrdinal + 1);

    /// <inheritdoc/>
    public void OnTick()
    {
        long before = _loop.NowMs - _options.LogMaximumAgeMs;
        for (int left = MaximumDropsPerTick; left > 0 && Messages > 0 && RecordFrame.AtMsOf(_blocks[0].At(_headOffset)) < before; left--)
        {
            DropOldest();
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
            buffer = GC.AllocateUninitializedArray<byte>(int.Max(size, _options.LogBlockBytes));
        }

        var block = new LogBlock(buffer, _blocks.LastOrdinal + 1);
        _blocks.Add(block);
        return block;
    }

    private void DropOldest()
    {
        LogBlock head = _blocks[0];
        int size = RecordFrame.LengthOf(head.At(_headOffset));
        _headOffset += size;
        Bytes -= size;
        _blocks.FirstOrdinal++;
        Dropped++;
        _ids.DropBefore(_blocks.FirstOrdinal);
        if (head.Holds(_blocks.FirstOrdinal))
        {
            return;
        }

        byte[] buffer = head.TakeBuffer();
        if (buffer.Length == _options.LogBlockBytes)
        {
            _spare ??= buffer;
        }

        _blocks.RemoveFirst(1);
        _headOffset = 0;
    }
}
