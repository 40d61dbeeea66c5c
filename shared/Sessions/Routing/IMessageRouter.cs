using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>
/// Where a session's messages and subscriptions go next: the upstream links in a proxy, the group's log and index in a
/// broker. One instance a loop; every call comes from that loop and every answer is given on it.
/// </summary>
public interface IMessageRouter
{
    /// <summary>
    /// Takes one application message. Copies what it keeps before it returns. At QoS 1 and 2 the router answers exactly
    /// once, during the call or later, by <see cref="PublishTicket.Complete"/>, unless it returns a refusal.
    /// </summary>
    PublishOutcome Publish(in PublishRequest request, PublishTicket ticket);

    /// <summary>
    /// Takes a QoS 0 message that is not retained and has no properties, expiry or origin, on a topic that was validated.
    /// The same as <see cref="Publish"/> with such a request; a router may keep what it finds in <see cref="KnownTopic.Route"/>.
    /// </summary>
    PublishOutcome PublishPlain(KnownTopic topic, ReadOnlySpan<byte> payload, Session publisher)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return Publish(
            new PublishRequest { Topic = topic.Name, Payload = payload, QoS = Protocol.QoS.AtMostOnce, Retain = false, Publisher = publisher },
            PublishTicket.None);
    }

    /// <summary>
    /// Makes the operation's subscriptions live. Sets each item's result, then calls
    /// <see cref="SubscribeOperation.Complete"/> once; the session answers SUBACK there. Retained messages the items ask
    /// for are delivered after that, to this session alone.
    /// </summary>
    void Subscribe(SubscribeOperation operation);

    /// <summary>Ends the operation's subscriptions; no message that arrives later is delivered by them.</summary>
    void Unsubscribe(SubscribeOperation operation);

    /// <summary>Ends every subscription of a session that is gone for good.</summary>
    void Forget(Session session);

    /// <summary>A session got or lost its connection, so that state kept for it can be adapted (shared subscriptions).</summary>
    void AttachmentChanged(Session session);

    /// <summary>How many groups with a log there may be, numbered from 0; 0 where sessions keep everything that waits.</summary>
    int LogGroups => 0;

    /// <summary>Whether a group has a log that sessions can be read to from.</summary>
    bool CanReadBacklog(int group) => false;

    /// <summary>Up to this position every message of a group was dispatched to the sessions of this loop.</summary>
    LogPosition Dispatched(int group) => LogPosition.None;

    /// <summary>
    /// The rule of the meeting (docs/adr/0009): whether a session that has read a group's log up to a position has met what
    /// was dispatched to this loop, so that everything after it is still to be dispatched.
    /// </summary>
    bool HasMet(int group, LogPosition cursor) => cursor >= Dispatched(group);

    /// <summary>From which position of which group a subscription was live at first, by the groups it is live at.</summary>
    IReadOnlyList<GroupPosition> StartsOf(SessionSubscription subscription) => [];

    /// <summary>Whether retained messages that a subscription asked for are still to come.</summary>
    bool AwaitsRetained(SessionSubscription subscription) => false;

    /// <summary>
    /// Parts of the logs were skipped, to which pages of retained messages may have left what the subscription asked for: asks
    /// for the pages again, and delivers of them only what lies in these parts (<see cref="Session.IsSkipped"/>).
    /// </summary>
    void AskForSkipped(SessionSubscription subscription, IReadOnlyList<LogRange> skipped)
    {
    }

    /// <summary>
    /// Reads messages by their positions, for a session that sends them again: gives each one found, then calls
    /// <see cref="MessageRead.Complete"/> once.
    /// </summary>
    void ReadMessages(MessageRead read)
    {
        ArgumentNullException.ThrowIfNull(read);
        read.Complete();
    }

    /// <summary>
    /// Reads on for one session: delivers messages after <see cref="BacklogRead.After"/> in log order, then calls
    /// <see cref="BacklogRead.Complete"/> once; at once when nothing can be there. A read that is over needs neither.
    /// </summary>
    void ReadBacklog(BacklogRead read) => throw new NotSupportedException("This router has no logs.");

    /// <summary>
    /// A message that a share handed to a session is done there: the device has it or refused it, or it was passed over by a
    /// rule. Told for messages with a position, once or more.
    /// </summary>
    void FinishShared(Session session, in SharedPlace place)
    {
    }

    /// <summary>A session gives a message of a share back: its device has not acknowledged it and is gone.</summary>
    void ReturnShared(Session session, in SharedPlace place, SharedMessage message)
    {
    }

    /// <summary>
    /// A session is about to begin a QoS 2 exchange for a message of a share: the router has the group make it this
    /// session's, for good, and calls <see cref="Session.SharedTaken"/> once, during the call or later, unless the session is
    /// gone by then. Where no group keeps shares it is the session's at once.
    /// </summary>
    void TakeShared(Session session, in SharedPlace place, ushort packetId)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.SharedTaken(packetId, place, isGranted: true);
    }

    /// <summary>Calls <see cref="Session.SettleAhead"/> when <see cref="Dispatched"/> has moved, until it returns true.</summary>
    void SettleLater(Session session, int group) => throw new NotSupportedException("This router has no logs.");
}

/// <summary>What became of a publish at once.</summary>
/// <param name="Reason">
/// <see cref="ReasonCode.Success"/> when the router took it; a failure code when it refused, in which case nothing was
/// forwarded and the ticket is never completed.
/// </param>
/// <param name="SlowDown">
/// The way forward is fuller than its high-water mark: the channel stops reading until <see cref="Channel.ResumeReading"/>,
/// which the router calls when it has drained.
/// </param>
public readonly record struct PublishOutcome(ReasonCode Reason, bool SlowDown)
{
    /// <summary>Taken, go on.</summary>
    public static PublishOutcome Taken => new(ReasonCode.Success, false);
}
