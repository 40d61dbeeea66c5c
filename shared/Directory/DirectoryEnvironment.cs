using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Trunkline.Directory;

/// <summary>What a directory takes from its process.</summary>
/// <param name="Time">Clock and timers; deadlines and leases are monotonic.</param>
/// <param name="Logger">Where it logs; events 3000-3199.</param>
/// <param name="Meter">Where its instruments are made; names begin with <c>trunkline.directory.</c></param>
/// <param name="Seed">Seed of the jitter.</param>
public sealed record DirectoryEnvironment(TimeProvider Time, ILogger Logger, Meter Meter, int Seed)
{
    /// <summary>
    /// Whether whatever waits goes on at once in the step that ends its waiting, on that step's thread: then who calls, and
    /// the clock, decide the order of everything. A model asks for it; a process lets the thread pool go on.
    /// </summary>
    internal bool IsStepped { get; init; }

    /// <summary>How sources of completion are made.</summary>
    internal TaskCreationOptions Completions => IsStepped ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously;
}
