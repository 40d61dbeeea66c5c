using Trunkline.Sessions;

namespace Trunkline.Interleavings;

/// <summary>The router as sessions see it, with one rule taken out.</summary>
internal sealed class TamperedRouter(IMessageRouter inner, Rule without) : IMessageRouter
{
    public int LogGroups => inner.LogGroups;

    public PublishOutcome Publish(in PublishRequest request, PublishTicket ticket) => inner.Publish(request, ticket);

    public void Subscribe(SubscribeOperation operation) => inner.Subscribe(operation);

    public void Unsubscribe(SubscribeOperation operation) => inner.Unsubscribe(operation);

    public void Forget(Session session) => inner.Forget(session);

    public void AttachmentChanged(Session session) => inner.AttachmentChanged(session);

    public bool CanReadBacklog(int group) => inner.CanReadBacklog(group);

    public LogPosition Dispatched(int group) => inner.Dispatched(group);

    public bool HasMet(int group, LogPosition cursor) => without == Rule.LiveAtTheMeeting || inner.HasMet(group, cursor);

    public IReadOnlyList<GroupPosition> StartsOf(SessionSubscription subscription) => without switch
    {
        Rule.FilterHasStarts => [],

        // Every filter is as old as the log.
        Rule.ReadsSkipBelowStart => [.. inner.StartsOf(subscription).Select(start => start with { Position = new LogPosition(1, 0) })],
        _ => inner.StartsOf(subscription),
    };

    public bool AwaitsRetained(SessionSubscription subscription) =>
        without != Rule.RetainedPendingIsWritten && inner.AwaitsRetained(subscription);

    public void AskForSkipped(SessionSubscription subscription, IReadOnlyList<LogRange> skipped)
    {
        if (without != Rule.SkippedIsAskedForAgain)
        {
            inner.AskForSkipped(subscription, skipped);
        }
    }

    public void ReadMessages(MessageRead read) => inner.ReadMessages(read);

    public void ReadBacklog(BacklogRead read) => inner.ReadBacklog(read);

    public void FinishShared(Session session, in SharedPlace place) => inner.FinishShared(session, place);

    public void ReturnShared(Session session, in SharedPlace place, SharedMessage message)
    {
        if (without != Rule.ShareGivesBack)
        {
            inner.ReturnShared(session, place, message);
        }
    }

    public void TakeShared(Session session, in SharedPlace place, ushort packetId)
    {
        if (without == Rule.ShareIsTaken)
        {
            session.SharedTaken(packetId, place, isGranted: true);
            return;
        }

        inner.TakeShared(session, place, packetId);
        if (without == Rule.ShareIsDoneWhenReceived)
        {
            inner.FinishShared(session, place);
        }
    }

    public void SettleLater(Session session, int group) => inner.SettleLater(session, group);
}
