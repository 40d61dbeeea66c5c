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

        // Every filter is judged before the first is held: a packet that ends the connection changes nothing.
        foreach (Subscription requested in packet.Subscriptions)
        {
            bool isValid = IsFilterAcceptable(requested.Filter, out ParsedFilter filter, out error);
            if (isValid && filter.IsShared && requested.Options.NoLocal)
            {
                error = ChannelErrors.NoLocalOnShared;
                return false;
            }

            if (!isValid && error.Code != ReasonCode.TopicFilterInvalid)
            {
                return false;
            }
        }

        error = default;
        var items = new List<SubscribeItem>(packet.Subscriptions.Count);
        foreach (Subscription requested in packet.Subscriptions)
        {
            if (!TopicFilterText.TryParse(requested.Filter, _context.Options.TopicLimits, out TopicFilterText filter, out _))
            {
                items.Add(new SubscribeItem(null, ReasonCode.TopicFilterInvalid));
                continue;
            }

            // A bridge of 3.x wants RETAIN as published and no echo, which its version cannot ask for.
            SubscriptionOptions options = _isBridge
                ? SubscriptionOptions.Create(requested.Options.QoS, noLocal: !filter.IsShared, retainAsPublished: true)
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

        foreach (ReadOnlySpan<byte> requested in packet.Filters)
        {
            if (!IsFilterAcceptable(requested, out _, out error) && error.Code != ReasonCode.TopicFilterInvalid)
            {
                return false;
            }
        }

        error = default;
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

    /// <summary>
    /// A filter that breaks the rules of filters ends the connection [MQTT-4.7.1-1] [MQTT-4.8.2-2]; one that is only beyond
    /// our limits (0x8F) is refused alone.
    /// </summary>
    private bool IsFilterAcceptable(ReadOnlySpan<byte> text, out ParsedFilter filter, out ProtocolError error) =>
        ParsedFilter.TryParse(text, _context.Options.TopicLimits, out filter, out error);

    private void PauseAtOperationLimit()
    {
        if (Session!.OperationCount >= _context.Options.MaximumWaitingOperations)
        {
            Pause(Pauses.Operations);
        }
    }
}
