using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// Waits until n replicas have what was written (WAIT), for <c>Directory:Durability = replicas(n)</c>. WAIT stands for all
/// writes of its connection before it, so those who come while one is under way share the next. Thread-safe.
/// <code>
///   write A --> waits ---+                       +--> done
///   write B --> waits ---+-- WAIT -- (C, D) -----+--> next WAIT for C and D
/// </code>
/// </summary>
internal sealed class ReplicaWaits(RedisConnection connection, int replicas, int waitMs, TimeSpan deadline, TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<string?>? _next;
    private bool _isRunning;

    /// <summary>Null when the replicas have everything that was written before this call; otherwise why not.</summary>
    internal Task<string?> WaitAsync()
    {
        TaskCompletionSource<string?> next;
        lock (_gate)
        {
            next = _next ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_isRunning)
            {
                return next.Task;
            }

            _isRunning = true;
        }

        // Not tracked: each WAIT ends within the deadline, and the last one finds nobody waiting.
        _ = RunAsync();
        return next.Task;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            TaskCompletionSource<string?> current;
            lock (_gate)
            {
                if (_next is null)
                {
                    _isRunning = false;
                    return;
                }

                (current, _next) = (_next, null);
            }

            current.SetResult(await AskAsync());
        }
    }

    private async Task<string?> AskAsync()
    {
        try
        {
            Task<RedisResult> asked = connection.Database.ExecuteAsync("WAIT", replicas, waitMs);
            string? fault = await connection.WaitAsync(asked, "WAIT", deadline, time, CancellationToken.None);
            if (fault is not null)
            {
                return fault;
            }

            // A connection that broke meanwhile may have asked another server than the one that was written to.
            long have = (long)await asked;
            return connection.Broken.IsCompleted ? "the connection was lost while waiting for replicas"
                : have < replicas ? $"only {have} of {replicas} replicas confirmed within {waitMs} ms"
                : null;
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or InvalidOperationException or InvalidCastException)
        {
            return RedisConnection.Describe(exception);
        }
    }
}
