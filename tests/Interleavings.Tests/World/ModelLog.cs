using Trunkline.Broker;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;
using MessageId = Trunkline.Broker.MessageId;

namespace Trunkline.Interleavings;

/// <summary>
/// A group's log that outlives its broker: the real one in memory, which becomes durable when the scheduler says so. What
/// was not durable when the broker is killed is gone.
/// </summary>
internal sealed class ModelLog(Loop clock, BrokerOptions options, Rule? without, bool isKept, string name, List<string>? story) : IGroupLog
{
    /// <summary>Messages of a segment: each begins with all that is known of shares.</summary>
    private const int SegmentMessages = 8;

    private readonly List<Entry> _entries = [];
    private readonly List<ShareRecord> _shares = [];
    private MemoryGroupLog _inner = new(clock, options, 1);
    private LogPosition _durable;
    private ulong _links;
    private long _lastShare;
    private long _durableShare;

    private sealed record ShareRecord(long Number, byte[] Bytes, bool IsWhole);

    private sealed record Entry(
        byte[] Topic, byte[] Properties, byte[] Payload, QoS QoS, bool Retain, ulong Origin, string? Node, ulong Link, ulong Number, MessageId? Id, LogPosition Position);

    public ulong Term => _inner.Term;

    public LogPosition Start => _inner.Start;

    public LogPosition Tail => _inner.Tail;

    public LogPosition Committed => without == Rule.AcknowledgedIsKept || _durable == default ? Tail : _durable;

    public long UncommittedBytes => HasUncommitted ? 1 : 0;

    public bool IsFailing => false;

    public long Messages => _inner.Messages;

    public long Bytes => _inner.Bytes;

    public long IndexBytes => _inner.IndexBytes;

    public long Dropped => _inner.Dropped;

    public long DroppedOverShare => _inner.DroppedOverShare;

    public int Tenants => _inner.Tenants;

    public long TenantsTogether => _inner.TenantsTogether;

    public long ProducersForgotten => _inner.ProducersForgotten;

    public int Ids => _inner.Ids;

    public long IdsForgotten => _inner.IdsForgotten;

    public ILogListener? Listener { get; set; }

    public Func<byte[]>? ShareSnapshot { get; set; }

    /// <summary>Whether anything waits to become durable.</summary>
    public bool HasUncommitted => _lastShare > _durableShare || (_entries.Count > 0 && _entries[^1].Position > _durable);

    private bool HasUncommittedMessages => _entries.Count > 0 && _entries[^1].Position > _durable;

    public IReadOnlyList<byte[]> TakeShareRecords() =>
        without == Rule.ShareIsRecorded ? [] : [.. _shares.Skip(int.Max(0, _shares.FindLastIndex(record => record.IsWhole))).Select(record => record.Bytes)];

    public long AppendShares(ReadOnlySpan<byte> record) => AddShares(record.ToArray(), isWhole: false);

    public bool IsCommitted(long shareRecord) => without == Rule.ShareTakeIsKept || shareRecord <= _durableShare;

    /// <summary>Everything appended so far is durable now.</summary>
    public void Commit()
    {
        if (HasUncommitted)
        {
            _durable = Tail;
            _durableShare = _lastShare;
            Listener?.OnCommitted();
        }
    }

    /// <summary>The broker was killed: the log as its next run finds it.</summary>
    public void Recover()
    {
        Listener = null;
        ShareSnapshot = null;
        _shares.RemoveAll(record => !isKept || record.Number > _durableShare);
        _lastShare = _durableShare;
        _entries.RemoveAll(entry => !isKept || entry.Position > _durable);
        ulong term = Term;

        // One that has forgotten everything begins at the time of day, which has gone on while the process started.
        bool beginsByClock = !isKept && without != Rule.TermRises;
        _inner = new MemoryGroupLog(clock, options, beginsByClock ? ulong.Max(term + 1, (ulong)clock.Time.GetUtcNow().ToUnixTimeMilliseconds()) : 1);
        _durable = default;
        foreach (Entry entry in _entries)
        {
            _inner.RaiseTermAbove(entry.Position.Term - 1);
            LogPosition position = _inner.Append(new LogRecord
            {
                Topic = entry.Topic,
                Properties = entry.Properties,
                Payload = entry.Payload,
                QoS = entry.QoS,
                Retain = entry.Retain,
                ExpiresAtMs = long.MaxValue,
                Origin = entry.Origin,
                Producer = entry.Node is null ? null : Acquire(entry.Node, entry.Link),
                Number = entry.Number,
                Id = entry.Id,
            });
            if (position != entry.Position)
            {
                throw new InvalidOperationException($"The model's log recovered {entry.Position} as {position}.");
            }

            _durable = position;
        }

        if (isKept)
        {
            RaiseTermAbove(term);
        }
    }

    public void RaiseTermAbove(ulong known)
    {
        if (without != Rule.TermRises)
        {
            bool isDurable = !HasUncommittedMessages;
            _inner.RaiseTermAbove(known);
            _durable = isDurable ? Tail : _durable;
        }
    }

    public LogProducer Acquire(string node, ulong link) =>
        _inner.Acquire(node, without == Rule.NumbersOnce ? link + (1_000 * ++_links) : link);

    public void Release(LogProducer producer) => _inner.Release(producer);

    public bool TryFind(in MessageId id, out LogPosition position)
    {
        position = default;
        return without != Rule.AppendIfAbsent && _inner.TryFind(id, out position);
    }

    public LogPosition Append(in LogRecord record)
    {
        // Before the first, everything there is is durable.
        _durable = _durable == default ? Tail : _durable;
        if (_entries.Count % SegmentMessages == 0 && ShareSnapshot is { } snapshot)
        {
            AddShares(snapshot(), isWhole: true);
        }

        LogPosition position = _inner.Append(record);
        _entries.Add(new Entry(
            record.Topic.ToArray(), record.Properties.ToArray(), record.Payload.ToArray(), record.QoS, record.Retain, record.Origin,
            record.Producer?.Node, record.Producer?.Link ?? 0, record.Number, record.Id, position));
        story?.Add($"  log {name} has {position}: {System.Text.Encoding.UTF8.GetString(record.Payload).TrimEnd()}{(record.Id is null ? "" : $" as {record.Id}")}");
        return position;
    }

    public LogCursor Seek(LogPosition after, out bool mayHaveLost) => _inner.Seek(after, out mayHaveLost);

    public bool Skip(ref LogCursor cursor, TopicsWanted wanted) => _inner.Skip(ref cursor, wanted);

    public bool IsSlowed(ReadOnlySpan<byte> topic) => _inner.IsSlowed(topic);

    public void OnTick() => _inner.OnTick();

    public LogReading TryRead(ref LogCursor cursor, out LogRecord record) => _inner.TryRead(ref cursor, out record);

    private long AddShares(byte[] record, bool isWhole)
    {
        _shares.Add(new ShareRecord(++_lastShare, record, isWhole));
        return _lastShare;
    }
}
