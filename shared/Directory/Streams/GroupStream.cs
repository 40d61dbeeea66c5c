using System.Globalization;
using System.Net;
using StackExchange.Redis;
using Trunkline.Sessions;

namespace Trunkline.Directory;

/// <summary>
/// The log of one foreign group in a Redis stream. Any thread. Appends and reads of one caller reach Redis in the order of
/// the calls, pipelined; every call has a deadline, and a missed one recycles its connection. Redis 6.2 or later.
/// </summary>
/// <remarks>
/// Two connections: appends and reads on one, reads that wait for the next message on the other. Files: GroupStream
/// (appending, life), GroupStream.Read.
/// </remarks>
public sealed partial class GroupStream : IAsyncDisposable
{
    private readonly string _group;
    private readonly GroupStreamOptions _options;
    private readonly DirectoryEnvironment _environment;
    private readonly StreamMeters _meters;
    private readonly StreamKeys _keys;
    private readonly RedisLane _lane;
    private readonly RedisLane _tail;
    private readonly TimeSpan _deadline;
    private readonly bool _waitsForReplicas;
    private readonly CancellationTokenSource _stop = new();
    private Task _trimming = Task.CompletedTask;
    private long _clockOffsetMs;

    /// <summary>The stream of a group; <paramref name="directory"/> must be valid and name endpoints.</summary>
    public GroupStream(string group, GroupStreamOptions options, DirectoryOptions directory, DirectoryEnvironment environment, StreamMeters meters)
    {
        _group = group;
        _options = options;
        _environment = environment;
        _meters = meters;
        _keys = new StreamKeys(directory.Prefix, group);
        _lane = new RedisLane(directory, environment, meters, group, "log");
        _tail = new RedisLane(directory, environment, meters, group, "tail");
        _waitsForReplicas = Durability.Of(directory).Kind == DurabilityKind.Replicas;
        _deadline = TimeSpan.FromMilliseconds(directory.OperationDeadlineMs);
    }

    /// <summary>Whether calls can be sent now.</summary>
    public bool IsConnected => _lane.Current is not null;

    /// <summary>Why not, for people; empty while connected.</summary>
    public string Fault => IsConnected ? "" : _lane.Fault;

    /// <summary>Redis' clock in Unix milliseconds, as its last answer and the time since then say. The age of a message is this less its position's term.</summary>
    public long ServerNowMs => LocalNowMs + Interlocked.Read(ref _clockOffsetMs);

    private long LocalNowMs => _environment.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Begins to connect, and to trim by age now and then.</summary>
    public void Start()
    {
        _lane.Start();
        _tail.Start();
        _trimming = Task.Run(TrimAsync);
    }

    /// <summary>
    /// Appends. <see cref="DirectoryStatus.Unavailable"/> means that it may or may not have been done: append the same numbers
    /// again. With <c>Directory:Durability = replicas(n)</c> it is done when so many have it.
    /// </summary>
    public async ValueTask<DirectoryResult<StreamAppended>> AppendAsync(StreamBatch batch, CancellationToken cancellation = default)
    {
        var arguments = new RedisValue[8 + (2 * batch.Entries.Count)];
        arguments[0] = batch.Producer;
        arguments[1] = Text(batch.Confirmed);
        arguments[2] = Text(batch.First);
        arguments[3] = Text(batch.Known.Term);
        arguments[4] = batch.Known.Offset == 0 ? "-1" : Text(batch.Known.Offset - 1);
        arguments[5] = _options.MaximumBytes;
        arguments[6] = _options.MaximumAgeSeconds * 1_000L;
        arguments[7] = _options.ProducerMemorySeconds * 1_000L;
        for (int i = 0; i < batch.Entries.Count; i++)
        {
            arguments[8 + (2 * i)] = batch.Entries[i].Data;
            arguments[9 + (2 * i)] = batch.Entries[i].Id ?? "";
        }

        // Sent before the first await, so that batches keep the order of the calls.
        // After SCRIPT FLUSH it fails once, and the caller appends again: tried again from here it would stand behind others.
        RedisConnection? connection = _lane.Current;
        Task<EndPoint?>? before = connection?.Replicas?.Locate(_keys.All[0]);
        ValueTask<DirectoryResult<RedisResult[]>> appending = RunAsync(StreamScripts.Append, _keys.All, arguments, cancellation, isRetried: false);
        Task<EndPoint?>? after = connection?.Replicas?.Locate(_keys.All[0]);
        DirectoryResult<RedisResult[]> result = await appending;
        if (!result.IsOk)
        {
            return DirectoryResult<StreamAppended>.Failed(result.Status, result.Detail);
        }

        RedisResult[] reply = result.Value;
        string? unconfirmed = !_waitsForReplicas || (string?)reply[0] == "G" ? null
            : connection?.Replicas is { } replicas ? await replicas.WaitAsync(before, after)
            : "the connection was replaced";
        if (unconfirmed is not null)
        {
            StreamLog.ReplicasUnconfirmed(_environment.Logger, _group, unconfirmed);
            return DirectoryResult<StreamAppended>.Failed(DirectoryStatus.Unavailable, "too few replicas had it in time");
        }

        return DirectoryResult<StreamAppended>.Of(new(
            (string?)reply[0] == "G", Number(reply[2]), Position((string?)reply[3]), (int)Number(reply[4])));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _trimming.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _lane.DisposeAsync();
        await _tail.DisposeAsync();
        _stop.Dispose();
    }

