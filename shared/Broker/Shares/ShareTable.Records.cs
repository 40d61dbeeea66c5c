using System.Buffers;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <content>
/// What the log has of shares: gathered for a while, so that a message handed out and done in between costs no record of its
/// own; at once where somebody waits for it.
/// </content>
internal sealed partial class ShareTable
{
    private readonly ArrayBufferWriter<byte> _record = new(1024);
    private readonly List<Share> _changed = [];
    private readonly Queue<(long Record, Action Then)> _waiting = new();
    private readonly RecordTimer _timer;
    private long _lastRecord;

    /// <summary>A share differs from what the log was told.</summary>
    public void NoteChanged(Share share)
    {
        if (share.IsChanged)
        {
            return;
        }

        share.IsChanged = true;
        _changed.Add(share);
        if (!_timer.IsScheduled)
        {
            _state.Context.Loop.Timers.Schedule(_timer, _state.Options.ShareRecordMs);
        }
    }

    /// <summary>Does something when everything so far is as durable as the group promises.</summary>
    public void WhenRecorded(Action then)
    {
        Flush();
        if (_waiting.Count == 0 && _state.Log.IsCommitted(_lastRecord))
        {
            then();
        }
        else
        {
            _waiting.Enqueue((_lastRecord, then));
        }
    }

    /// <summary>The log has come further.</summary>
    public void OnCommitted()
    {
        while (_waiting.TryPeek(out (long Record, Action Then) first) && _state.Log.IsCommitted(first.Record))
        {
            _waiting.Dequeue().Then();
        }
    }

    /// <summary>The group stops: what is gathered is written with the rest of the log.</summary>
    public void Stop()
    {
        _state.Context.Loop.Timers.Cancel(_timer);
        Flush();
    }

    /// <summary>Tells the log what has changed, now.</summary>
    public void Flush()
    {
        if (_changed.Count == 0)
        {
            return;
        }

        _record.ResetWrittenCount();
        var writer = new ShareRecordWriter(_record);
        foreach (Share share in _changed)
        {
            if (share.IsEnded)
            {
                writer.End(share.Id);
            }
            else
            {
                share.Write(ref writer, isWhole: false);
            }
        }

        _changed.Clear();
        _lastRecord = _state.Log.AppendShares(_record.WrittenSpan);
        _state.Counters.Add(BrokerCounter.ShareRecords);
    }

    private byte[] Snapshot()
    {
        // The record being appended may be the very one that begins the segment: another buffer.
        var record = new ArrayBufferWriter<byte>(1024);
        var writer = new ShareRecordWriter(record);
        foreach (Share share in _byFilter.Values)
        {
            share.Write(ref writer, isWhole: true);
        }

        return record.WrittenSpan.ToArray();
    }

    private void Recover()
    {
        var records = new ShareRecords();
        foreach (byte[] record in _state.Log.TakeShareRecords())
        {
            if (!records.Play(record))
            {
                BrokerLog.ShareRecordUnknown(_state.Logger, _state.Name);
            }
        }

        foreach ((uint id, ShareRecords.Found found) in records.Shares)
        {
            _lastId = uint.Max(_lastId, id);
            var share = new Share(this, _state, id, found.Filter);
            Add(share);
            share.Recover(found.Position, found.IsLasting, found.Handouts);
        }

        if (_byFilter.Count > 0)
        {
            // Nodes have as long to say what they still have.
            _orphansDueMs = _state.NowMs + _state.Options.NodeGoneMs;
            BrokerLog.SharesRecovered(_state.Logger, _state.Name, _byFilter.Count, _byFilter.Values.Sum(share => share.Outstanding + share.Taken));
        }
    }

    private sealed class RecordTimer(ShareTable table) : LoopTimer
    {
        protected override void OnDue() => table.Flush();
    }
}
