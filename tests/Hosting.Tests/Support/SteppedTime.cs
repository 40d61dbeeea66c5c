namespace Trunkline.Hosting.Tests.Support;

/// <summary>A clock that goes on by steps, with one timer of a fixed period.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private long _ticks = 1;
    private long _dueAt = long.MaxValue;
    private TimeSpan _period;
    private Action _fire = static () => { };

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        _dueAt = _ticks + dueTime.Ticks;
        _period = period;
        _fire = () => callback(state);
        return new Handle(this);
    }

    /// <summary>Goes on, firing each time the timer is due.</summary>
    public void Advance(TimeSpan time)
    {
        long end = _ticks + time.Ticks;
        while (_dueAt <= end)
        {
            _ticks = _dueAt;
            _dueAt += _period.Ticks;
            _fire();
        }

        _ticks = end;
    }

    private sealed class Handle(SteppedTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose() => time._dueAt = long.MaxValue;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
