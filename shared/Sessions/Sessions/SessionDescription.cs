using System.Text.Json.Serialization;
using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>What a session looks like at one moment, for people: a copy, free of the loop.</summary>
public sealed record SessionDescription
{
    /// <summary>The client identifier.</summary>
    public required string ClientId { get; init; }

    /// <summary>Whether a connection has the session.</summary>
    public required bool IsConnected { get; init; }

    /// <summary>The version of that connection; null while there is none.</summary>
    public ProtocolVersion? Version { get; init; }

    /// <summary>Connections the session has had.</summary>
    public required int Attachment { get; init; }

    /// <summary>Keep alive in force in seconds, 0 for none; null while there is no connection.</summary>
    public int? KeepAliveSeconds { get; init; }

    /// <summary>Seconds the session outlives its connection; <see cref="uint.MaxValue"/> is for ever.</summary>
    public required uint ExpirySeconds { get; init; }

    /// <summary>Seconds until it expires; null while it is connected or never expires.</summary>
    public long? ExpiresInSeconds { get; init; }

    /// <summary>Its filters, at most <see cref="Session.MaximumDescribedSubscriptions"/>.</summary>
    public required IReadOnlyList<SubscriptionDescription> Subscriptions { get; init; }

    /// <summary>How many filters it holds.</summary>
    public required int SubscriptionCount { get; init; }

    /// <summary>QoS 1 and 2 messages sent to the device and not finished.</summary>
    public required int InFlightOut { get; init; }

    /// <summary>QoS 2 messages from the device between PUBLISH and PUBREL, and QoS 1 ones not yet acknowledged.</summary>
    public required int InFlightIn { get; init; }

    /// <summary>Messages that wait to be sent.</summary>
    public required int Waiting { get; init; }

    /// <summary>Whether a will is set, or waits for its delay.</summary>
    public required bool HasWill { get; init; }
}

/// <summary>One filter of a session with its options.</summary>
/// <param name="Filter">The filter as subscribed.</param>
/// <param name="QoS">The QoS granted.</param>
/// <param name="NoLocal">Whether the client's own messages stay away.</param>
/// <param name="RetainAsPublished">Whether RETAIN is shown as published.</param>
/// <param name="RetainHandling">When retained messages are sent.</param>
/// <param name="Identifier">The subscription identifier; 0 for none.</param>
public sealed record SubscriptionDescription(
    string Filter, [property: JsonPropertyName("qos")] QoS QoS, bool NoLocal, bool RetainAsPublished, RetainHandling RetainHandling, uint Identifier);
