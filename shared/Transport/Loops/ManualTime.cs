namespace Trunkline.Transports;

/// <summary>A clock that moves only when told to, for tests and simulations. Any thread.</summary>
public sealed class ManualTime : TimeProvider
{
    private readonly DateTimeOffset _start;
    private long _ticks;

    /// <summary>Makes a clock that stands at <paramref name="start"/>, or at the first second of 2026.</summary>
    public ManualTime(DateTimeOffset? start = null) =>
        _start = start ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start.AddTicks(Volatile.Read(ref _ticks));

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    /// <summary>Moves the clock forward.</summary>
    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}
