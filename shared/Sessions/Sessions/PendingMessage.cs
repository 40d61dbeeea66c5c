using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

/// <summary>A message that a session still has to send: the shared bytes and what this session's subscriptions made of it.</summary>
/// <param name="Message">The message; the holder of this value holds one reference to it.</param>
/// <param name="QoS">The QoS of delivery: the lower of the published and the granted one [MQTT-3.8.4-8].</param>
/// <param name="Retain">The RETAIN flag of delivery.</param>
/// <param name="Identifiers">Subscription identifiers to name; null for none.</param>
/// <param name="IsLogged">Whether the session finds it again in its group's log; not what a share handed to it.</param>
internal readonly record struct PendingMessage(SharedMessage Message, QoS QoS, bool Retain, uint[]? Identifiers, bool IsLogged)
{
    /// <summary>The shared subscription that handed it over and waits to hear what becomes of it; empty for any other.</summary>
    public TopicFilterText Share { get; init; }

    /// <summary>Whether a share waits to hear of it.</summary>
    public bool IsShared => !Share.IsEmpty;
}
