using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Store;

/// <summary>A store on a manual loop, and what tests do with it again and again.</summary>
internal sealed class StoreHarness
{
    public StoreHarness(string folder, BrokerOptions? options = null, StoreDisk? disk = null, ManualTime? time = null, ILogger? logger = null)
    {
        Loop = time is null ? new ManualLoop() : new ManualLoop(time);
        Options = (options ?? new BrokerOptions()) with { Store = LogStore.File, DataDirectory = folder };
        Store = GroupStore.Open("g", Options, Loop, logger ?? NullLogger.Instance, disk ?? new StoreDisk());
    }

    /// <summary>Small pieces, so that a test sees many of them.</summary>
    public static BrokerOptions Small { get; } = new()
    {
        LogBlockBytes = 4096,
        LogSegmentBytes = 16 * 1024,
        LogCacheBytes = 8192,
    };

    public ManualLoop Loop { get; }

    public BrokerOptions Options { get; }

    public GroupStore Store { get; }

    public FileGroupLog Log => Store.Log;

    public LogPosition Append(string payload, LogProducer? producer = null, ulong number = 0, MessageId? id = null, string topic = "t") =>
        Log.Append(new LogRecord
        {
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(payload),
            QoS = QoS.AtLeastOnce,
            ExpiresAtMs = long.MaxValue,
            Producer = producer,
            Number = number,
            Id = id,
        });

    /// <summary>Turns the loop until everything appended is committed.</summary>
    public void Commit() => LoopUntil.Holds(Loop, () => Log.Committed == Log.Tail, "everything is committed");

    /// <summary>Everything after a position, waiting for what must be read from disk first.</summary>
    public List<(LogPosition Position, string Payload)> Read(LogPosition after = default)
    {
        var read = new List<(LogPosition, string)>();
        LogCursor cursor = Log.Seek(after, out _);
        while (true)
        {
            switch (Next(ref cursor, out (LogPosition, string) message))
            {
                case LogReading.Record:
                    read.Add(message);
                    break;
                case LogReading.Tail:
                    return read;
            }
        }
    }

    public LogReading Next(ref LogCursor cursor, out (LogPosition Position, string Payload) message)
    {
        LogReading reading = Log.TryRead(ref cursor, out LogRecord record);
        message = default;
        if (reading == LogReading.Pending)
        {
            LogBlock block = cursor.Block!;
            LoopUntil.Holds(Loop, () => !block.IsLoading, "the block is loaded");
        }
        else if (reading == LogReading.Record)
        {
            message = (record.Position, Encoding.UTF8.GetString(record.Payload));
        }

        return reading;
    }

    public void Close()
    {
        Loop.RunUntilIdle();
        Store.Close();
        Loop.RunUntilIdle();
    }
}
