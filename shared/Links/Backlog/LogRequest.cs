using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>A <c>$trunkline/log</c> request of a loop. Belongs to the asking loop, while it is asked to the receiver's.</summary>
internal abstract class LogRequest(GroupReceiver receiver, int loop) : LoopRequest(receiver, loop)
{
    /// <summary>The request's payload, once built.</summary>
    public abstract ReadOnlySpan<byte> Request { get; }

    /// <summary>What lies after it is asked for. This and what follows says the same as the payload, for a log beside a foreign broker.</summary>
    public LogPosition From { get; set; }

    /// <summary>Bytes with which the page ends.</summary>
    public int MaximumBytes { get; protected set; }

    /// <summary>Seconds that a message may have waited in the log, 0 for any: what is older goes without what it says.</summary>
    public int AgeSeconds { get; protected set; }

    /// <summary>Set where nothing is read but counted: what of the messages of these filters is within the limits.</summary>
    public NewestAsked? Newest { get; protected set; }

    /// <summary>Set where only the messages at these positions are wanted; they rise.</summary>
    public IReadOnlyList<LogPosition>? Positions { get; protected set; }

    /// <summary>Takes the reply's numbers, before its page: messages passed over, those left behind it, and those passed over for their age.</summary>
    public virtual void TakeNumbers(long skipped, long left, long aged)
    {
    }

    /// <summary>Takes the reply; copies the page, for its bytes live in the receive buffer.</summary>
    public abstract void TakePage(ReadOnlySpan<byte> page, LogPosition upTo, string? error);

    protected override void Take() => Receiver.Take(this);
}

/// <summary>The newest messages, in number and bytes, of a session's backlog that are within its limits, and its filters.</summary>
internal sealed record NewestAsked(long Messages, long Bytes, IReadOnlyList<TopicFilterText> Filters);
