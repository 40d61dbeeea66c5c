using StackExchange.Redis;
using Trunkline.Sessions;

namespace Trunkline.Directory;

public sealed partial class GroupStream
{
    /// <summary>Messages that one waiting read takes at most: a single large burst must not fill memory; a page follows where more are there.</summary>
    private const int TailMessages = 16;

    /// <summary>The position of the last message there is, or just before now where there is none: what is appended later lies behind it.</summary>
    public async ValueTask<DirectoryResult<LogPosition>> ReadEndAsync(CancellationToken cancellation = default)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(StreamScripts.End, _keys.StreamAndState, [], cancellation);
        return result.IsOk
            ? DirectoryResult<LogPosition>.Of(
                Position((string?)result.Value[2]) is { IsNone: false } end ? end : new LogPosition(Number(result.Value[1]), 0))
            : DirectoryResult<LogPosition>.Failed(result.Status, result.Detail);
    }

    /// <summary>
    /// Reads the messages behind a position, within <see cref="GroupStreamOptions.PageMessages"/> and so many bytes (0:
    /// <see cref="GroupStreamOptions.PageBytes"/>); says whether some behind it are gone.
    /// </summary>
    public async ValueTask<DirectoryResult<StreamPage>> ReadAsync(LogPosition after, int maximumBytes = 0, CancellationToken cancellation = default)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(
            StreamScripts.Read, _keys.Reading, [Text(after), maximumBytes > 0 ? maximumBytes : _options.PageBytes, _options.PageMessages], cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<StreamPage>.Failed(result.Status, result.Detail);
        }

        RedisResult[] reply = result.Value;
        var messages = new List<StreamMessage>((reply.Length - 5) / 2);
        for (int i = 5; i + 1 < reply.Length; i += 2)
        {
            messages.Add(new(Position((string?)reply[i]), (byte[]?)reply[i + 1] ?? []));
        }

        return DirectoryResult<StreamPage>.Of(new(messages, (string?)reply[3] == "1", Position((string?)reply[2]) > after, (long)Number(reply[4])));
    }

    /// <summary>
    /// Reads the messages at some positions, up to so many bytes. <see cref="StreamPage.Left"/> says how many positions were
    /// not looked at; of those that were, what is not on the page is not there.
    /// </summary>
    public async ValueTask<DirectoryResult<StreamPage>> ReadAtAsync(IReadOnlyList<LogPosition> positions, int maximumBytes, CancellationToken cancellation = default)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(
            StreamScripts.ReadAt, [_keys.Stream], [maximumBytes, .. positions.Select(position => (RedisValue)Text(position))], cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<StreamPage>.Failed(result.Status, result.Detail);
        }

        RedisResult[] reply = result.Value;
        var messages = new List<StreamMessage>((reply.Length - 3) / 2);
        for (int i = 3; i + 1 < reply.Length; i += 2)
        {
            messages.Add(new(Position((string?)reply[i]), (byte[]?)reply[i + 1] ?? []));
        }

        int left = positions.Count - (int)ulong.Min(Number(reply[2]), (ulong)positions.Count);
        return DirectoryResult<StreamPage>.Of(new(messages, left > 0, false, left));
    }

    /// <summary>
    /// Waits in Redis, on a connection of its own, until messages behind a position are there, for at most
    /// <see cref="GroupStreamOptions.TailWaitMs"/>; then the page is empty. It does not see what was trimmed: read a page
    /// after a failure.
    /// </summary>
    public async ValueTask<DirectoryResult<StreamPage>> AwaitAsync(LogPosition after, CancellationToken cancellation = default)
    {
        DirectoryResult<RedisResult> result = await SendAsync(
            _tail,
            "await",
            database => database.ExecuteAsync("XREAD", "COUNT", TailMessages, "BLOCK", _options.TailWaitMs, "STREAMS", _keys.Stream, Text(after)),
            _deadline + TimeSpan.FromMilliseconds(_options.TailWaitMs),
            cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<StreamPage>.Failed(result.Status, result.Detail);
        }

        var streams = result.Value.IsNull ? [] : (RedisResult[]?)result.Value ?? [];
        var messages = new List<StreamMessage>();
        if (streams.Length > 0 && (RedisResult[]?)streams[0] is [_, var found])
        {
            messages.AddRange(((RedisResult[]?)found ?? []).Select(Entry));
        }

        return DirectoryResult<StreamPage>.Of(new(messages, messages.Count >= TailMessages, false, 0));
    }

    private static StreamMessage Entry(RedisResult entry)
    {
        var parts = (RedisResult[]?)entry ?? [];
        LogPosition position = parts.Length > 0 ? Position((string?)parts[0]) : LogPosition.None;
        return parts is [_, var fields] && (RedisResult[]?)fields is [var name, var data, ..] && (string?)name == "d"
            ? new StreamMessage(position, (byte[]?)data ?? [])
            : new StreamMessage(position, default);
    }
}
