using System.Threading.Tasks.Sources;
using StackExchange.Redis;
using Trunkline.Transports;

namespace Trunkline.Directory;

/// <summary>
/// Waits on a loop for an operation of the client library, which never times out by itself, and goes on on that loop, without
/// the thread pool between: a missed deadline breaks the connection, as in <see cref="RedisConnection.WaitAsync"/>.
/// </summary>
internal sealed class LoopCall : LoopWork, IValueTaskSource<string?>
{
    private readonly Loop _loop;
    private readonly RedisConnection _connection;
    private readonly Task<RedisResult> _operation;
    private readonly string _name;
    private readonly long _deadlineMs;
    private readonly Deadline _deadline;
    private ManualResetValueTaskSourceCore<string?> _done;
    private bool _isOver;

    private LoopCall(Loop loop, RedisConnection connection, Task<RedisResult> operation, string name, long deadlineMs)
    {
        _loop = loop;
        _connection = connection;
        _operation = operation;
        _name = name;
        _deadlineMs = deadlineMs;
        _deadline = new Deadline(this);
    }

    /// <summary>Called on <paramref name="loop"/>; null when the operation is done, or what is wrong with it.</summary>
    internal static ValueTask<string?> WaitAsync(Loop loop, RedisConnection connection, Task<RedisResult> operation, string name, TimeSpan deadline)
    {
        var call = new LoopCall(loop, connection, operation, name, (long)deadline.TotalMilliseconds);
        loop.Timers.Schedule(call._deadline, call._deadlineMs);
        AtCompletion.Call(operation, call.Completed);
        return new(call, call._done.Version);
    }

    string? IValueTaskSource<string?>.GetResult(short token) => _done.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<string?>.GetStatus(short token) => _done.GetStatus(token);

    void IValueTaskSource<string?>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);

    /// <inheritdoc/>
    protected override void Run()
    {
        if (!_isOver)
        {
            _isOver = true;
            _loop.Timers.Cancel(_deadline);
            _done.SetResult(RedisConnection.FaultOf(_operation));
        }
    }

    /// <inheritdoc/>
    protected override void Dropped()
    {
        // The loop has stopped, so nothing else of it comes.
        if (!_isOver)
        {
            _isOver = true;
            _done.RunContinuationsAsynchronously = true;
            _done.SetResult(RedisConnection.FaultOf(_operation));
        }
    }

    // On whichever thread the answer is read.
    private void Completed() => _loop.Post(this);

    private void Miss()
    {
        // An answer that is there, and not come round yet, counts.
        if (!_isOver && !_operation.IsCompleted)
        {
            _isOver = true;
            RedisConnection.Observe(_operation);
            _connection.Miss(_name, _deadlineMs);
            _done.SetResult(RedisConnection.DeadlineMissed);
        }
    }

    private sealed class Deadline(LoopCall call) : LoopTimer
    {
        protected override void OnDue() => call.Miss();
    }

    /// <summary>
    /// The library's tasks hand what waits for them to the thread pool, except what asked for a context of its own: this one
    /// calls at once, on the thread that completes the task.
    /// </summary>
    private sealed class AtCompletion : SynchronizationContext
    {
        private static readonly AtCompletion Context = new();

        /// <summary><paramref name="action"/> must be short, wait for nothing and not throw.</summary>
        internal static void Call(Task task, Action action)
        {
            SynchronizationContext? previous = Current;
            SetSynchronizationContext(Context);
            try
            {
                task.GetAwaiter().UnsafeOnCompleted(action);
            }
            finally
            {
                SetSynchronizationContext(previous);
            }
        }

        public override void Post(SendOrPostCallback d, object? state) => d(state);
    }
}
