namespace Trunkline.Transports;

/// <summary>When several loops run on one thread (ADR 0019).</summary>
public sealed record LoopSharingOptions
{
    /// <summary>Nearer to a whole thread there is no time left to hand a loop over in.</summary>
    public const int MostPercent = 90;

    /// <summary>
    /// Percent of its time up to which the first loop's thread runs the other loops' turns, too; they share again when all
    /// of them together need less than three quarters of it. 0: each loop has its own thread at all times.
    /// </summary>
    public int BelowPercent { get; init; } = 80;
}
