namespace Trunkline.Transports;

/// <summary>
/// A piece of work for a loop, linked into its queue without an allocation. It may be posted again once <see cref="Run"/>
/// has begun, never twice at the same time.
/// </summary>
public abstract class LoopWork
{
    internal LoopWork? NextWork;
    internal bool IsQueued;

    /// <summary>Does the work; called once per post, on the loop's thread.</summary>
    protected abstract void Run();

    /// <summary>Called instead of <see cref="Run"/>, on any thread, when the loop has stopped.</summary>
    protected virtual void Dropped()
    {
    }

    internal void RunNow() => Run();

    internal void DropNow() => Dropped();
}
