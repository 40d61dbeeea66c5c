using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// The producers of one log, bounded. One whose link is gone is forgotten when its time is over and the log keeps nothing
/// of it any more, or when they are too many, longest gone first. A forgotten producer's late repeat would be taken as
/// new, so those are counted.
/// </summary>
internal sealed class LogProducers(int maximum, long memoryMs)
{
    private readonly Dictionary<(string Node, ulong Link), LogProducer> _all = [];
    private readonly LinkedList<LogProducer> _released = new();

    public int Count => _all.Count;

    public long Forgotten { get; private set; }

    public IReadOnlyCollection<LogProducer> All => _all.Values;

    /// <summary>What is remembered of a link; null for nothing.</summary>
    public LogProducer? Find(string node, ulong link) => _all.GetValueOrDefault((node, link));

    /// <param name="node">The node.</param>
    /// <param name="link">The number of the link within the node.</param>
    /// <param name="nowMs">The loop's clock.</param>
    /// <param name="start">What lies at or before it the log does not keep any more.</param>
    public LogProducer Acquire(string node, ulong link, long nowMs, LogPosition start)
    {
        if (_all.TryGetValue((node, link), out LogProducer? producer))
        {
            if (producer.Holders++ == 0)
            {
                _released.Remove(producer);
            }

            return producer;
        }

        Forget(nowMs, start);
        producer = new LogProducer(node, link) { Holders = 1 };
        _all.Add((node, link), producer);
        return producer;
    }

    public void Release(LogProducer producer, long nowMs, LogPosition start)
    {
        if (--producer.Holders == 0)
        {
            producer.ReleasedMs = nowMs;
            _released.AddLast(producer);
        }

        Forget(nowMs, start);
    }

    /// <summary>Takes up one of an earlier run, as released now.</summary>
    public void Restore(LogProducer producer, long nowMs)
    {
        producer.ReleasedMs = nowMs;
        _all.Add((producer.Node, producer.Link), producer);
        _released.AddLast(producer);
    }

    private void Forget(long nowMs, LogPosition start)
    {
        LinkedListNode<LogProducer>? next = _released.First;
        while (next is { Value: var oldest } node
            && (_all.Count >= maximum || nowMs - oldest.ReleasedMs >= memoryMs))
        {
            next = node.Next;
            if (_all.Count < maximum && oldest.LastPosition > start)
            {
                continue;
            }

            _released.Remove(node);
            _all.Remove((oldest.Node, oldest.Link));
            Forgotten++;
        }
    }
}
