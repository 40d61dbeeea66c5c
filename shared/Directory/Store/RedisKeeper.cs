using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// Keeps one connection to Redis: connects with jittered backoff, to the master that the sentinels name where there are
/// some, and replaces the connection when it breaks or another master is named. One task; the rest is thread-safe.
/// </summary>
internal abstract class RedisKeeper : IAsyncDisposable
{
    private readonly Random _jitter;
    private readonly CancellationTokenSource _stop = new();
    private volatile RedisConnection? _current;
    private volatile string _fault = "not connected yet";
    private RedisSentinels? _sentinels;
    private Task _run = Task.CompletedTask;
    private Task _closing = Task.CompletedTask;

    protected RedisKeeper(DirectoryOptions options, DirectoryEnvironment environment)
    {
        Options = options;
        Environment = environment;
        _jitter = new Random(environment.Seed);
        Stopping = _stop.Token;
    }

    /// <summary>The connection in use; null from the moment on in which it broke, also before the loop has noticed.</summary>
    internal RedisConnection? Current => _current is { Broken.IsCompleted: false } current ? current : null;

    internal string Fault => _fault;

    protected DirectoryOptions Options { get; }

    protected DirectoryEnvironment Environment { get; }

    protected TimeProvider Time => Environment.Time;

    protected CancellationToken Stopping { get; }

    /// <summary>What the server lists the connection as; known before the start.</summary>
    protected abstract string ClientName { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Closing may hang in the client library while the server is stopped; the process must not.
        Task sentinels = _sentinels?.CloseAsync() ?? Task.CompletedTask;
        await Task.WhenAll(_closing, sentinels).WaitAsync(TimeSpan.FromMilliseconds(Options.ConnectDeadlineMs), Time, CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    internal void Start()
    {
        _sentinels = Options.SentinelMaster.Length > 0 ? new RedisSentinels(Options, Environment, ClientName) : null;
        _run = Task.Run(RunAsync);
    }

    /// <summary>Settings of its own, before the library connects.</summary>
    protected virtual void Configure(ConfigurationOptions configuration)
    {
    }

    /// <summary>Whether a new connection serves: null, or what is wrong with it.</summary>
    protected virtual async Task<string?> GreetAsync(RedisConnection connection, TimeSpan deadline)
    {
        string? fault = await connection.WaitAsync(connection.Database.PingAsync(), "PING", deadline, Time, Stopping);
        if (fault is null && Durability.Of(Options).Kind == DurabilityKind.Replicas)
        {
            connection.Replicas = new ReplicaWaits(connection, Options, Time);
        }

        return fault;
    }

    /// <summary>Waits until the connection in use breaks, or all of it stops, and says why; may break it itself.</summary>
    protected virtual async Task<string> WatchAsync(RedisConnection connection)
    {
        await Task.WhenAny(connection.Broken, Task.Delay(Timeout.InfiniteTimeSpan, Stopping));
        return connection.Broken.IsCompleted ? await connection.Broken : "stopped";
    }

    protected abstract void OnConnectFailed(string fault, int pauseMs);

    protected abstract void OnConnected();

    /// <summary>The connection is out of use; <paramref name="isReplaced"/> says whether another one is made.</summary>
    protected abstract void OnLost(string reason, bool isReplaced);

    private async Task RunAsync()
    {
        int pauseMs = Options.ReconnectMinMs;
        while (!Stopping.IsCancellationRequested)
        {
            (RedisConnection? connection, string fault) = await TryConnectAsync();
            if (connection is null)
            {
                _fault = fault;
                OnConnectFailed(fault, pauseMs);
                await PauseAsync(pauseMs);
                pauseMs = Math.Min(pauseMs * 2, Options.ReconnectMaxMs);
                continue;
            }

            long since = Time.GetTimestamp();
            _fault = "";
            _current = connection;
            OnConnected();

            // Not awaited: it ends with the connection.
            _ = FollowMasterAsync(connection);
            string reason = await WatchAsync(connection);
            _fault = reason;
            _current = null;
            OnLost(reason, isReplaced: !Stopping.IsCancellationRequested);
            _closing = _closing.IsCompleted ? connection.CloseAsync() : Task.WhenAll(_closing, connection.CloseAsync());
            if (Stopping.IsCancellationRequested)
            {
                break;
            }

            // A connection that lasted earns a fresh start; one that broke at once does not, or a sick server would be hammered.
            pauseMs = Time.GetElapsedTime(since).TotalMilliseconds > Options.ReconnectMaxMs
                ? Options.ReconnectMinMs
                : Math.Min(pauseMs * 2, Options.ReconnectMaxMs);
            await PauseAsync(pauseMs);
        }
    }

    private Task PauseAsync(int ms) =>
        Task.Delay(TimeSpan.FromMilliseconds(ms * (0.5 + (_jitter.NextDouble() / 2))), Time, Stopping)
            .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task<(RedisConnection? Connection, string Fault)> TryConnectAsync()
    {
        TimeSpan deadline = TimeSpan.FromMilliseconds(Options.ConnectDeadlineMs);
        try
        {
            string[]? endpoints = null;
            if (_sentinels is not null)
            {
                (string? master, string unknown) = await _sentinels.FindMasterAsync(Stopping);
                if (master is null)
                {
                    return (null, unknown);
                }

                endpoints = [master];
            }

            ConfigurationOptions configuration = RedisConfiguration.Make(Options, ClientName, endpoints);
            Configure(configuration);

            // The library's own connect timeout comes first; twice that means that it hangs.
            ConnectionMultiplexer multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration).WaitAsync(deadline * 2, Time, Stopping);
            var connection = new RedisConnection(multiplexer, Options.Database) { Master = endpoints?[0] ?? "" };
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

    /// <summary>A master that was replaced may still answer, until the sentinels make it a replica: who writes there is alone.</summary>
    private async Task FollowMasterAsync(RedisConnection connection)
    {
        while (_sentinels is not null && !connection.Broken.IsCompleted && !Stopping.IsCancellationRequested)
        {
            Task pause = Task.Delay(TimeSpan.FromMilliseconds(Options.LeaseRaiseIntervalMs), Time, Stopping);
            await Task.WhenAny(connection.Broken, pause);
            if (connection.Broken.IsCompleted || Stopping.IsCancellationRequested)
            {
                return;
            }

            string? master;
            try
            {
                (master, _) = await _sentinels.FindMasterAsync(Stopping);
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
}
