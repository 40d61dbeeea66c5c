using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Trunkline.Transports;

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

    /// <summary>
    /// The process's loops: a call that one of them makes goes on on it. The first carries the connection to Redis when
    /// <see cref="Dial"/> is there, too.
    /// </summary>
    public IReadOnlyList<Loop> Loops { get; init; } = [];

    /// <summary>Dials a host and port in plain TCP for the connection to Redis; null leaves that to the client library, as TLS does.</summary>
    public Func<string, int, ITransportConnector>? Dial { get; init; }

    /// <summary>The loop whose turn this is; null on other threads.</summary>
    internal Loop? CurrentLoop
    {
        get
        {
            for (int i = 0; i < Loops.Count; i++)
            {
                if (Loops[i].IsCurrent)
                {
                    return Loops[i];
                }
            }

            return null;
        }
    }

    /// <summary>How sources of completion are made.</summary>
    internal TaskCreationOptions Completions => IsStepped ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously;
}
