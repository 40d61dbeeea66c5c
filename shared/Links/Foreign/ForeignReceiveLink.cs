using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>
/// A receive link towards a foreign broker: plain MQTT 5 at QoS 1, acknowledged at once in arrival order, because a clean
/// session would not get a message again anyway. Loop thread only.
/// </summary>
internal sealed class ForeignReceiveLink(GroupReceiver receiver, SessionContext context, LinkCounters counters, int number)
    : ReceiveLink(receiver, context, counters, $"tl-{receiver.Group.Node.NodeId}-r{receiver.Group.Index}-{number}", 1000 + (receiver.Group.Index * 100) + number)
{
    protected override string Announcement => "v1";

    public override void Ask(FilterRequest request)
    {
        // Retained messages come by the replay connection, asked for when the filter is live.
    }

    public override void Ask(LogRequest request) => Receiver.AskLog(request);

    protected override void OnOpen(LinkConnection connection, LinkPeer peer)
    {
        RequeueAll();
        PumpFilters();
    }

    protected override void OnPublish(in PublishPacket packet)
    {
        TrunklineFields fields = ForwardableProperties.TryFindUserProperty(packet.Properties, ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text)
            ? TrunklineFields.Parse(text)
            : default;
        if (!packet.Retain && !ControlTopics.IsForeignTraffic(packet.Topic))
        {
            // Mosquitto 2.0 wrongly replays retained messages to a shared subscription: those come with RETAIN 1.
            Receiver.Dispatch(packet, fields, LogPosition.None);
        }

        if (packet.QoS != QoS.AtMostOnce)
        {
            PacketWriter.WritePubAck(Connection!.Output, ProtocolVersion.Mqtt50, packet.PacketId);
        }
    }
}
