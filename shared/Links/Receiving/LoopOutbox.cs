using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// The way from one group's receiver to one other loop: at most one post a turn, batches used again. The receiver's loop
/// fills it; only <see cref="GiveBack"/> is called from the other loop.
/// </summary>
internal sealed class LoopOutbox(GroupReceiver receiver, LoopRouter router, int limit) : IEndOfTurn
{
    private DispatchBatch? _filling;
    private DispatchBatch? _free;
    private DispatchBatch? _returned;
    private ResumeWork? _resume;
    private int _underWay;
    private int _isWaiting;

    public LoopRouter Router { get; } = router;

    public LinkGroup Group { get; } = receiver.Group;

    /// <summary>Whether so much is under way that the receiver should stop reading until it is told.</summary>
    public bool IsFull => Volatile.Read(ref _underWay) > limit;

    public void Add(SharedMessage message, ReadOnlySpan<UpstreamFilter> matches) => Filling().Add(message, matches);

    public void Add(LoopRequest answer) => Filling().Add(answer);

    /// <summary>Tells the loop how far it has everything, also when nothing was for it.</summary>
    public void Advance() => Filling();

    /// <summary>Asks to be told when half of the limit is delivered; false when that is already so.</summary>
    public bool WaitForRoom()
    {
        Volatile.Write(ref _isWaiting, 1);
        if (Volatile.Read(ref _underWay) > limit / 2)
        {
            return true;
        }

        return Interlocked.Exchange(ref _isWaiting, 0) == 0;
    }

    /// <inheritdoc/>
    public void OnEndOfTurn()
    {
        DispatchBatch batch = _filling!;
        _filling = null;
        batch.UpTo = receiver.Dispatched;
        Interlocked.Add(ref _underWay, batch.Count);
        Router.Loop.Post(batch);
    }

    /// <summary>The batch was run. On the other loop.</summary>
    public void GiveBack(DispatchBatch batch, int count)
    {
        DispatchBatch? head;
        do
        {
            head = Volatile.Read(ref _returned);
            batch.Next = head;
        }
        while (Interlocked.CompareExchange(ref _returned, batch, head) != head);

        if (Interlocked.Add(ref _underWay, -count) <= limit / 2 && Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            receiver.Loop.Post(_resume ??= new ResumeWork(receiver));
        }
    }

    private DispatchBatch Filling()
    {
        if (_filling is not null)
        {
            return _filling;
        }

        _free ??= Interlocked.Exchange(ref _returned, null);
        DispatchBatch? batch = _free;
        _free = batch?.Next;
        receiver.Loop.AtEndOfTurn(this);
        return _filling = batch ?? new DispatchBatch(this);
    }

    private sealed class ResumeWork(GroupReceiver receiver) : LoopWork
    {
        protected override void Run() => receiver.ResumeReading();
    }
}
