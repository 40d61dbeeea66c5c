using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>A <c>$trunkline/log</c> request of a loop. Belongs to the asking loop, while it is asked to the receiver's.</summary>
internal abstract class LogRequest(GroupReceiver receiver, int loop) : LoopRequest(receiver, loop)
{
    /// <summary>The request's payload, once built.</summary>
    public abstract ReadOnlySpan<byte> Request { get; }

    /// <summary>Takes the reply's numbers, before its page: messages passed over, and those left behind it.</summary>
    public virtual void TakeNumbers(long skipped, long left)
    {
    }

    /// <summary>Takes the reply; copies the page, for its bytes live in the receive buffer.</summary>
    public abstract void TakePage(ReadOnlySpan<byte> page, LogPosition upTo, string? error);

    protected override void Take() => Receiver.Take(this);
}
