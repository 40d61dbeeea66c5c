using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Sessions;

namespace Trunkline.Directory.Tests;

/// <summary>Streams on one Redis, as several nodes would have them; each harness takes a prefix of its own.</summary>
internal sealed class StreamHarness(RedisServer server, GroupStreamOptions? options = null, string prefix = "t") : IAsyncDisposable
{
    private static int _prefixes;
    private readonly List<GroupStream> _made = [];
    private readonly Meter _meter = new("test");
    private StreamMeters? _meters;

    public static string NextPrefix() => "s" + Interlocked.Increment(ref _prefixes);

    public DirectoryOptions Directory { get; set; } = new()
    {
        Endpoints = [server.Endpoint],
        Prefix = prefix,
        OperationDeadlineMs = 1_000,
        ConnectDeadlineMs = 1_000,
        ReconnectMinMs = 20,
        ReconnectMaxMs = 200,
    };

    public async Task<GroupStream> OpenAsync(string group = "g")
    {
        var environment = new DirectoryEnvironment(TimeProvider.System, NullLogger.Instance, _meter, 7);
        var stream = new GroupStream(group, options ?? new GroupStreamOptions(), Directory, environment, _meters ??= new StreamMeters(_meter));
        _made.Add(stream);
        stream.Start();
        await ConnectedAsync(stream);
        return stream;
    }

    public static Task ConnectedAsync(GroupStream stream) => Eventually.HoldsAsync(
        async () => stream.IsConnected && (await stream.ReadEndAsync()).IsOk && (await stream.AwaitAsync(new LogPosition(0, 0))).IsOk, "the stream is connected");

    public static StreamBatch Batch(string producer, ulong confirmed, ulong first, params string[] messages) =>
        new(producer, confirmed, first, [.. messages.Select(message => new StreamEntry(Encoding.UTF8.GetBytes(message)))], LogPosition.None);

    public static async Task<StreamAppended> AppendAsync(GroupStream stream, string producer, ulong confirmed, ulong first, params string[] messages)
    {
        DirectoryResult<StreamAppended> result = await stream.AppendAsync(Batch(producer, confirmed, first, messages));
        Assert.True(result.IsOk, result.Detail);
        return result.Value;
    }

    /// <summary>Every message from a position on, page by page.</summary>
    public static async Task<List<string>> ReadAllAsync(GroupStream stream, LogPosition after = default)
    {
        List<string> all = [];
        while (true)
        {
            DirectoryResult<StreamPage> page = await stream.ReadAsync(after);
            Assert.True(page.IsOk, page.Detail);
            foreach (StreamMessage message in page.Value.Messages)
            {
                Assert.True(message.Position > after);
                after = message.Position;
                all.Add(Encoding.UTF8.GetString(message.Data.Span));
            }

            if (!page.Value.HasMore)
            {
                return all;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (GroupStream stream in _made)
        {
            await stream.DisposeAsync();
        }

        _meter.Dispose();
    }
}
