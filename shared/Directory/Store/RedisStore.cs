using System.Net;
using StackExchange.Redis;
using Trunkline.Transports;

namespace Trunkline.Directory;

/// <summary>The steps as scripts in Redis. Thread-safe; operations of all callers are pipelined on one connection.</summary>
internal sealed partial class RedisStore : IDirectoryStore
{
    private readonly DirectoryOptions _options;
    private readonly DirectoryEnvironment _environment;
    private readonly DirectoryMeters _meters;
    private readonly RedisKeys _keys;
    private readonly RedisLink _link;
    private readonly TimeSpan _deadline;
    private int _outstanding;

    internal RedisStore(DirectoryOptions options, DirectoryEnvironment environment, DirectoryMeters meters)
    {
        _options = options;
        _environment = environment;
        _meters = meters;
        _keys = new RedisKeys(options.Prefix);
        _link = new RedisLink(options, environment, _keys, meters);
        _deadline = TimeSpan.FromMilliseconds(options.OperationDeadlineMs);
    }

    /// <inheritdoc/>
    public long Connection => _link.Number;

    /// <inheritdoc/>
    public string Fault => _link.Fault;

    /// <summary>The connection in use, for tests.</summary>
    internal RedisConnection? Current => _link.Current;

    /// <inheritdoc/>
    public void Start(NodeId self, IStoreEvents events) => _link.Start(self, events);

    /// <inheritdoc/>
    public Task WaitConnectedAsync(CancellationToken cancellation) => _link.WaitConnectedAsync(cancellation);

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult> CheckAsync(CancellationToken cancellation) =>
        _link.Current is { } connection
            ? await RedisFleet.CheckAsync(connection, _options, _environment.Time, cancellation)
            : new(DirectoryStatus.Unavailable, "not connected: " + _link.Fault);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _link.DisposeAsync();

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Reach>> SendAsync(NodeId to, string message, CancellationToken cancellation)
    {
        RedisConnection? connection = _link.Current;
        if (connection is null)
        {
            return DirectoryResult<Reach>.Failed(DirectoryStatus.Unavailable, "not connected: " + _link.Fault);
        }

        RedisChannel channel = to.IsNone ? _keys.All : _keys.Node(to);
        try
        {
            Task<long> publish = connection.Database.PublishAsync(channel, message);
            string? fault = await connection.WaitAsync(publish, "publish", _deadline, _environment.Time, cancellation);
            return fault is not null ? DirectoryResult<Reach>.Failed(DirectoryStatus.Unavailable, fault)
                : DirectoryResult<Reach>.Of(connection.CountsListeners && await publish == 0 ? Reach.Nobody : Reach.Unknown);
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or InvalidOperationException)
        {
            return DirectoryResult<Reach>.Failed(DirectoryStatus.Unavailable, RedisConnection.Describe(exception));
        }
    }

    private async ValueTask<DirectoryResult<RedisResult[]>> RunAsync(RedisScript script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _outstanding) > _options.MaxOutstanding)
        {
            Interlocked.Decrement(ref _outstanding);
            _meters.Ended(script.Name, "busy");
            return DirectoryResult<RedisResult[]>.Failed(DirectoryStatus.Busy, "too many calls outstanding");
        }

        long start = _environment.Time.GetTimestamp();
        RedisConnection? connection = _link.Current;
        ReplicaWaits? replicas = script.MustNotBeLost ? connection?.Replicas : null;
        Task<EndPoint?>? before = replicas?.Locate(keys[0]);
        ValueTask<DirectoryResult<RedisResult[]>> evaluating = EvaluateAsync(connection, script, keys, arguments, cancellation);
        Task<EndPoint?>? after = replicas?.Locate(keys[0]);
        DirectoryResult<RedisResult[]> result = await evaluating;
        if (replicas is not null && result.IsOk && await replicas.WaitAsync(before, after) is { } unconfirmed)
        {
            DirectoryLog.OperationFailed(_environment.Logger, script.Name, unconfirmed);
            result = DirectoryResult<RedisResult[]>.Failed(DirectoryStatus.Unavailable, unconfirmed);
        }

        Interlocked.Decrement(ref _outstanding);
        _meters.Ended(script.Name, result.Status, _environment.Time.GetElapsedTime(start));
        return result;
    }

    private async ValueTask<DirectoryResult<RedisResult[]>> EvaluateAsync(
        RedisConnection? connection, RedisScript script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            // Not sent: a fast Redis would answer before the wait noticed.
            return DirectoryResult<RedisResult[]>.Failed(DirectoryStatus.Canceled, RedisConnection.Canceled);
        }

        if (connection is null)
        {
            return DirectoryResult<RedisResult[]>.Failed(DirectoryStatus.Unavailable, "not connected: " + _link.Fault);
        }

        Loop? loop = cancellation.CanBeCanceled ? null : _environment.CurrentLoop;
        string? fault;
        try
        {
            Task<RedisResult> operation = connection.Database.ScriptEvaluateAsync(script.Hash, keys, arguments);
            fault = await WaitAsync(operation).ConfigureAwait(false);
            if (fault is not null && fault.Contains("NOSCRIPT", StringComparison.Ordinal))
            {
                // This server has not seen it since it started or was told to forget: with its text it keeps it.
                operation = connection.Database.ScriptEvaluateAsync(script.Text, keys, arguments, CommandFlags.NoScriptCache);
                fault = await WaitAsync(operation).ConfigureAwait(false);
            }

            if (fault is null)
            {
                return DirectoryResult<RedisResult[]>.Of((RedisResult[])(await operation)!);
            }
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or InvalidOperationException or InvalidCastException)
        {
            // The library throws at once when it has no connection, or is being closed by the link.
            fault = RedisConnection.Describe(exception);
        }

        if (ReferenceEquals(fault, RedisConnection.Canceled))
        {
            return DirectoryResult<RedisResult[]>.Failed(DirectoryStatus.Canceled, fault);
        }

        DirectoryLog.OperationFailed(_environment.Logger, script.Name, fault);
        return DirectoryResult<RedisResult[]>.Failed(DirectoryStatus.Unavailable, fault);

        // Continues inline: on the loop, or where the task of the other was awaited.
        ValueTask<string?> WaitAsync(Task<RedisResult> operation) => loop is not null
            ? LoopCall.WaitAsync(loop, connection, operation, script.Name, _deadline)
            : new(connection.WaitAsync(operation, script.Name, _deadline, _environment.Time, cancellation));
    }

    private static Finding FindingOf(RedisResult letter) => (string?)letter switch
    {
        "O" => Finding.Ok,
        "S" => Finding.Stale,
        "D" => Finding.Dead,
        "L" => Finding.Late,
        "G" => Finding.WrongGeneration,
        "R" => Finding.Refused,
        "N" => Finding.Newer,
        _ => Finding.Missing,
    };

    // What stands in the directory may have been written by another version or damaged: read what can be read, never throw.
    private static long Number(RedisResult value) =>
        long.TryParse((string?)value, System.Globalization.CultureInfo.InvariantCulture, out long number) ? number : 0;

    private static NodeId Node(RedisResult value) => NodeId.TryParse((string?)value, out NodeId id) ? id : NodeId.None;

    private static SessionToken Token(RedisResult epoch, RedisResult node)
    {
        NodeId id = Node(node);
        return id.IsNone ? SessionToken.None : new SessionToken(Number(epoch), id);
    }
}
