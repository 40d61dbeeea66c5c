namespace Trunkline.Transports;

/// <summary>Told of every exception that reached a loop's edge: a bug, contained to the one who raised it.</summary>
public interface ILoopFaults
{
    /// <summary>Logs and counts; called on the loop's thread, and must not throw.</summary>
    /// <param name="loop">The loop that caught it.</param>
    /// <param name="source">The transport (closed for it), work, timer or end-of-turn item that raised it.</param>
    /// <param name="exception">What was raised.</param>
    void OnFault(Loop loop, object source, Exception exception);
}
