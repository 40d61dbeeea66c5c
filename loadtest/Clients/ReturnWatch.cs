namespace Trunkline.Loadtest;

/// <summary>
/// A subscriber between the loss of its connection and the moment it has everything again that was published until it
/// came back. Loop thread only.
/// </summary>
internal sealed class ReturnWatch(long lostNs)
{
    private IReadOnlyDictionary<uint, uint>? _awaited;
    private long _missing;

    /// <summary>When the connection was lost; a second loss on the way back does not change it.</summary>
    public long LostNs => lostNs;

    /// <summary>The connection stands: whether nothing is missing of so many messages of each publisher.</summary>
    public bool IsCompleteAt(IReadOnlyDictionary<uint, uint> awaited, DeliveryCheck check)
    {
        _awaited = awaited;
        _missing = awaited.Sum(publisher => check.MissingOf((int)publisher.Key, publisher.Value));
        return _missing == 0;
    }

    /// <summary>A first copy came: whether it was the last one missing.</summary>
    public bool IsCompletedBy(in MessageStamp stamp) =>
        _awaited is not null && _awaited.TryGetValue(stamp.Publisher, out uint sent) && stamp.Sequence < sent && --_missing == 0;
}
