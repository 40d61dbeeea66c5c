using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// The log of a foreign group, kept beside its broker. Any thread may call it. A call answers exactly once, by
/// <see cref="LogCall.Complete"/>, at the latest at a deadline of its own.
/// </summary>
public interface IForeignLog
{
    /// <summary>Whether calls can be sent now.</summary>
    bool IsConnected { get; }

    /// <summary>Why not, for people; empty while connected.</summary>
    string Fault { get; }

    /// <summary>The log's clock in Unix milliseconds; the term of a position is the time of its appending by that clock.</summary>
    long NowMs { get; }

    /// <summary>Appends messages. Calls of one producer take effect in the order in which they were made; answers come in any order.</summary>
    void Append(LogAppend append);

    /// <summary>Reads.</summary>
    void Read(LogRead read);
}

/// <summary>A call of a loop on a foreign group's log and its answer: the answer is posted back to the loop.</summary>
public abstract class LogCall(Loop loop) : LoopWork
{
    /// <summary>Whether it was done; if not, it may have been done all the same.</summary>
    public bool IsOk { get; set; }

    /// <summary>What was wrong; empty when all is well.</summary>
    public string Fault { get; set; } = "";

    /// <summary>The answer is complete. Any thread, once.</summary>
    public void Complete() => loop.Post(this);
}

/// <summary>One message to append.</summary>
/// <param name="Data">What is kept: a version and the message's PUBLISH packet.</param>
/// <param name="Id">The message's own id when it may have been appended by another producer before; null otherwise.</param>
public readonly record struct LogEntry(byte[] Data, string? Id);

/// <summary>Appends messages with consecutive numbers; a number the log has seen of this producer is not appended again.</summary>
public abstract class LogAppend(Loop loop) : LogCall(loop)
{
    /// <summary>Who appends: node and link.</summary>
    public required string Producer { get; init; }

    /// <summary>The last number known to be appended; 0 for none.</summary>
    public ulong Confirmed { get; init; }

    /// <summary>The number of the first message.</summary>
    public ulong First { get; init; }

    /// <summary>The messages.</summary>
    public required IReadOnlyList<LogEntry> Entries { get; init; }

    /// <summary>The highest position this node knows: the log's next lies above it.</summary>
    public LogPosition Known { get; init; }

    /// <summary>Answer: a batch before this one is missing, nothing was appended.</summary>
    public bool IsGap { get; set; }

    /// <summary>Answer: the log's last position; none when nothing was new.</summary>
    public LogPosition End { get; set; }
}

/// <summary>What a <see cref="LogRead"/> asks for.</summary>
public enum LogReadKind : byte
{
    /// <summary>The position of the last message.</summary>
    End,

    /// <summary>The messages behind a position that are there.</summary>
    Page,

    /// <summary>As a page; when there is none yet, it waits for a while.</summary>
    Wait,

    /// <summary>The messages at some positions.</summary>
    At,
}

/// <summary>Reads from a foreign group's log.</summary>
public abstract class LogRead(Loop loop) : LogCall(loop)
{
    /// <summary>What is asked for.</summary>
    public LogReadKind Kind { get; set; }

    /// <summary>What lies behind it is wanted.</summary>
    public LogPosition After { get; set; }

    /// <summary>The positions that <see cref="LogReadKind.At"/> asks for; they rise.</summary>
    public IReadOnlyList<LogPosition> Positions { get; set; } = [];

    /// <summary>Bytes with which a page ends.</summary>
    public int MaximumBytes { get; set; }

    /// <summary>Answer: the messages in their order, what was appended.</summary>
    public IReadOnlyList<(LogPosition Position, ReadOnlyMemory<byte> Data)> Messages { get; set; } = [];

    /// <summary>Answer: whether more were there at once.</summary>
    public bool HasMore { get; set; }

    /// <summary>Answer to <see cref="LogReadKind.Page"/>: messages behind the page, of whatever topic, at most; 0 at its end.</summary>
    public long Left { get; set; }

    /// <summary>Answer: whether messages behind <see cref="After"/> were given up before they were read.</summary>
    public bool IsLossy { get; set; }

    /// <summary>Answer to <see cref="LogReadKind.At"/>: how many of the positions were looked at; what is not among the messages is not there.</summary>
    public int Looked { get; set; }

    /// <summary>Answer to <see cref="LogReadKind.End"/>.</summary>
    public LogPosition End { get; set; }
}
