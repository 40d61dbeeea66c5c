namespace Trunkline.Broker;

/// <summary>
/// The producers of one log, bounded: those whose link is gone are forgotten when their time is over or when they are
/// too many, longest gone first. A forgotten producer's late repeat would be taken as new, so both are counted.
/// </summary>
internal sealed class LogProducers(int maximum, long memoryMs)
{
    private readonly Dictionary<(string Node, ulong Link), LogProducer> _all = [];
    private readonly LinkedList<LogProducer> _released = new();

    public int Count => _all.Count;

    public long Forgotten { get; private set; }

    public LogProducer Acquire(string node, ulong link, long nowMs)
    {
        if (_all.TryGetValue((node, link), out LogProducer? producer))
        {
            if (producer.Holders++ == 0)
            {
                _released.Remove(producer);
            }

            return producer;
        }

        Forget(nowMs);
        producer = new LogProducer(node, link) { Holders = 1 };
        _all.Add((node, link), producer);
        return producer;
    }

    public void Release(LogProducer producer, long nowMs)
    {
        if (--producer.Holders == 0)
        {
            producer.ReleasedMs = nowMs;
            _released.AddLast(producer);
        }

        Forget(nowMs);
    }

    private void Forget(long nowMs)
    {
        while (_released.First is { } oldest
            && (_all.Count >= maximum || nowMs - oldest.Value.ReleasedMs >= memoryMs))
        {
            _released.RemoveFirst();
            _all.Remove((oldest.Value.Node, oldest.Value.Link));
            Forgotten++;
        }
    }
}
