using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Session
{
    /// <summary>What the session is now; a copy that may leave the loop.</summary>
    public SessionDescription Describe() => new(
        ClientId,
        Channel is not null,
        Channel?.Version switch
        {
            null => null,
            ProtocolVersion.Mqtt31 => "3.1",
            ProtocolVersion.Mqtt311 => "3.1.1",
            _ => "5.0",
        },
        Attachment,
        Channel?.KeepAliveSeconds ?? 0,
        ExpirySeconds,
        HasWill,
        [.. _subscriptions.ToArray().Select(subscription => new SubscriptionDescription(
            subscription.Filter.ToString(),
            (int)subscription.Options.QoS,
            subscription.Options.NoLocal,
            subscription.Options.RetainAsPublished,
            (int)subscription.Options.RetainHandling,
            subscription.Identifier))],
        InFlight,
        Channel?.InboundUnfinished ?? InboundExchanges,
        Waiting);
}
