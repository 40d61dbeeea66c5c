namespace Trunkline.Sessions;

public sealed partial class Session
{
    /// <summary>Filters a description names; a session may hold more than anyone wants to read.</summary>
    public const int MaximumDescribedSubscriptions = 1_000;

    /// <summary>What the session looks like now. Loop thread only; the result is anyone's.</summary>
    public SessionDescription Describe()
    {
        Channel? channel = Channel;
        return new SessionDescription
        {
            ClientId = ClientId,
            IsConnected = channel is not null,
            Version = channel?.Version,
            Attachment = Attachment,
            KeepAliveSeconds = channel?.KeepAliveSeconds,
            ExpirySeconds = ExpirySeconds,
            ExpiresInSeconds = ExpiresInSeconds,
            Subscriptions =
            [
                .. Subscriptions.Take(MaximumDescribedSubscriptions).Select(subscription => new SubscriptionDescription(
                    subscription.Filter.ToString(),
                    subscription.Options.QoS,
                    subscription.Options.NoLocal,
                    subscription.Options.RetainAsPublished,
                    subscription.Options.RetainHandling,
                    subscription.Identifier)),
            ],
            SubscriptionCount = SubscriptionCount,
            InFlightOut = InFlight,
            InFlightIn = int.Max(InboundExchanges, channel?.InboundUnfinished ?? 0),
            Waiting = Waiting,
            HasWill = HasWill,
        };
    }
}
