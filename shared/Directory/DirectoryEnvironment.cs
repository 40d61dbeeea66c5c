using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Trunkline.Directory;

/// <summary>What a directory takes from its process.</summary>
/// <param name="Time">Clock and timers; deadlines and leases are monotonic.</param>
/// <param name="Logger">Where it logs; events 3000-3199.</param>
/// <param name="Meter">Where its instruments are made; names begin with <c>trunkline.directory.</c></param>
/// <param name="Seed">Seed of the jitter.</param>
public sealed record DirectoryEnvironment(TimeProvider Time, ILogger Logger, Meter Meter, int Seed);
