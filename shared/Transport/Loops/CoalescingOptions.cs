namespace Trunkline.Transports;

/// <summary>When a loop lets several events share one wake-up, as network cards moderate their interrupts.</summary>
public sealed record CoalescingOptions
{
    /// <summary>The longest wait in microseconds: a sleep beyond it would be felt at p99, and timers would be late.</summary>
    public const int MostIntervalUs = 1_000;

    /// <summary>
    /// Microseconds from one look for events to the next on a loop with many of them; 0 looks at once. Shorter than the
    /// default gained nothing, longer was felt at p50 (docs/PERFORMANCE.md).
    /// </summary>
    public int IntervalUs { get; init; } = 200;

    /// <summary>Events a second on one loop from which it waits; below half of it, it looks at once again.</summary>
    public int EventsPerSecond { get; init; } = 30_000;
}
