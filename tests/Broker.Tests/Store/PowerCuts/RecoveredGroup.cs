using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>A group as the product recovers it from an image, served in this process.</summary>
internal sealed class RecoveredGroup
{
    private readonly TestBroker _broker;
    private GroupStore? _store;
    private int _links;

    /// <exception cref="StoreException">Recovery refuses.</exception>
    public RecoveredGroup(string disk)
    {
        // Room for everything: what is missing is not retention's doing.
        var options = new BrokerOptions
        {
            Store = LogStore.File,
            DataDirectory = Path.Combine(disk, "data"),
            LogSegmentBytes = 16 * 1024,
            LogBlockBytes = 32 * 1024,
            SegmentsMaximum = 10_000,
        };
        _broker = new TestBroker(options, store: (loop, all) => _store = GroupStore.Open("g", all, loop, NullLogger.Instance, new FastDisk()));
    }

    /// <summary>The term of this run.</summary>
    public ulong Term => _broker.Group.Log.Term;

    /// <summary>The messages of the log by name, in order.</summary>
    public List<(string Name, LogPosition Position)> Messages()
    {
        var messages = new List<(string, LogPosition)>();
        LogCursor cursor = _broker.Group.Log.Seek(default, out _);
        while (true)
        {
            LogReading reading = _broker.Group.Log.TryRead(ref cursor, out LogRecord record);
            switch (reading)
            {
                case LogReading.Record:
                    messages.Add((NameIn(record.Properties), record.Position));
                    break;
                case LogReading.Tail:
                    return messages;
                case LogReading.Pending:
                    LogBlock block = cursor.Block!;
                    LoopUntil.Holds(_broker.Loop, () => !block.IsLoading, "the block is loaded");
                    break;
            }
        }
    }

    /// <summary>The names of the retained messages by topic.</summary>
    public Dictionary<string, string> Retained()
    {
        var reader = new Reader([]);
        TopicCursor cursor = default;
        while (_store!.Retained.ReadAll(ref cursor, int.MaxValue, ref reader))
        {
        }

        return reader.Names;
    }

    /// <summary>A link sends messages again; false when one is not acknowledged with success.</summary>
    public bool SendAgain(CutPublisher publisher, IEnumerable<CutMessage> messages)
    {
        TestClient link = _broker.PublishLink(publisher.Node, publisher.Index);
        int count = 0;
        foreach (CutMessage message in messages)
        {
            count++;
            link.Publish(message.Topic, message.Payload, retain: publisher.Retains, tl: message.LinkText, id: message.Name);
        }

        LoopUntil.Holds(_broker.Loop, () => link.Acknowledged.Count == count, "what is sent again is acknowledged");
        return link.Acknowledged.TrueForAll(acknowledgement => acknowledgement.Reason < ReasonCode.UnspecifiedError);
    }

    /// <summary>Another link retains a message.</summary>
    public void Retain(string topic, string name)
    {
        TestClient link = _broker.PublishLink("another", ++_links);
        link.Publish(topic, "x", retain: true, tl: "n1", id: name);
        LoopUntil.Holds(_broker.Loop, () => link.Acknowledged.Count == 1, "a new message is acknowledged");
    }

    public void Stop() => _broker.Group.Stop();

    private static string NameIn(ReadOnlySpan<byte> properties)
    {
        Assert.True(new UserPropertyList(properties).TryFind("id"u8, out ReadOnlySpan<byte> name), "a message without a name");
        return Encoding.ASCII.GetString(name);
    }

    /// <summary>Images are thrown away: what is done to them need not be synced.</summary>
    private sealed class FastDisk : StoreDisk
    {
        // None of those that were recorded: the system was started since.
        public override string SystemStartId => "started after a power cut";

        public override void Flush(SafeFileHandle handle)
        {
        }

        public override void FlushFolder(string folder)
        {
        }
    }

    private readonly struct Reader(Dictionary<string, string> names) : ITopicReader<RetainedMessage>
    {
        public Dictionary<string, string> Names { get; } = names;

        public bool Read(ReadOnlyMemory<byte> topic, RetainedMessage value)
        {
            Names[Encoding.ASCII.GetString(topic.Span)] = NameIn(value.Properties);
            return true;
        }
    }
}
