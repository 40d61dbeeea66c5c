using Microsoft.Extensions.Logging;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Logs faults of loops; each loop counts its own.</summary>
/// <param name="logger">Where to.</param>
public sealed class LoopFaultLog(ILogger logger) : ILoopFaults
{
    /// <inheritdoc/>
    public void OnFault(Loop loop, object source, Exception exception) =>
        logger.LoopFault(exception, loop.Name, source.ToString() ?? source.GetType().Name);
}