    /// <summary>Trims by age now; appending does it, too.</summary>
    internal async ValueTask<DirectoryResult> TrimNowAsync(CancellationToken cancellation = default) =>
        (await RunAsync(StreamScripts.Trim, _keys.All, [_options.MaximumBytes, _options.MaximumAgeSeconds * 1_000L], cancellation)).WithoutValue();

    private async Task TrimAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(_options.TrimIntervalMs), _environment.Time, _stop.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_stop.IsCancellationRequested && IsConnected)
            {
                await TrimNowAsync(_stop.Token);
            }
        }
    }

    private async ValueTask<DirectoryResult<RedisResult[]>> RunAsync(
        RedisScript script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellation, bool isRetried = true)
    {
        DirectoryResult<RedisResult> result = await SendAsync(
            _lane, script.Name, database => database.ScriptEvaluateAsync(script.Text, keys, arguments), _deadline, cancellation);
        if (isRetried && !result.IsOk && result.Detail.Contains("NOSCRIPT", StringComparison.Ordinal))
        {
            // After SCRIPT FLUSH the library believes that the server still knows the script; the failure taught it, so once more.
            result = await SendAsync(
                _lane, script.Name, database => database.ScriptEvaluateAsync(script.Text, keys, arguments), _deadline, cancellation);
        }

        if (!result.IsOk)
        {
            return DirectoryResult<RedisResult[]>.Failed(result.Status, result.Detail);
        }

        var reply = (RedisResult[])result.Value!;
        Interlocked.Exchange(ref _clockOffsetMs, (long)Number(reply[1]) - LocalNowMs);
        return DirectoryResult<RedisResult[]>.Of(reply);
    }

    private async ValueTask<DirectoryResult<RedisResult>> SendAsync(
        RedisLane lane, string name, Func<IDatabase, Task<RedisResult>> call, TimeSpan deadline, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return DirectoryResult<RedisResult>.Failed(DirectoryStatus.Canceled, RedisConnection.Canceled);
        }

        RedisConnection? connection = lane.Current;
        if (connection is null)
        {
            return DirectoryResult<RedisResult>.Failed(DirectoryStatus.Unavailable, "not connected: " + lane.Fault);
        }

        long start = _environment.Time.GetTimestamp();
        DirectoryResult<RedisResult> result;
        try
        {
            Task<RedisResult> operation = call(connection.Database);
            string? fault = await connection.WaitAsync(operation, name, deadline, _environment.Time, cancellation);
            result = fault is null
                ? DirectoryResult<RedisResult>.Of(await operation)
                : DirectoryResult<RedisResult>.Failed(
                    ReferenceEquals(fault, RedisConnection.Canceled) ? DirectoryStatus.Canceled : DirectoryStatus.Unavailable, fault);
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or InvalidOperationException)
        {
            // The library throws at once when it has no connection, or is being closed by the lane.
            result = DirectoryResult<RedisResult>.Failed(DirectoryStatus.Unavailable, RedisConnection.Describe(exception));
        }

        _meters.Ended(_group, name, result.Status, _environment.Time.GetElapsedTime(start));
        if (result.Status == DirectoryStatus.Unavailable)
        {
            StreamLog.OperationFailed(_environment.Logger, _group, name, result.Detail);
        }

        return result;
    }

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static ulong Number(RedisResult value) =>
        ulong.TryParse((string?)value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : 0;

    // Offsets count from 1, sequences of a stream from 0; offset 0 lies before the first of its term.
    private static string Text(LogPosition position) => position switch
    {
        { Term: 0 } => "0-0",
        { Offset: 0 } => string.Create(CultureInfo.InvariantCulture, $"{position.Term - 1}-{ulong.MaxValue}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{position.Term}-{position.Offset - 1}"),
    };

    // What stands in Redis may be damaged: read what can be read, never throw.
    private static LogPosition Position(string? text)
    {
        int dash = text?.IndexOf('-', StringComparison.Ordinal) ?? -1;
        return dash > 0
            && ulong.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out ulong term)
            && ulong.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ulong offset)
                ? new LogPosition(term, offset == ulong.MaxValue ? offset : offset + 1)
                : LogPosition.None;
    }
}
