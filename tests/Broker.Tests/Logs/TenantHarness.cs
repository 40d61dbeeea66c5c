using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Trunkline.Broker.Tests.Store;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Logs;

/// <summary>A small log, in memory or in files, and what was ever appended to it.</summary>
internal sealed class TenantHarness
{
    private readonly StoreHarness? _store;
    private readonly ManualLoop _loop;

    public TenantHarness(string? folder, BrokerOptions? options = null, StoreDisk? disk = null, ILogger? logger = null)
    {
        Options = options ?? Small;
        _store = folder is null ? null : new StoreHarness(folder, Options, disk, logger: logger);
        _loop = _store?.Loop ?? new ManualLoop();
        Log = _store is null ? new MemoryGroupLog(_loop, Options, term: 7) : _store.Log;
    }

    public static BrokerOptions Small { get; } = StoreHarness.Small with { LogMaximumBytes = 256 * 1024 };

    public BrokerOptions Options { get; }

    public IGroupLog Log { get; }

    public StoreHarness Store => _store!;

    /// <summary>Append without waiting for segments that are written anew: faster than any publisher beside segments so small.</summary>
    public bool Hurries { get; init; }

    /// <summary>Everything appended, by position.</summary>
    public SortedDictionary<LogPosition, (string Topic, string Payload)> All { get; init; } = [];

    public void Append(string topic, int size = 100, bool retain = false)
    {
        string payload = string.Create(CultureInfo.InvariantCulture, $"{All.Count} {new string('x', size)}");
        LogPosition position = Log.Append(new LogRecord
        {
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(payload),
            QoS = QoS.AtLeastOnce,
            ExpiresAtMs = long.MaxValue,
            Retain = retain,
        });
        All.Add(position, (topic, payload));
        _loop.RunUntilIdle();
        if (!Hurries && _store is { Log.IsThinning: true })
        {
            LoopUntil.Holds(_loop, () => !_store.Log.IsThinning, "a segment is written anew");
        }
    }

    /// <summary>Lets the store's threads finish what they do.</summary>
    public void Settle()
    {
        if (_store is not null)
        {
            _store.Commit();
            long thinned = -1;
            LoopUntil.Holds(
                _loop,
                () =>
                {
                    bool isQuiet = !_store.Log.IsThinning && thinned == Log.Dropped;
                    thinned = Log.Dropped;
                    Log.OnTick();
                    _loop.RunUntilIdle();
                    return isQuiet && !_store.Log.IsThinning;
                },
                "nothing is written anew");
        }
    }

    /// <summary>What is in the log; each message the one that was appended at its position.</summary>
    public List<(LogPosition Position, string Topic)> Read(out int losses)
    {
        var read = new List<(LogPosition, string)>();
        losses = 0;
        LogCursor cursor = Log.Seek(default, out _);
        while (true)
        {
            LogReading reading = Log.TryRead(ref cursor, out LogRecord record);
            switch (reading)
            {
                case LogReading.Tail:
                    return read;
                case LogReading.Lost:
                    losses++;
                    break;
                case LogReading.Pending:
                    _loop.RunUntilIdle();
                    break;
                default:
                    string topic = Encoding.UTF8.GetString(record.Topic);
                    Assert.Equal(All[record.Position], (topic, Encoding.UTF8.GetString(record.Payload)));
                    read.Add((record.Position, topic));
                    break;
            }
        }
    }

    /// <summary>Positions at which a tenant appended.</summary>
    public LogPosition[] Of(string tenant) => [.. All.Where(entry => TenantOf(entry.Value.Topic) == tenant).Select(entry => entry.Key)];

    public static string TenantOf(string topic) => topic.Split('/')[0];
}
