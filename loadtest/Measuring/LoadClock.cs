namespace Trunkline.Loadtest;

/// <summary>
/// The monotonic clock in nanoseconds. On Linux it is CLOCK_MONOTONIC, the same for all processes of a machine: a `sub`
/// measures what a `pub` of another process stamped. Any thread.
/// </summary>
internal sealed class LoadClock(TimeProvider time)
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly double _scale = (double)NanosecondsPerSecond / time.TimestampFrequency;
    private readonly bool _isExact = time.TimestampFrequency == NanosecondsPerSecond;

    /// <summary>What it reads.</summary>
    public TimeProvider Time => time;

    /// <summary>Now.</summary>
    public long NowNs => _isExact ? time.GetTimestamp() : (long)(time.GetTimestamp() * _scale);
}
