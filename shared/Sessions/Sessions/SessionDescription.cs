namespace Trunkline.Sessions;

/// <summary>What a session is at one moment, for management pages.</summary>
/// <param name="ClientId">The client identifier.</param>
/// <param name="IsConnected">Whether a connection has it.</param>
/// <param name="Version">MQTT version of the connection: 3.1, 3.1.1 or 5.0; null while not connected.</param>
/// <param name="Attachment">How many connections the session has had.</param>
/// <param name="KeepAliveSeconds">Keep alive in force; 0 for none.</param>
/// <param name="ExpirySeconds">Seconds it is kept without a connection; 4294967295 for ever.</param>
/// <param name="HasWill">Whether a will is set or waits for its delay.</param>
/// <param name="Subscriptions">Its filters.</param>
/// <param name="InFlight">QoS 1 and 2 messages sent and not yet acknowledged.</param>
/// <param name="Inbound">Publishes of the device not yet finished.</param>
/// <param name="Waiting">Messages that wait to be sent.</param>
public sealed record SessionDescription(
    string ClientId,
    bool IsConnected,
    string? Version,
    int Attachment,
    int KeepAliveSeconds,
    uint ExpirySeconds,
    bool HasWill,
    IReadOnlyList<SubscriptionDescription> Subscriptions,
    int InFlight,
    int Inbound,
    int Waiting);

/// <summary>One filter of a session.</summary>
/// <param name="Filter">The filter, with its share name.</param>
/// <param name="QoS">Highest QoS of delivery.</param>
/// <param name="NoLocal">Whether the session's own messages are left out.</param>
/// <param name="RetainAsPublished">Whether RETAIN flags are kept.</param>
/// <param name="RetainHandling">0, 1 or 2, as in SUBSCRIBE.</param>
/// <param name="Identifier">Subscription identifier, or 0.</param>
public sealed record SubscriptionDescription(
    string Filter, int QoS, bool NoLocal, bool RetainAsPublished, int RetainHandling, uint Identifier);
