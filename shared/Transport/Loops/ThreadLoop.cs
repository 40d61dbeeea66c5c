namespace Trunkline.Transports;

/// <summary>A loop without descriptors, for any system: it sleeps on an event, its transports post to it.</summary>
public sealed class ThreadLoop : Loop
{
    private readonly AutoResetEvent _wake = new(false);

    /// <summary>Makes a loop; <see cref="Loop.Start"/> begins it.</summary>
    public ThreadLoop(LoopOptions options)
        : base(options)
    {
    }

    /// <inheritdoc/>
    protected override int Wait(int timeoutMs)
    {
        if (timeoutMs != 0)
        {
            _wake.WaitOne(timeoutMs);
        }

        return 0;
    }

    /// <inheritdoc/>
    protected override void Dispatch(int events)
    {
    }

    /// <inheritdoc/>
    protected override void Wake() => _wake.Set();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _wake.Dispose();
    }
}
