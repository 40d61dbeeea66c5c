using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// What a loop asks of a group's receiver: first a post to the receiver's loop, then an entry among the messages for the
/// asking loop, so that answer and messages keep their order.
/// </summary>
internal abstract class LoopRequest(GroupReceiver receiver, int loop) : LoopWork
{
    public int Loop { get; } = loop;

    public GroupReceiver Receiver { get; } = receiver;

    /// <summary>Sends it on its way.</summary>
    public void Send()
    {
        if (Receiver.IsHome(Loop))
        {
            Take();
        }
        else
        {
            Receiver.Loop.Post(this);
        }
    }

    /// <summary>The answer is back on the asking loop.</summary>
    public abstract void OnAnswer(LoopRouter router);

    /// <summary>The receiver takes it, on its own loop.</summary>
    protected abstract void Take();

    /// <inheritdoc/>
    protected override void Run() => Take();
}
