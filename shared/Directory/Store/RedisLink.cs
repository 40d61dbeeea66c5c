using System.Globalization;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// Keeps one connection to Redis: connects with jittered backoff, sees to it that the node's subscriptions really
/// deliver, and replaces the connection when it fails or a deadline was missed. One loop task; the rest is thread-safe.
/// <code>
///   connect --> ping --> subscribe --> own message came back --> in use --> broken (failure, deadline, deaf) --> close, wait --> connect
/// </code>
/// </summary>
internal sealed class RedisLink : IAsyncDisposable
{
    private const string ProbePrefix = "P ";

    private readonly DirectoryOptions _options;
    private readonly DirectoryEnvironment _environment;
    private readonly DirectoryMeters _meters;
    private readonly RedisKeys _keys;
    private readonly Random _jitter;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _waiting = new();
    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile RedisConnection? _current;
    private volatile string _fault = "not connected yet";
    private volatile TaskCompletionSource<string>? _probe;
    private long _number;
    private long _probeNumber;
    private NodeId _self;
    private RedisSentinels? _sentinels;
    private IStoreEvents? _events;
    private Task _run = Task.CompletedTask;
    private Task _closing = Task.CompletedTask;

    internal RedisLink(DirectoryOptions options, DirectoryEnvironment environment, RedisKeys keys, DirectoryMeters meters)
    {
        _options = options;
        _environment = environment;
        _keys = keys;
        _meters = meters;
        _jitter = new Random(environment.Seed);
    }

    /// <summary>The connection in use; null from the moment on in which it broke, also before the loop has noticed.</summary>
    internal RedisConnection? Current => _current is { Broken.IsCompleted: false } current ? current : null;

    internal string Fault => _fault;

    internal long Number => Interlocked.Read(ref _number);

    private TimeProvider Time => _environment.Time;

    internal void Start(NodeId self, IStoreEvents events)
    {
        _self = self;
        _events = events;
        if (_options.SentinelMaster.Length > 0)
        {
            _sentinels = new RedisSentinels(_options, _environment, "trunkline-" + self);
        }

        _run = Task.Run(RunAsync);
    }

