using System.Collections.Concurrent;
using System.Net;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>One multiplexer from its making to its end. It is never repaired: when it breaks, the link makes another.</summary>
internal sealed class RedisConnection
{
    private readonly ConnectionMultiplexer _multiplexer;
    private readonly TaskCompletionSource<string> _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<EndPoint, bool> _reached = new();

    internal RedisConnection(ConnectionMultiplexer multiplexer, int database)
    {
        _multiplexer = multiplexer;
        Database = multiplexer.GetDatabase(database);
        Subscriber = multiplexer.GetSubscriber();
        CountsListeners = multiplexer.GetEndPoints() is [EndPoint only] && multiplexer.GetServer(only).ServerType == ServerType.Standalone;
        multiplexer.ConnectionRestored += (_, restored) =>
        {
            if (restored.EndPoint is { } endpoint)
            {
                _reached[endpoint] = true;
            }
        };
        foreach (IServer server in multiplexer.GetServers().Where(server => server.IsConnected))
        {
            _reached[server.EndPoint] = true;
        }

        multiplexer.ConnectionFailed += (_, failure) =>
        {
            if (IsLoss(failure.FailureType, failure.EndPoint))
            {
                Break($"{failure.ConnectionType} connection to {failure.EndPoint} failed: {failure.FailureType}");
            }
        };
    }

    internal IDatabase Database { get; }

    /// <summary>The master as the sentinels named it; empty without sentinels.</summary>
    internal string Master { get; init; } = "";

    /// <summary>Whether PUBLISH tells of all who listen: in a Cluster it counts those of one server.</summary>
    internal bool CountsListeners { get; }

    /// <summary>Whether several masters share the keys.</summary>
    internal bool IsCluster => _multiplexer.GetEndPoints().Any(endpoint => _multiplexer.GetServer(endpoint).ServerType == ServerType.Cluster);

    /// <summary>Waits for replicas, when that is asked for.</summary>
    internal ReplicaWaits? Replicas { get; set; }

    internal ISubscriber Subscriber { get; }

    /// <summary>Ends, with the reason, when the connection must not be used any more.</summary>
    internal Task<string> Broken => _broken.Task;

    /// <summary>
    /// Whether a failure that the library tells takes something away. An endpoint that was never reached (one of several) does
    /// not. Of one that was, it may tell that it cannot connect again and never that it lost it: it tries at once, and tells only
    /// of the first failure.
    /// </summary>
    internal bool IsLoss(ConnectionFailureType failure, EndPoint? endpoint) =>
        failure != ConnectionFailureType.UnableToConnect || (endpoint is not null && _reached.ContainsKey(endpoint));

    internal void Break(string reason) => _broken.TrySetResult(reason);

    /// <summary>The masters that are connected.</summary>
    internal IServer[] Masters() =>
        [.. _multiplexer.GetEndPoints().Select(endpoint => _multiplexer.GetServer(endpoint)).Where(server => server is { IsConnected: true, IsReplica: false })];

    /// <summary>Closes without waiting for commands: with a stopped server they would never end. What is outstanding faults.</summary>
    internal Task CloseAsync() => CloseAsync(_multiplexer);

    internal static Task CloseAsync(ConnectionMultiplexer multiplexer) => Task.Run(() =>
    {
        try
        {
            multiplexer.Close(allowCommandsToComplete: false);
            multiplexer.Dispose();
        }
        catch (Exception)
        {
            // The client library throws from its own half-closed state at times; there is nothing left to save.
        }
    });

    /// <summary>
    /// Waits for an operation of the client library, which never times out by itself, and tells what became of it.
    /// A missed deadline breaks the connection.
    /// </summary>
    internal async Task<string?> WaitAsync(Task operation, string name, TimeSpan deadline, TimeProvider time, CancellationToken cancellation)
    {
        Task bounded = operation.WaitAsync(deadline, time, cancellation);
        await bounded.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (bounded.IsCompletedSuccessfully || operation.IsCompletedSuccessfully)
        {
            // Done, be it in the moment in which the wait was given up.
            return null;
        }

        if (!operation.IsCompleted)
        {
            Observe(operation);
            if (bounded.IsCanceled)
            {
                return Canceled;
            }

            Miss(name, (long)deadline.TotalMilliseconds);
            return DeadlineMissed;
        }

        return FaultOf(operation);
    }

    /// <summary>Breaks the connection because an operation was not answered in time.</summary>
    internal void Miss(string name, long deadlineMs) => Break($"no answer to {name} within {deadlineMs} ms");

    /// <summary>What became of an operation that ended; null when it is done.</summary>
    internal static string? FaultOf(Task operation) =>
        operation.IsCompletedSuccessfully ? null
        : operation.IsFaulted ? Describe(operation.Exception.InnerException)
        : "cancelled by the client library";

    internal const string Canceled = "cancelled";
    internal const string DeadlineMissed = "deadline missed";

    internal static string Describe(Exception? exception) => exception switch
    {
        null => "unknown failure",
        RedisServerException server => server.Message,
        _ => $"{exception.GetType().Name}: {exception.Message.Split('\n')[0]}",
    };

    // An abandoned operation may fault long after; nobody else looks at it.
    internal static void Observe(Task operation) =>
        operation.ContinueWith(static t => _ = t.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
