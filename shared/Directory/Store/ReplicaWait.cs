using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// Waits until n replicas of one master have what was written there (WAIT). WAIT stands for all writes of its connection
/// before it, so those who come while one is under way share the next. Thread-safe.
/// <code>
///   write A --> waits ---+                       +--> done
///   write B --> waits ---+-- WAIT -- (C, D) -----+--> next WAIT for C and D
/// </code>
/// </summary>
/// <param name="connection">The connection that wrote.</param>
/// <param name="master">The master of a Cluster; null where there is only one.</param>
/// <param name="options">How many, and how long.</param>
/// <param name="time">The clock of deadlines.</param>
internal sealed class ReplicaWait(RedisConnection connection, EndPoint? master, DirectoryOptions options, TimeProvider time)
{
    /// <summary>Times of waiting that are tried as aims, in steps of a millisecond.</summary>
    private const int MaximumAims = 256;

    private readonly Lock _gate = new();
    private readonly int _replicas = Durability.Of(options).Replicas;
    private readonly TimeSpan _deadline = TimeSpan.FromMilliseconds(options.OperationDeadlineMs);
    private RedisKey? _aim;
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
            if (master is null)
            {
                return await JudgeAsync(connection.Database.ExecuteAsync("WAIT", _replicas, options.ReplicaWaitMs));
            }

            if ((_aim ??= await FindAimAsync()) is not { } aim)
            {
                return $"no way to ask {master} alone was found";
            }

            // Sent in one go: where the first and the last went, WAIT went, too.
            Task<EndPoint?> before = connection.Database.IdentifyEndpointAsync(aim);
            Task<RedisResult> wait = connection.Database.ExecuteAsync("WAIT", _replicas, aim);
            Task<EndPoint?> after = connection.Database.IdentifyEndpointAsync(aim);
            string? fault = await JudgeAsync(wait) ?? await connection.WaitAsync(Task.WhenAll(before, after), "EXISTS", _deadline, time, CancellationToken.None);
            if (fault is null && (!master.Equals(await before) || !master.Equals(await after)))
            {
                _aim = null;
                return $"another server than {master} was asked for its replicas";
            }

            return fault;
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or InvalidOperationException or InvalidCastException)
        {
            return RedisConnection.Describe(exception);
        }
    }

    private async Task<string?> JudgeAsync(Task<RedisResult> asked)
    {
        string? fault = await connection.WaitAsync(asked, "WAIT", _deadline, time, CancellationToken.None);
        if (fault is not null)
        {
            return fault;
        }

        // A connection that broke meanwhile may have asked another server than the one that was written to.
        long have = (long)await asked;
        return connection.Broken.IsCompleted ? "the connection was lost while waiting for replicas"
            : have < _replicas ? $"only {have} of {_replicas} replicas confirmed within {options.ReplicaWaitMs} ms"
            : null;
    }

    /// <summary>
    /// WAIT has no key, so the client library would send it to whichever master it likes. Its time is given as if it were a
    /// key: one of a few milliseconds more, whose text hashes to a slot of the master that is meant.
    /// </summary>
    private async Task<RedisKey?> FindAimAsync()
    {
        RedisKey[] aims = [.. Enumerable.Range(options.ReplicaWaitMs, MaximumAims).Select(ms => (RedisKey)ms.ToString(CultureInfo.InvariantCulture))];
        Task<EndPoint?[]> asked = Task.WhenAll(aims.Select(aim => connection.Database.IdentifyEndpointAsync(aim)));
        if (await connection.WaitAsync(asked, "EXISTS", _deadline, time, CancellationToken.None) is not null)
        {
            return null;
        }

        int at = Array.FindIndex(await asked, master!.Equals);
        return at < 0 ? (RedisKey?)null : aims[at];
    }
}
