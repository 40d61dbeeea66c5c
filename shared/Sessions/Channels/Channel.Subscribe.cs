using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

public sealed partial class Channel
{
    private bool ReceiveSubscribe(in Frame frame, out ProtocolError error)
    {
        if (!SubscribePacket.TryParse(frame, _version, out SubscribePacket packet, out error))
        {
            return false;
        }

        var items = new List<SubscribeItem>(packet.Subscriptions.Count);
        foreach (Subscription requested in packet.Subscriptions)
        {
            if (!TopicFilterText.TryParse(requested.Filter, _context.Options.TopicLimits, out TopicFilterText filter, out _))
            {
                items.Add(new SubscribeItem(null, ReasonCode.TopicFilterInvalid));
                continue;
            }

            if (filter.IsShared && requested.Options.NoLocal)
            {
                error = ChannelErrors.NoLocalOnShared;
                return false;
            }

            SubscriptionOptions options = _isBridge
                ? SubscriptionOptions.Create(requested.Options.QoS, noLocal: true, retainAsPublished: true)
                : requested.Options;
            items.Add(Session!.Hold(filter, options, packet.SubscriptionIdentifier));
        }

        Session!.BeginSubscribe(packet.PacketId, items);
        PauseAtOperationLimit();
        return true;
    }

    private bool ReceiveUnsubscribe(in Frame frame, out ProtocolError error)
    {
        if (!UnsubscribePacket.TryParse(frame, _version, out UnsubscribePacket packet, out error))
        {
            return false;
        }

        var items = new List<SubscribeItem>(packet.Filters.Count);
        foreach (ReadOnlySpan<byte> requested in packet.Filters)
        {
            items.Add(TopicFilterText.TryParse(requested, _context.Options.TopicLimits, out TopicFilterText filter, out _)
                ? Session!.LetGo(filter)
                : new SubscribeItem(null, ReasonCode.TopicFilterInvalid));
        }

        Session!.BeginUnsubscribe(packet.PacketId, items);
        PauseAtOperationLimit();
        return true;
    }

    private void PauseAtOperationLimit()
    {
        if (Session!.OperationCount >= _context.Options.MaximumWaitingOperations)
        {
            Pause(Pauses.Operations);
        }
    }
}
