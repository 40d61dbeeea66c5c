using Trunkline.Hosting.Configuration;

namespace Trunkline.Hosting.Memory;

/// <summary>How much of its memory a process leaves free, and what it does when that is reached.</summary>
public sealed record MemoryOptions
{
    /// <summary>Bytes the process may have, without mapped files; 0 takes the limit of its cgroup, and without one nothing is watched.</summary>
    public long LimitBytes { get; init; }

    /// <summary>When less than this many percent of the limit are left, new connections are closed and accepting pauses.</summary>
    public int ReservePercent { get; init; } = 20;

    /// <summary>
    /// When less than this many percent are left, memory is let go of: connections amid a packet, with more than 64 KiB of it here, are closed,
    /// QoS 0 messages to slow devices are dropped, publishes to groups that are away are refused, and a log in memory drops its
    /// oldest messages.
    /// </summary>
    public int ShedPercent { get; init; } = 12;

    /// <summary>Milliseconds between two looks.</summary>
    public int CheckIntervalMs { get; init; } = 50;

    /// <summary>
    /// Milliseconds between two times the C library gives freed memory back to the system, while code is compiled and for ten of
    /// them after it; else it is each minute. 0 leaves that to the library, which keeps most.
    /// </summary>
    public int TrimIntervalMs { get; init; } = 1_000;

    /// <summary>Every error: path, problem, fix.</summary>
    public IEnumerable<ConfigurationError> Validate(string path)
    {
        if (LimitBytes is not 0 and < 64 * 1024 * 1024)
        {
            yield return new ConfigurationError(path + ":LimitBytes", $"is {LimitBytes}.", "Set at least 67108864 (64 MiB), or 0 for the limit of the cgroup.");
        }

        if (ReservePercent is < 1 or > 90)
        {
            yield return new ConfigurationError(path + ":ReservePercent", $"is {ReservePercent}.", "Set it between 1 and 90.");
        }

        if (ShedPercent < 0 || ShedPercent > ReservePercent)
        {
            yield return new ConfigurationError(path + ":ShedPercent", $"is {ShedPercent}.", $"Set it between 0 and {path}:ReservePercent.");
        }

        if (CheckIntervalMs is < 10 or > 10_000)
        {
            yield return new ConfigurationError(path + ":CheckIntervalMs", $"is {CheckIntervalMs}.", "Set it between 10 and 10000.");
        }

        if (TrimIntervalMs is not 0 and (< 100 or > 3_600_000))
        {
            yield return new ConfigurationError(path + ":TrimIntervalMs", $"is {TrimIntervalMs}.", "Set it between 100 and 3600000, or 0 for never.");
        }
    }
}
