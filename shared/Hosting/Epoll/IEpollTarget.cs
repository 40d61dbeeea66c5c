namespace Trunkline.Hosting;

/// <summary>Owner of a descriptor that an <see cref="EpollLoop"/> watches.</summary>
internal interface IEpollTarget
{
    /// <summary>
    /// Something happened on the descriptor. A hint, not a fact: the number may have been closed and given out again
    /// within the same batch, so the owner asks the kernel before it believes.
    /// </summary>
    void OnEvents(uint events);

    /// <summary>The loop ends: close what it holds.</summary>
    void OnLoopStopping();
}
