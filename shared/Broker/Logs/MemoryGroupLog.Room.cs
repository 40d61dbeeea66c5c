namespace Trunkline.Broker;

/// <summary>
/// Making room at a limit. The oldest messages of those who have more than their share go: one by one where they are the
/// oldest of all, else by thinning the oldest block that holds enough of theirs.
/// </summary>
public sealed partial class MemoryGroupLog
{
    private long _appendedBytes;
    private long _reckonedAt = -1;

    /// <summary>Where to look for a block to thin; those before it hold too little of those over their share.</summary>
    private long _thinFrom;

    /// <inheritdoc/>
    public long DroppedOverShare { get; private set; }

    /// <inheritdoc/>
    public int Tenants => _tenants.Count;

    /// <inheritdoc/>
    public long TenantsTogether => _tenants.Together;

    /// <inheritdoc/>
    public bool IsSlowed(ReadOnlySpan<byte> topic) =>
        _options.RetentionFloorMs > 0 && _tenants.Find(topic).SlowedUntilMs > _loop.NowMs;

    private void MakeRoom()
    {
        if (_tenants.Count <= 1 || _blocks.BlockCount <= 1)
        {
            DropOldest(isForRoom: true);
            return;
        }

        if (_reckonedAt < 0 || _appendedBytes - _reckonedAt >= _options.LogBlockBytes)
        {
            Reckon();
        }

        ReadOnlySpan<byte> head = _blocks[0].At(_headOffset);
        if (!_tenants.HasBoth || RecordFrame.KindOf(head) != RecordKind.Message || _tenants.Find(RecordFrame.Topic(head)).IsOver)
        {
            DropOldest(isForRoom: true);
        }
        else if (!TryThin())
        {
            long end = _blocks[0].EndOrdinal;
            while (_blocks.FirstOrdinal < end)
            {
                DropOldest(isForRoom: true);
            }
        }
    }

    private void Reckon()
    {
        _reckonedAt = _appendedBytes;
        if (_tenants.Reckon(_tenants.Bytes - _options.LogBlockBytes))
        {
            _thinFrom = 0;
        }
    }

    /// <summary>Thins the oldest block of which a quarter or more goes, together with a small one before it.</summary>
    private bool TryThin()
    {
        int last = _blocks.BlockCount - 1;
        int begin = _thinFrom <= _blocks.FirstOrdinal ? 0 : int.Min(_blocks.IndexOf(_thinFrom), last - 1);
        for (int step = 0; step < last; step++)
        {
            int index = (begin + step) % last;
            if (_blocks[index].Tenants.Over * LogTenants.ThinnedAtShare >= _blocks[index].Tenants.All && _blocks[index].Tenants.Over > 0)
            {
                Thin(index);
                return true;
            }
        }

        return false;
    }

    private void Thin(int index)
    {
        long left = _blocks[index].Tenants.All - _blocks[index].Tenants.Over;
        int from = index > 0 && _blocks[index - 1].Used + left <= _options.LogBlockBytes / 2 ? index - 1 : index;
        var thinner = new UnitThinner(_tenants.Losers(), _options.LogBlockBytes, from == 0 ? _blocks.FirstOrdinal : _blocks[from].FirstOrdinal);
        for (int i = from; i <= index; i++)
        {
            LogBlock block = _blocks[i];
            int offset = i == 0 ? _headOffset : 0;
            thinner.Copy(block.At(offset), isFirst: i == from);
            Bytes -= block.Used - offset;
            _tenants.Release(block.Tenants);
        }

        thinner.Finish();
        var fresh = new List<LogBlock>();
        foreach (ThinnedBlock made in thinner.Blocks)
        {
            fresh.Add(new LogBlock(thinner.Output.Slice(made.Offset, made.Used).ToArray(), made.FirstOrdinal)
            {
                Used = made.Used,
                Count = made.Count,
                Live = made.Live,
                Topics = made.Topics,
                Gaps = made.Gaps,
            });
        }

        if (from == 0)
        {
            _headOffset = 0;
        }

        byte[] freed = _blocks[index].Buffer!;
        _spare = freed.Length == _options.LogBlockBytes ? freed : _spare;
        _thinFrom = _blocks[index].EndOrdinal;
        _blocks.Replace(from, index - from + 1, fresh);
        Account(fresh);
        Bytes += thinner.Used;
        Messages -= thinner.Dropped;
        Dropped += thinner.Dropped;
        DroppedOverShare += thinner.Dropped;
        SlowIfYoung(thinner.YoungestMs);
    }

    private void Account(List<LogBlock> fresh)
    {
        foreach (LogBlock block in fresh)
        {
            for (int offset = 0; offset < block.Used; offset += RecordFrame.LengthOf(block.At(offset)))
            {
                ReadOnlySpan<byte> record = block.At(offset);
                if (RecordFrame.KindOf(record) == RecordKind.Message)
                {
                    _tenants.Add(block.Tenants, RecordFrame.Topic(record), RecordFrame.LengthOf(record));
                }
            }
        }
    }

    private void DropOldest(bool isForRoom)
    {
        LogBlock head = _blocks[0];
        ReadOnlySpan<byte> record = head.At(_headOffset);
        int size = RecordFrame.LengthOf(record);
        if (RecordFrame.KindOf(record) == RecordKind.Gap)
        {
            _blocks.FirstOrdinal = RecordFrame.GapEnd(record);
        }
        else
        {
            _tenants.Remove(head.Tenants, RecordFrame.Topic(record), size);
            _blocks.FirstOrdinal++;
            Messages--;
            Dropped++;
            DroppedOverShare += isForRoom && _tenants.HasBoth ? 1 : 0;
            if (isForRoom && _options.RetentionFloorMs > 0)
            {
                _tenants.Find(RecordFrame.Topic(record)).SlowedUntilMs = RecordFrame.AtMsOf(record) + _options.RetentionFloorMs;
            }
        }

        _headOffset += size;
        Bytes -= size;
        _identities.Ids.DropBefore(_blocks.FirstOrdinal);
        if (head.Holds(_blocks.FirstOrdinal))
        {
            return;
        }

        _tenants.Release(head.Tenants);
        byte[] buffer = head.TakeBuffer();
        if (buffer.Length == _options.LogBlockBytes)
        {
            _spare ??= buffer;
        }

        _blocks.RemoveFirst(1);
        _headOffset = 0;
    }

    private void SlowIfYoung(long youngestMs)
    {
        if (_options.RetentionFloorMs > 0)
        {
            _tenants.Slow(youngestMs + _options.RetentionFloorMs);
        }
    }
}
