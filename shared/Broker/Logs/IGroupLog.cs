using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// The ordered QoS 1 and 2 messages of one group: everything that orders them goes through here, in memory or in files.
/// Called by the group's loop only; the log calls its listener on that loop.
/// </summary>
/// <remarks>
/// <code>
///   Start           Committed     Tail
///     v                 v           v
///   [ oldest ]...[ as durable  ][ appended, not yet durable ]
/// </code>
/// Appending gives a position at once. What waits for durability (acknowledgements, dispatch) waits until
/// <see cref="Committed"/> has reached that position.
/// </remarks>
public interface IGroupLog
{
    /// <summary>The term of now: above every term the log or any link knew of when it began.</summary>
    ulong Term { get; }

    /// <summary>The position just before the oldest message kept: reading after it loses nothing that is here.</summary>
    LogPosition Start { get; }

    /// <summary>The position of the newest message; (Term, 0) before the first of a term.</summary>
    LogPosition Tail { get; }

    /// <summary>Up to here messages are as durable as the group promises. Moves towards <see cref="Tail"/>, never back.</summary>
    LogPosition Committed { get; }

    /// <summary>Bytes appended that are not as durable as the group promises yet.</summary>
    long UncommittedBytes { get; }

    /// <summary>Whether what was appended cannot be written now (disk full, I/O error); it is tried again.</summary>
    bool IsFailing { get; }

    /// <summary>Messages kept.</summary>
    long Messages { get; }

    /// <summary>Bytes of the messages kept, with their headers.</summary>
    long Bytes { get; }

    /// <summary>Bytes in memory of the index over the topics of the log.</summary>
    long IndexBytes { get; }

    /// <summary>Messages dropped so far because a retention limit was reached, oldest first.</summary>
    long Dropped { get; }

    /// <summary>Of those, messages of tenants that had more than their share while others had not.</summary>
    long DroppedOverShare { get; }

    /// <summary>Tenants with something in the log.</summary>
    int Tenants { get; }

    /// <summary>Messages so far that were accounted with others because there were too many tenants.</summary>
    long TenantsTogether { get; }

    /// <summary>Publish links whose numbers were forgotten so far.</summary>
    long ProducersForgotten { get; }

    /// <summary>Ids remembered of messages that came by another way than their own link.</summary>
    int Ids { get; }

    /// <summary>Ids of messages that came by another way than their own link, forgotten at a limit so far.</summary>
    long IdsForgotten { get; }

    /// <summary>Who is told of progress; set once, before the first append.</summary>
    ILogListener? Listener { get; set; }

    /// <summary>
    /// The whole of what shares have to remember, asked for when it is needed anew (a segment begins); set once by who
    /// keeps them, before the first append.
    /// </summary>
    Func<byte[]>? ShareSnapshot { get; set; }

    /// <summary>What shares had written before this run, oldest first: a snapshot and what followed it. Given once.</summary>
    IReadOnlyList<byte[]> TakeShareRecords();

    /// <summary>Appends what shares have to remember, behind the messages so far; it is no message. Returns its number.</summary>
    long AppendShares(ReadOnlySpan<byte> record);

    /// <summary>Whether what <see cref="AppendShares"/> appended under a number is as durable as the group promises.</summary>
    bool IsCommitted(long shareRecord);

    /// <summary>Begins a new term above <paramref name="known"/> when the term of now is not; positions never go back.</summary>
    void RaiseTermAbove(ulong known);

    /// <summary>
    /// The memory of one publish link's numbers, kept over its connections. The caller holds it while the link is
    /// connected and then calls <see cref="Release"/>.
    /// </summary>
    LogProducer Acquire(string node, ulong link);

    /// <summary>The publish link is gone; its numbers are remembered within the limits of the log.</summary>
    void Release(LogProducer producer);

    /// <summary>
    /// Finds a message by its identity, whichever way it came: by its own link, or under <see cref="LogRecord.Id"/>.
    /// Remembered as long as the log keeps the message.
    /// </summary>
    /// <param name="id">The identity.</param>
    /// <param name="position">Once this is committed, the message is.</param>
    bool TryFind(in MessageId id, out LogPosition position);

    /// <summary>Appends a message, dropping the oldest where a limit is reached, and returns its position.</summary>
    LogPosition Append(in LogRecord record);

    /// <summary>A cursor that reads what comes after a position.</summary>
    /// <param name="after">The last position that is not wanted any more.</param>
    /// <param name="mayHaveLost">
    /// Whether messages after it may be gone: dropped by retention, or of a term this log does not know.
    /// </param>
    LogCursor Seek(LogPosition after, out bool mayHaveLost);

    /// <summary>
    /// Moves a cursor over pieces of the log that hold nothing that is wanted; they need not be in memory. False when what
    /// may be looked at in one turn (<see cref="TopicsWanted.BeginTurn"/>) is used up.
    /// </summary>
    bool Skip(ref LogCursor cursor, TopicsWanted wanted);

    /// <summary>Whether the tenant of a topic is to be slowed: it has more than its share and lost what was younger than the floor.</summary>
    bool IsSlowed(ReadOnlySpan<byte> topic);

    /// <summary>Drops what is too old; called a few times a second.</summary>
    void OnTick();

    /// <summary>Reads the record at the cursor and moves it on. The record's slices live until the next call of any kind.</summary>
    LogReading TryRead(ref LogCursor cursor, out LogRecord record);
}

/// <summary>Told of a log's progress, on the loop.</summary>
public interface ILogListener
{
    /// <summary><see cref="IGroupLog.Committed"/> has moved.</summary>
    void OnCommitted();

    /// <summary>What a cursor found <see cref="LogReading.Pending"/> can be read now.</summary>
    void OnReadable();
}

/// <summary>What reading at a cursor came to.</summary>
public enum LogReading
{
    /// <summary>A record was read.</summary>
    Record,

    /// <summary>The cursor has met the tail.</summary>
    Tail,

    /// <summary>
    /// What the cursor wanted is gone: retention has overtaken it, tenants with more than their share lost messages here, or
    /// a piece of the log cannot be read. It stands at the next message there is.
    /// </summary>
    Lost,

    /// <summary>The record is being fetched; <see cref="ILogListener.OnReadable"/> follows. Never in memory.</summary>
    Pending,
}

/// <summary>A place in the log that is being read. A value; costs nothing to keep and needs no disposal.</summary>
public struct LogCursor
{
    /// <summary>The position of the record read last; everything up to it was seen.</summary>
    public LogPosition Position { get; internal set; }

    /// <summary>Running number of the next record over all terms; the log's own.</summary>
    internal long NextOrdinal { get; set; }

    /// <summary>The piece of the log that holds it, as far as known; the log's own.</summary>
    internal LogBlock? Block { get; set; }

    /// <summary>Where in that piece; the log's own.</summary>
    internal int Offset { get; set; }
}
