using Trunkline.Protocol;

namespace Trunkline.Loadtest;

/// <summary>What one subscriber makes of the messages it gets: counts, latency, loss. Loop thread only.</summary>
internal sealed class Receiver(LoopFigures figures, uint? run)
{
    private HashSet<ushort>? _unreleased;

    /// <summary>What came.</summary>
    public DeliveryCheck Check { get; } = new(run);

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
        }
    }

    /// <summary>A QoS 2 packet id is free again.</summary>
    public void OnPubRel(ushort packetId) => _unreleased?.Remove(packetId);
}
