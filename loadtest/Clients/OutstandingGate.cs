namespace Trunkline.Loadtest;

/// <summary>
/// At maximum rate, limits what was sent and not delivered yet over all loops, so that QoS 0 measures the tier and not
/// its policy for subscribers that fall behind. Messages that are lost would fill it for ever: when nothing came for a
/// second they are written off. Any loop; each reads the others' counters as they are.
/// </summary>
internal sealed class OutstandingGate(long limit, IReadOnlyList<LoopFigures> loops)
{
    private const long StallNs = 1_000_000_000;

    private long _delivered;
    private long _changedNs;
    private long _writtenOff;

    /// <summary>How many messages with so many copies each may be sent now.</summary>
    public int RoomFor(int copies, long nowNs)
    {
        if (limit == 0)
        {
            return int.MaxValue;
        }

        long expected = 0;
        long delivered = 0;
        foreach (LoopFigures figures in loops)
        {
            expected += Volatile.Read(ref figures.Counts.Expected);
            delivered += Volatile.Read(ref figures.Counts.Delivered);
        }

        if (delivered != Volatile.Read(ref _delivered))
        {
            Volatile.Write(ref _delivered, delivered);
            Volatile.Write(ref _changedNs, nowNs);
        }

        long outstanding = expected - delivered - Volatile.Read(ref _writtenOff);
        if (outstanding >= limit && nowNs - Volatile.Read(ref _changedNs) > StallNs)
        {
            Volatile.Write(ref _writtenOff, expected - delivered);
            Volatile.Write(ref _changedNs, nowNs);
            outstanding = 0;
        }

        // A fan-out to more subscribers than the limit still goes, one message at a time.
        long room = Math.Max(0, limit - outstanding);
        return outstanding <= 0 ? (int)Math.Max(1, room / Math.Max(1, copies)) : (int)(room / Math.Max(1, copies));
    }
}
