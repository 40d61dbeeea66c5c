using System.Collections.Concurrent;
using System.Net;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// The waits for replicas of one connection, for <c>Directory:Durability = replicas(n)</c>. In a Cluster each master has its
/// own, and a write tells which one took it: it is asked for directly before and directly after, in one go with the write.
/// <code>
///   EXISTS key --> A      write --> ?      EXISTS key --> A      so A took it, and A's replicas are waited for
/// </code>
/// Thread-safe.
/// </summary>
internal sealed class ReplicaWaits(RedisConnection connection, DirectoryOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<EndPoint, ReplicaWait> _masters = new();
    private readonly ReplicaWait _only = new(connection, null, options, time);
    private readonly bool _isCluster = connection.IsCluster;

    /// <summary>Where a key is now: called directly before and directly after what writes it is sent. Null where there is one master.</summary>
    internal Task<EndPoint?>? Locate(RedisKey key)
    {
        if (!_isCluster)
        {
            return null;
        }

        try
        {
            Task<EndPoint?> located = connection.Database.IdentifyEndpointAsync(key);
            RedisConnection.Observe(located);
            return located;
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or InvalidOperationException)
        {
            // The library throws at once when it has no connection.
            return Task.FromException<EndPoint?>(exception);
        }
    }

    /// <summary>Null when the replicas of the master that took a write have it; otherwise why that is not known.</summary>
    internal async Task<string?> WaitAsync(Task<EndPoint?>? before, Task<EndPoint?>? after)
    {
        if (before is null || after is null)
        {
            return await _only.WaitAsync();
        }

        Task<EndPoint?[]> both = Task.WhenAll(before, after);
        if (await connection.WaitAsync(both, "EXISTS", TimeSpan.FromMilliseconds(options.OperationDeadlineMs), time, CancellationToken.None) is { } fault)
        {
            return fault;
        }

        EndPoint?[] masters = await both;
        return masters[0] is { } master && master.Equals(masters[1])
            ? await _masters.GetOrAdd(master, master => new ReplicaWait(connection, master, options, time)).WaitAsync()
            : "the master of the key changed while it was written";
    }
}
