using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>
/// The retained messages of the group by topic, bounded in number and bytes: at a limit a further one is refused. Every
/// change gets the next number, so that a reader of pages can leave out what it already got live.
/// </summary>
internal sealed class RetainedMessages(BrokerOptions options, BrokerCounters counters)
{
    private readonly TopicIndex<RetainedMessage> _index = new();
    private readonly List<ReadOnlyMemory<byte>> _expired = [];
    private TopicCursor _sweep;
    private long _contentBytes;

    public int Count => _index.Count;

    public long Bytes => _index.TopicBytes + _contentBytes;

    /// <summary>The position of the newest change that was logged.</summary>
    public LogPosition Position { get; private set; }

    /// <summary>The number of the newest change.</summary>
    public ulong Sequence { get; private set; }

    /// <summary>Whether a message can be retained without passing a limit.</summary>
    public bool HasRoomFor(in LogRecord record)
    {
        if (record.Payload.IsEmpty)
        {
            return true;
        }

        bool isNew = !_index.TryGet(record.Topic, out RetainedMessage? previous);
        long bytes = Bytes + record.Properties.Length + record.Payload.Length + (isNew ? record.Topic.Length : -previous!.Size);
        return (!isNew || Count < options.RetainedMaximumMessages) && bytes <= options.RetainedMaximumBytes;
    }

    /// <summary>
    /// Makes a message the retained one of its topic [MQTT-3.3.1-5]; an empty payload removes it and is not kept itself
    /// [MQTT-3.3.1-6] [MQTT-3.3.1-7]. Ask <see cref="HasRoomFor"/> first.
    /// </summary>
    public void Apply(in LogRecord record)
    {
        Position = record.Position > Position ? record.Position : Position;
        if (record.Payload.IsEmpty)
        {
            Remove(record.Topic);
            return;
        }

        var message = new RetainedMessage(
            record.Properties.ToArray(), record.Payload.ToArray(), record.QoS, record.ExpiresAtMs, record.Origin, ++Sequence,
            record.Position.IsNone ? Position : record.Position);
        _index.Set(record.Topic, message, out RetainedMessage? previous);
        _contentBytes += message.Size - (previous?.Size ?? 0);
        Publish();
    }

    /// <summary>Applies a message of the log again, when the store was read from a file that may know it already.</summary>
    public void Replay(in LogRecord record)
    {
        if (!_index.TryGet(record.Topic, out RetainedMessage? known) || known!.Position < record.Position)
        {
            Apply(record);
        }
    }

    /// <summary>Reads a page of all topics; false when nothing is left.</summary>
    public bool ReadAll<TReader>(ref TopicCursor cursor, int maximumSteps, ref TReader reader)
        where TReader : struct, ITopicReader<RetainedMessage>, allows ref struct =>
        _index.ReadAll(ref cursor, maximumSteps, ref reader);

    /// <summary>Removes the retained message of a topic, if there is one.</summary>
    public void Remove(ReadOnlySpan<byte> topic)
    {
        if (_index.Remove(topic, out RetainedMessage? removed))
        {
            Sequence++;
            _contentBytes -= removed!.Size;
            Publish();
        }
    }

    /// <summary>Reads a page; see <see cref="TopicIndex{T}.Read"/>. False when nothing is left.</summary>
    public bool Read<TReader>(ReadOnlySpan<byte> filter, ref TopicCursor cursor, int maximumSteps, ref TReader reader)
        where TReader : struct, ITopicReader<RetainedMessage>, allows ref struct =>
        _index.Read(filter, ref cursor, maximumSteps, ref reader);

    /// <summary>Looks at some more messages and removes those whose lifetime is over [MQTT-3.3.2-5].</summary>
    public void Sweep(long nowMs, int steps)
    {
        var reader = new ExpiryReader(_expired, nowMs);
        if (!_index.ReadAll(ref _sweep, steps, ref reader))
        {
            _sweep = default;
        }

        foreach (ReadOnlyMemory<byte> topic in _expired)
        {
            counters.Add(BrokerCounter.RetainedExpired);
            Remove(topic.Span);
        }

        _expired.Clear();
    }

    private void Publish()
    {
        counters.Set(BrokerCounter.Retained, Count);
        counters.Set(BrokerCounter.RetainedBytes, Bytes);
    }

    private readonly struct ExpiryReader(List<ReadOnlyMemory<byte>> expired, long nowMs) : ITopicReader<RetainedMessage>
    {
        public bool Read(ReadOnlyMemory<byte> topic, RetainedMessage value)
        {
            if (value.ExpiresAtMs <= nowMs)
            {
                expired.Add(topic);
            }

            return true;
        }
    }
}
