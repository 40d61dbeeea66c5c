using Trunkline.Protocol;

namespace Trunkline.Loadtest;

/// <summary>What one subscriber makes of the messages it gets: counts, latency, loss. Loop thread only.</summary>
internal sealed class Receiver(LoopFigures figures, uint? run)
{
    private ReturnWatch? _return;
    private HashSet<ushort>? _unreleased;

    /// <summary>What came.</summary>
    public DeliveryCheck Check { get; } = new(run);

    /// <summary>Whether it ever lost its connection.</summary>
    public bool WasCutOff { get; private set; }

    /// <summary>Delay beyond which a message counts as late.</summary>
    public long LateNs { get; init; } = long.MaxValue;

    /// <summary>Its client's number in the plan, for the list of what came late.</summary>
    public int Client { get; init; }

    /// <summary>Whether it lost its connection and is not up to date since.</summary>
    public bool IsReturning => _return is not null;

    /// <summary>The connection is gone, and not by our doing.</summary>
    public void OnConnectionLost(long nowNs)
    {
        WasCutOff = true;
        _return ??= new ReturnWatch(nowNs);
    }

    /// <summary>The connection stands again: it is up to date when it has what was published until now.</summary>
    /// <param name="awaited">Publishers whose messages it must get, and how many each has sent.</param>
    /// <param name="nowNs">The time.</param>
    public void OnBack(IReadOnlyDictionary<uint, uint> awaited, long nowNs)
    {
        if (_return is { } watch && watch.IsCompleteAt(awaited, Check))
        {
            EndReturn(watch, nowNs);
        }
    }

    /// <summary>Takes a message.</summary>
    public void OnPublish(in PublishPacket packet, long nowNs)
    {
        // A QoS 2 packet that comes again before PUBREL is the same message, not another copy of it.
        if (packet.QoS == QoS.ExactlyOnce && !(_unreleased ??= []).Add(packet.PacketId))
        {
            return;
        }

        if (!MessageStamp.TryRead(packet.Payload, out MessageStamp stamp) || !Check.TryObserve(stamp, out Arrival arrival))
        {
            figures.Counts.Foreign++;
            return;
        }

        if (arrival == Arrival.Duplicate)
        {
            figures.Counts.Duplicates++;
            return;
        }

        figures.Counts.Delivered++;
        if (_return is { } watch && watch.IsCompletedBy(stamp))
        {
            EndReturn(watch, nowNs);
        }

        if (arrival == Arrival.Reordered)
        {
            figures.Counts.Reordered++;
        }

        if (figures.IsMeasured(nowNs))
        {
            figures.Counts.DeliveredMeasured++;
            figures.Counts.DeliveredBytes += packet.Payload.Length;
        }

        if (figures.IsMeasured(stamp.DueNs))
        {
            figures.Delivery.Record(nowNs - stamp.DueNs);
            figures.DeliveryOfInterval.Record(nowNs - stamp.DueNs);
            if (nowNs - stamp.DueNs > LateNs)
            {
                figures.AddLate(new LateArrival(Client, stamp.DueNs, nowNs));
            }

            if (!WasCutOff)
            {
                figures.Undisturbed.Record(nowNs - stamp.DueNs);
            }
        }
    }

    /// <summary>A QoS 2 packet id is free again.</summary>
    public void OnPubRel(ushort packetId) => _unreleased?.Remove(packetId);

    private void EndReturn(ReturnWatch watch, long nowNs)
    {
        figures.Return.Record(nowNs - watch.LostNs);
        _return = null;
    }
}
