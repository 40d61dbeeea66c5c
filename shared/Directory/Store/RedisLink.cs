using System.Globalization;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// The node's connection to its directory: sees to it that the node's subscriptions really deliver, and breaks the
/// connection when a deadline was missed.
/// <code>
///   connect --> ping --> subscribe --> own message came back --> in use --> broken (failure, deadline, deaf) --> close, wait --> connect
/// </code>
/// </summary>
internal sealed class RedisLink(DirectoryOptions options, DirectoryEnvironment environment, RedisKeys keys, DirectoryMeters meters)
    : RedisKeeper(options, environment)
{
    private const string ProbePrefix = "P ";

    private readonly Lock _waiting = new();
    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource<string>? _probe;
    private long _number;
    private long _probeNumber;
    private NodeId _self;
    private IStoreEvents? _events;

    internal long Number => Interlocked.Read(ref _number);

    protected override string ClientName => "trunkline-" + _self;

    internal void Start(NodeId self, IStoreEvents events)
    {
        _self = self;
        _events = events;
        Start();
    }

    internal async Task WaitConnectedAsync(CancellationToken cancellation)
    {
        Task connected;
        lock (_waiting)
        {
            connected = _connected.Task;
        }

        await connected.WaitAsync(TimeSpan.FromMilliseconds(Options.ConnectDeadlineMs * 2L), Time, cancellation)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    protected override void Configure(ConfigurationOptions configuration)
    {
        if (Environment is { Loops: [var loop, ..], Dial: { } dial })
        {
            configuration.Tunnel = new LoopTunnel(loop, dial);
        }
    }

    protected override void OnConnectFailed(string fault, int pauseMs) => DirectoryLog.ConnectFailed(Environment.Logger, fault, pauseMs);

    protected override void OnConnected()
    {
        Interlocked.Increment(ref _number);
        DirectoryLog.Connected(Environment.Logger, Number);
        lock (_waiting)
        {
            _connected.TrySetResult();
        }

        _events!.ConnectionChanged();
    }

    protected override void OnLost(string reason, bool isReplaced)
    {
        Interlocked.Increment(ref _number);
        lock (_waiting)
        {
            _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        _events!.ConnectionChanged();
        if (isReplaced)
        {
            meters.Recycled();
            DirectoryLog.ConnectionLost(Environment.Logger, reason);
        }
    }

    protected override async Task<string?> GreetAsync(RedisConnection connection, TimeSpan deadline)
    {
        string? fault = await base.GreetAsync(connection, deadline) ?? await SubscribeAsync(connection, deadline);
        if (fault is not null)
        {
            return fault;
        }

        return await ProbeAsync(connection) ? null : "subscriptions deliver nothing";
    }

    /// <summary>Meanwhile sees that messages to this node arrive, as a subscription can be lost while the connection looks well.</summary>
    protected override async Task<string> WatchAsync(RedisConnection connection)
    {
        var stopped = Task.Delay(Timeout.InfiniteTimeSpan, Stopping);
        while (true)
        {
            Task pause = Task.Delay(TimeSpan.FromMilliseconds(Options.SubscriptionCheckIntervalMs), Time, Stopping);
            await Task.WhenAny(connection.Broken, pause, stopped);
            if (connection.Broken.IsCompleted)
            {
                return await connection.Broken;
            }

            if (Stopping.IsCancellationRequested)
            {
                return "stopped";
            }

            // A probe takes up to a deadline; a break is noticed at once.
            Task<bool> probe = ProbeAsync(connection);
            await Task.WhenAny(probe, connection.Broken);
            if (!connection.Broken.IsCompleted && !await probe)
            {
                DirectoryLog.SubscriptionLost(Environment.Logger);
                connection.Break("subscriptions deliver nothing");
            }
        }
    }

    // Messages come on a connection of their own, which may stand a little later than the other: until then the library refuses.
    // A try of which one half was taken leaves its handler there: only those of the newest count, or messages came twice.
    private async Task<string?> SubscribeAsync(RedisConnection connection, TimeSpan deadline)
    {
        long start = Time.GetTimestamp();
        int newest = 0;
        while (true)
        {
            int tried = Interlocked.Increment(ref newest);
            Task subscribed = Task.WhenAll(ReceiveFromAsync(keys.All, tried), ReceiveFromAsync(keys.Node(_self), tried));
            string? fault = await connection.WaitAsync(subscribed, "SUBSCRIBE", deadline, Time, Stopping);
            if (fault is null || subscribed.Exception?.InnerException is not RedisConnectionException || Time.GetElapsedTime(start) > deadline)
            {
                return fault;
            }

            await Task.Delay(deadline / 64, Time, Stopping);
        }

        async Task ReceiveFromAsync(RedisChannel channel, int tried) =>
            await connection.Subscriber.SubscribeAsync(channel, (_, message) =>
            {
                if (tried == Volatile.Read(ref newest))
                {
                    Receive(message);
                }
            });
    }

    // Several tries within one deadline: the subscribing connection may stand a little later than the other.
    private async Task<bool> ProbeAsync(RedisConnection connection)
    {
        string expected = ProbePrefix + Interlocked.Increment(ref _probeNumber).ToString(CultureInfo.InvariantCulture);
        var probe = new TaskCompletionSource<string>(expected, TaskCreationOptions.RunContinuationsAsynchronously);
        _probe = probe;
        TimeSpan deadline = TimeSpan.FromMilliseconds(Options.OperationDeadlineMs);
        long start = Time.GetTimestamp();
        while (Time.GetElapsedTime(start) < deadline && !Stopping.IsCancellationRequested && !connection.Broken.IsCompleted)
        {
            try
            {
                string? fault = await connection.WaitAsync(
                    connection.Database.PublishAsync(keys.Node(_self), expected), "PUBLISH", deadline, Time, Stopping);
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
            await arrived.WaitAsync(deadline / 8, Time, Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
