using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// One connection to Redis for one purpose of one group's stream, made again with jittered backoff whenever it breaks: a
/// read that waits in Redis must not stand before anything else. It subscribes nothing. One task; the rest is thread-safe.
/// </summary>
internal sealed class RedisLane : IAsyncDisposable
{
    private readonly DirectoryOptions _options;
    private readonly DirectoryEnvironment _environment;
    private readonly StreamMeters _meters;
    private readonly string _group;
    private readonly string _name;
    private readonly Random _jitter;
    private readonly RedisSentinels? _sentinels;
    private readonly CancellationTokenSource _stop = new();
    private volatile RedisConnection? _current;
    private volatile string _fault = "not connected yet";
    private Task _run = Task.CompletedTask;
    private Task _closing = Task.CompletedTask;

    internal RedisLane(DirectoryOptions options, DirectoryEnvironment environment, StreamMeters meters, string group, string name)
    {
        _options = options;
        _environment = environment;
        _meters = meters;
        _group = group;
        _name = name;
        _jitter = new Random(environment.Seed);
        _sentinels = options.SentinelMaster.Length > 0 ? new RedisSentinels(options, environment, $"trunkline-{group}-{name}".Replace(' ', '-')) : null;
    }

    /// <summary>The connection in use; null from the moment on in which it broke.</summary>
    internal RedisConnection? Current => _current is { Broken.IsCompleted: false } current ? current : null;

    internal string Fault => _fault;

    internal void Start() => _run = Task.Run(RunAsync);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Closing may hang in the client library while the server is stopped; the process must not.
        Task sentinels = _sentinels?.CloseAsync() ?? Task.CompletedTask;
        await Task.WhenAll(_closing, sentinels).WaitAsync(TimeSpan.FromMilliseconds(_options.ConnectDeadlineMs), _environment.Time, CancellationToken.None)
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
                StreamLog.ConnectFailed(_environment.Logger, _group, _name, fault, pauseMs);
                await PauseAsync(pauseMs);
                pauseMs = Math.Min(pauseMs * 2, _options.ReconnectMaxMs);
                continue;
            }

            long since = _environment.Time.GetTimestamp();
            _fault = "";
            _current = connection;
            StreamLog.Connected(_environment.Logger, _group, _name);
            string reason = await WatchAsync(connection);
            _fault = reason;
            _current = null;
            _closing = _closing.IsCompleted ? connection.CloseAsync() : Task.WhenAll(_closing, connection.CloseAsync());
            if (_stop.IsCancellationRequested)
            {
                break;
            }

            _meters.Recycled(_group);
            StreamLog.ConnectionLost(_environment.Logger, _group, _name, reason);

            // A connection that lasted earns a fresh start; one that broke at once does not, or a sick server would be hammered.
            pauseMs = _environment.Time.GetElapsedTime(since).TotalMilliseconds > _options.ReconnectMaxMs
                ? _options.ReconnectMinMs
                : Math.Min(pauseMs * 2, _options.ReconnectMaxMs);
            await PauseAsync(pauseMs);
        }
    }

    /// <summary>Until it breaks; and until the sentinels name another master: one that was replaced may still answer, and who writes there is alone.</summary>
    private async Task<string> WatchAsync(RedisConnection connection)
    {
        while (true)
        {
            TimeSpan pause = _sentinels is null ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(_options.LeaseRaiseIntervalMs);
            await Task.WhenAny(connection.Broken, Task.Delay(pause, _environment.Time, _stop.Token));
            if (connection.Broken.IsCompleted)
            {
                return await connection.Broken;
            }

            if (_stop.IsCancellationRequested)
            {
                return "stopped";
            }

            (string? master, _) = await _sentinels!.FindMasterAsync(CancellationToken.None);
            if (master is not null && master != connection.Master)
            {
                connection.Break($"the sentinels name {master} as the master");
            }
        }
    }

    private Task PauseAsync(int ms) =>
        Task.Delay(TimeSpan.FromMilliseconds(ms * (0.5 + (_jitter.NextDouble() / 2))), _environment.Time, _stop.Token)
            .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task<(RedisConnection? Connection, string Fault)> TryConnectAsync()
    {
        TimeSpan deadline = TimeSpan.FromMilliseconds(_options.ConnectDeadlineMs);
        try
        {
            string[]? endpoints = null;
            if (_sentinels is not null)
            {
                (string? master, string unknown) = await _sentinels.FindMasterAsync(_stop.Token);
                if (master is null)
                {
                    return (null, unknown);
                }

                endpoints = [master];
            }

            ConfigurationOptions configuration = RedisConfiguration.Make(_options, $"trunkline-{_group}-{_name}".Replace(' ', '-'), endpoints);

            // Nothing is subscribed here: without these the library opens no second socket for it.
            configuration.CommandMap = CommandMap.Create(["SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE"], available: false);

            // The library's own connect timeout comes first; twice that means that it hangs.
            ConnectionMultiplexer multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration).WaitAsync(deadline * 2, _environment.Time, _stop.Token);
            var connection = new RedisConnection(multiplexer, _options.Database) { Master = endpoints?[0] ?? "" };
            string? fault = await connection.WaitAsync(connection.Database.PingAsync(), "PING", deadline, _environment.Time, _stop.Token);
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
}
