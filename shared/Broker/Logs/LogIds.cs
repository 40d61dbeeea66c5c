namespace Trunkline.Broker;

/// <summary>
/// The ids under which messages were appended by another way than their own link, as long as the log keeps the message:
/// a second copy, or a late first one, is then known. Bounded; at the limit the oldest is forgotten and counted.
/// </summary>
internal sealed class LogIds(int maximum)
{
    private readonly Dictionary<MessageId, long> _ordinals = [];
    private readonly Queue<(long Ordinal, MessageId Id)> _order = new();

    public int Count => _ordinals.Count;

    public long Forgotten { get; private set; }

    public void Add(MessageId id, long ordinal)
    {
        if (maximum == 0)
        {
            Forgotten++;
            return;
        }

        while (_ordinals.Count >= maximum)
        {
            _ordinals.Remove(_order.Dequeue().Id);
            Forgotten++;
        }

        if (_ordinals.TryAdd(id, ordinal))
        {
            _order.Enqueue((ordinal, id));
        }
    }

    public bool TryFind(in MessageId id, out long ordinal)
    {
        ordinal = 0;
        return _ordinals.Count > 0 && _ordinals.TryGetValue(id, out ordinal);
    }

    /// <summary>Retention dropped what lies before a number.</summary>
    public void DropBefore(long firstKept)
    {
        while (_order.TryPeek(out (long Ordinal, MessageId Id) oldest) && oldest.Ordinal < firstKept)
        {
            _order.Dequeue();
            _ordinals.Remove(oldest.Id);
        }
    }
}