    internal async Task WaitConnectedAsync(CancellationToken cancellation)
    {
        Task connected;
        lock (_waiting)
        {
            connected = _connected.Task;
        }

        await connected.WaitAsync(TimeSpan.FromMilliseconds(_options.ConnectDeadlineMs * 2L), Time, cancellation)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Closing may hang in the client library while the server is stopped; the process must not.
        Task sentinels = _sentinels?.CloseAsync() ?? Task.CompletedTask;
        await Task.WhenAll(_closing, sentinels).WaitAsync(TimeSpan.FromMilliseconds(_options.ConnectDeadlineMs), Time, CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        int pauseMs = _options.ReconnectMinMs;
        while (!_stop.IsCancellationRequested)
        {
            (RedisConnection? connection, string fault) = await TryConnectAsync();
            if (connection is null)
            {
                _fault = fault;
                DirectoryLog.ConnectFailed(_environment.Logger, fault, pauseMs);
                await PauseAsync(pauseMs);
                pauseMs = Math.Min(pauseMs * 2, _options.ReconnectMaxMs);
                continue;
            }

            long since = Time.GetTimestamp();
            Use(connection);
            string reason = await WatchAsync(connection);
            Lose(reason);
            _closing = _closing.IsCompleted ? connection.CloseAsync() : Task.WhenAll(_closing, connection.CloseAsync());
            if (_stop.IsCancellationRequested)
            {
                break;
            }

            _meters.Recycled();
            DirectoryLog.ConnectionLost(_environment.Logger, reason);

            // A connection that lasted earns a fresh start; one that broke at once does not, or a sick server would be hammered.
            pauseMs = Time.GetElapsedTime(since).TotalMilliseconds > _options.ReconnectMaxMs
                ? _options.ReconnectMinMs
                : Math.Min(pauseMs * 2, _options.ReconnectMaxMs);
            await PauseAsync(pauseMs);
        }
    }

    private void Use(RedisConnection connection)
    {
        _fault = "";
        Interlocked.Increment(ref _number);
        _current = connection;
        DirectoryLog.Connected(_environment.Logger, Number);
        lock (_waiting)
        {
            _connected.TrySetResult();
        }

        _events!.ConnectionChanged();
    }

    private void Lose(string reason)
    {
        _fault = reason;
        _current = null;
        Interlocked.Increment(ref _number);
        lock (_waiting)
        {
            _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        _events!.ConnectionChanged();
    }

    private Task PauseAsync(int ms)
    {
        double jittered = ms * (0.5 + _jitter.NextDouble() / 2);
        return Task.Delay(TimeSpan.FromMilliseconds(jittered), Time, _stop.Token)
            .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task<(RedisConnection? Connection, string Fault)> TryConnectAsync()
    {
        Task<ConnectionMultiplexer> connecting;
        TimeSpan deadline = TimeSpan.FromMilliseconds(_options.ConnectDeadlineMs);
        string[]? endpoints = null;
        try
        {
            if (_sentinels is not null)
            {
                (string? master, string unknown) = await _sentinels.FindMasterAsync(_stop.Token);
                if (master is null)
                {
                    return (null, unknown);
                }

                endpoints = [master];
            }

            connecting = ConnectionMultiplexer.ConnectAsync(RedisConfiguration.Make(_options, "trunkline-" + _self, endpoints));

            // The library's own connect timeout comes first; twice that means that it hangs.
            ConnectionMultiplexer multiplexer = await connecting.WaitAsync(deadline * 2, Time, _stop.Token);
            var connection = new RedisConnection(multiplexer, _options.Database) { Master = endpoints?[0] ?? "" };
            if (Durability.Of(_options) is { Kind: DurabilityKind.Replicas } durability)
            {
                connection.Replicas = new(connection, durability.Replicas, _options.ReplicaWaitMs, TimeSpan.FromMilliseconds(_options.OperationDeadlineMs), Time);
            }

            string? fault = await GreetAsync(connection, deadline);
            if (fault is null)
            {
                return (connection, "");
            }

            await connection.CloseAsync();
            return (null, fault);
        }
        catch (Exception exception)
        {
            // Bad certificates, unknown hosts, a server that hangs up: all of it is "cannot connect", to be tried again.
            return (null, RedisConnection.Describe(exception));
        }
    }

    private async Task<string?> GreetAsync(RedisConnection connection, TimeSpan deadline)
    {
        string? fault = await connection.WaitAsync(connection.Database.PingAsync(), "PING", deadline, Time, _stop.Token)
            ?? await SubscribeAsync(connection, deadline);
        if (fault is not null)
        {
            return fault;
        }

        return await ProbeAsync(connection) ? null : "subscriptions deliver nothing";
    }

    private async Task<string?> SubscribeAsync(RedisConnection connection, TimeSpan deadline)
    {
        Task all = connection.Subscriber.SubscribeAsync(_keys.All, (_, message) => Receive(message));
        Task own = connection.Subscriber.SubscribeAsync(_keys.Node(_self), (_, message) => Receive(message));
        return await connection.WaitAsync(Task.WhenAll(all, own), "SUBSCRIBE", deadline, Time, _stop.Token);
    }

    // Waits until the connection breaks; meanwhile sees that messages to this node arrive, as a subscription can be
    // lost while the connection looks well.
    private async Task<string> WatchAsync(RedisConnection connection)
    {
        var stopped = Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token);

        // Not awaited: it ends with the connection.
        _ = FollowMasterAsync(connection);
        while (true)
        {
            Task pause = Task.Delay(TimeSpan.FromMilliseconds(_options.SubscriptionCheckIntervalMs), Time, _stop.Token);
            await Task.WhenAny(connection.Broken, pause, stopped);
            if (connection.Broken.IsCompleted)
            {
                return await connection.Broken;
            }

            if (_stop.IsCancellationRequested)
            {
                return "stopped";
            }

            // A probe takes up to a deadline; a break is noticed at once.
            Task<bool> probe = ProbeAsync(connection);
            await Task.WhenAny(probe, connection.Broken);
            if (!connection.Broken.IsCompleted && !await probe)
            {
                DirectoryLog.SubscriptionLost(_environment.Logger);
                connection.Break("subscriptions deliver nothing");
            }
        }
    }

    // A master that was replaced may still answer, until the sentinels make it a replica: who writes there is alone.
    private async Task FollowMasterAsync(RedisConnection connection)
    {
        while (_sentinels is not null && !connection.Broken.IsCompleted && !_stop.IsCancellationRequested)
        {
            Task pause = Task.Delay(TimeSpan.FromMilliseconds(_options.LeaseRaiseIntervalMs), Time, _stop.Token);
            await Task.WhenAny(connection.Broken, pause);
            if (connection.Broken.IsCompleted || _stop.IsCancellationRequested)
            {
                return;
            }

            string? master;
            try
            {
                (master, _) = await _sentinels.FindMasterAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            if (master is not null && master != connection.Master)
            {
                connection.Break($"the sentinels name {master} as the master");
            }
        }
    }

    // Several tries within one deadline: the subscribing connection may stand a little later than the other.
    private async Task<bool> ProbeAsync(RedisConnection connection)
    {
        string expected = ProbePrefix + Interlocked.Increment(ref _probeNumber).ToString(CultureInfo.InvariantCulture);
        var probe = new TaskCompletionSource<string>(expected, TaskCreationOptions.RunContinuationsAsynchronously);
        _probe = probe;
        TimeSpan deadline = TimeSpan.FromMilliseconds(_options.OperationDeadlineMs);
        long start = Time.GetTimestamp();
        while (Time.GetElapsedTime(start) < deadline && !_stop.IsCancellationRequested && !connection.Broken.IsCompleted)
        {
            try
            {
                string? fault = await connection.WaitAsync(
                    connection.Database.PublishAsync(_keys.Node(_self), expected), "PUBLISH", deadline, Time, _stop.Token);
                if (fault is not null)
                {
                    return false;
                }
            }
            catch (Exception exception) when (exception is RedisException or ObjectDisposedException or InvalidOperationException)
            {
                connection.Break(RedisConnection.Describe(exception));
                return false;
            }

            Task arrived = probe.Task;
            await arrived.WaitAsync(deadline / 8, Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (probe.Task.IsCompleted)
            {
                return true;
            }
        }

        return false;
    }

    private void Receive(RedisValue value)
    {
        string? message = value;
        if (message is null)
        {
            return;
        }

        if (!message.StartsWith(ProbePrefix, StringComparison.Ordinal))
        {
            _events!.Received(message);
        }
        else if (_probe is { } probe && (string?)probe.Task.AsyncState == message)
        {
            probe.TrySetResult(message);
        }
    }
}
