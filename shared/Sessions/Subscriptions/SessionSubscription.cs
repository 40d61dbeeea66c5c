using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

/// <summary>One filter a session holds, with its options. Touched by the session's loop only.</summary>
public sealed class SessionSubscription
{
    internal SessionSubscription(Session session, TopicFilterText filter)
    {
        Session = session;
        Filter = filter;
    }

    /// <summary>The session that holds it.</summary>
    public Session Session { get; }

    /// <summary>The filter as subscribed, with its share name when it is shared.</summary>
    public TopicFilterText Filter { get; }

    /// <summary>QoS, No Local, Retain As Published and Retain Handling; replaced when the filter is subscribed again [MQTT-3.8.4-3].</summary>
    public SubscriptionOptions Options { get; internal set; }

    /// <summary>Subscription identifier the client gave, or 0.</summary>
    public uint Identifier { get; internal set; }

    /// <summary>Free for the router: its entry for this subscription.</summary>
    public object? RouterState { get; set; }

    /// <summary>Where it began in the logs, of a restored session: what was stored when it was subscribed; else null.</summary>
    public IReadOnlyList<GroupPosition>? StoredStarts { get; internal set; }

    /// <summary>Where a restored subscription began at a group; <see cref="LogPosition.None"/> when that was not stored.</summary>
    public LogPosition StoredStartOf(int group) => StoredStarts is null ? LogPosition.None : SessionState.Of(StoredStarts, group);

    /// <summary>Whether it stands in the session's record, or will with the next write.</summary>
    internal bool IsStored { get; set; }

    /// <summary>Whether retained messages it asked for are not all done.</summary>
    public bool IsRetainedPending { get; internal set; }

    /// <summary>Whether the session still holds it; false once unsubscribed or refused.</summary>
    public bool IsHeld { get; internal set; }

    /// <summary>Whether a message of <paramref name="origin"/> must not come back by it [MQTT-3.8.3-3].</summary>
    public bool Excludes(ulong origin) => Options.NoLocal && origin != 0 && origin == Session.Origin;
}
