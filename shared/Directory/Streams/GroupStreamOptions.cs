using System.Globalization;

namespace Trunkline.Directory;

/// <summary>Settings of the logs of foreign groups in Redis, section <c>Streams</c>.</summary>
public sealed record GroupStreamOptions
{
    /// <summary>
    /// Bytes a group's stream keeps, 32 a message included for what Redis adds; beyond it the oldest are trimmed, a 64th of
    /// the limit at a time, and what was trimmed before a session read it is counted. Redis needs memory for all of it.
    /// </summary>
    public long MaximumBytes { get; init; } = 1L << 30;

    /// <summary>Seconds a group's stream keeps a message; older ones are trimmed, a 64th of the age at a time.</summary>
    public int MaximumAgeSeconds { get; init; } = 86_400;

    /// <summary>
    /// Seconds for which the stream remembers the last number of a publish link that no longer appends; a repeat that comes
    /// later still would be taken as new.
    /// </summary>
    public int ProducerMemorySeconds { get; init; } = 3_600;

    /// <summary>How often a node trims by age where nobody appends, ms.</summary>
    public int TrimIntervalMs { get; init; } = 60_000;

    /// <summary>How long one read of the stream's end waits in Redis for a message, ms.</summary>
    public int TailWaitMs { get; init; } = 1_000;

    /// <summary>Bytes after which a read of the stream ends; a single larger message is still read.</summary>
    public int PageBytes { get; init; } = 256 * 1024;

    /// <summary>Messages after which a read of the stream ends.</summary>
    public int PageMessages { get; init; } = 1_000;

    /// <summary>Every error of these options, each with its path and fix; empty when they can be used.</summary>
    public IReadOnlyList<DirectoryOptionsError> Validate(string section = "Streams")
    {
        List<DirectoryOptionsError> errors = [];
        (string Name, long Value, long Minimum, long Maximum)[] ranges =
        [
            (nameof(MaximumBytes), MaximumBytes, 64 * 1024, 1L << 40),
            (nameof(MaximumAgeSeconds), MaximumAgeSeconds, 1, 366 * 86_400),
            (nameof(ProducerMemorySeconds), ProducerMemorySeconds, 60, 30 * 86_400),
            (nameof(TrimIntervalMs), TrimIntervalMs, 100, 3_600_000),
            (nameof(TailWaitMs), TailWaitMs, 10, 60_000),
            (nameof(PageBytes), PageBytes, 1_024, 64 * 1024 * 1024),
            (nameof(PageMessages), PageMessages, 1, 100_000),
        ];
        foreach (var (name, value, minimum, maximum) in ranges)
        {
            if (value < minimum || value > maximum)
            {
                errors.Add(new($"{section}:{name}", string.Create(CultureInfo.InvariantCulture, $"{value} is outside {minimum} to {maximum}."),
                    string.Create(CultureInfo.InvariantCulture, $"Use a number from {minimum} to {maximum}.")));
            }
        }

        return errors;
    }
}
