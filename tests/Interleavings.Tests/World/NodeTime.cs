using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>
/// One node's view of the model's clock, with timers that fire when the model says so: a frozen node's do not. What they
/// end goes on within <see cref="Fire"/>, on the caller's thread.
/// </summary>
internal sealed class NodeTime(ManualTime clock) : TimeProvider
{
    private readonly List<NodeTimer> _timers = [];

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override long GetTimestamp() => clock.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new NodeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Fires what is due, the oldest deadline first.</summary>
    public void Fire()
    {
        while (_timers.Where(timer => timer.DueAt <= GetTimestamp()).MinBy(timer => timer.DueAt) is { } due)
        {
            _timers.Remove(due);
            due.Callback(due.State);
        }
    }

    private sealed class NodeTimer(NodeTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimerCallback Callback { get; } = callback;

        public object? State { get; } = state;

        public long DueAt { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            time._timers.Remove(this);
            if (dueTime >= TimeSpan.Zero)
            {
                DueAt = time.GetTimestamp() + dueTime.Ticks;
                time._timers.Add(this);
            }

            return true;
        }

        public void Dispose() => time._timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
