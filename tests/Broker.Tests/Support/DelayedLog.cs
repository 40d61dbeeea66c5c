using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Support;

/// <summary>A log that commits when the test says so, as a file does after its write.</summary>
internal sealed class DelayedLog(MemoryGroupLog inner) : IGroupLog
{
    public ulong Term => inner.Term;

    public LogPosition Start => inner.Start;

    public LogPosition Tail => inner.Tail;

    public LogPosition Committed { get; private set; } = inner.Tail;

    public long UncommittedBytes => 0;

    public bool IsFailing => false;

    public int Ids => inner.Ids;

    public long IdsForgotten => inner.IdsForgotten;

    public long Messages => inner.Messages;

    public long Bytes => inner.Bytes;

    public long IndexBytes => inner.IndexBytes;

    public long Dropped => inner.Dropped;

    public long DroppedOverShare => inner.DroppedOverShare;

    public int Tenants => inner.Tenants;

    public long TenantsTogether => inner.TenantsTogether;

    public long ProducersForgotten => inner.ProducersForgotten;

    public ILogListener? Listener { get; set; }

    public Func<byte[]>? ShareSnapshot { get; set; }

    public void Commit(ulong offset)
    {
        Committed = new LogPosition(Tail.Term, offset);
        Listener!.OnCommitted();
    }

    public void RaiseTermAbove(ulong known) => inner.RaiseTermAbove(known);

    public IReadOnlyList<byte[]> TakeShareRecords() => [];

    public long AppendShares(ReadOnlySpan<byte> record) => (long)Tail.Offset;

    public bool IsCommitted(long shareRecord) => (ulong)shareRecord <= Committed.Offset;

    public LogProducer Acquire(string node, ulong link) => inner.Acquire(node, link);

    public void Release(LogProducer producer) => inner.Release(producer);

    public bool TryFind(in MessageId id, out LogPosition position) => inner.TryFind(id, out position);

    public bool Skip(ref LogCursor cursor, TopicsWanted wanted) => inner.Skip(ref cursor, wanted);

    public bool IsSlowed(ReadOnlySpan<byte> topic) => inner.IsSlowed(topic);

    public void OnTick() => inner.OnTick();

    public LogPosition Append(in LogRecord record) => inner.Append(record);

    public LogCursor Seek(LogPosition after, out bool mayHaveLost) => inner.Seek(after, out mayHaveLost);

    public LogReading TryRead(ref LogCursor cursor, out LogRecord record) => inner.TryRead(ref cursor, out record);
}
