using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

internal sealed partial class PublishLink
{
    /// <summary>In the place of a connection's number: all of them.</summary>
    private const int AnyConnection = -1;

    /// <summary>
    /// Refuses what was never written to any connection, nor offered to a log, and has waited too long. What was written
    /// once stays open: the broker or the log may have it. A publisher that sends a refused message again on its next
    /// connection sends everything behind it again, too: those go with it, or they would arrive before it.
    /// </summary>
    private void RefuseOverdue()
    {
        long now = Loop.NowMs;
        int first = FirstUntouched;
        List<PublishTicket> refused = [];
        HashSet<(IPublishOwner, int)> repeating = [];
        for (int i = first; i < _ring.Count; i++)
        {
            ref KeptMessage kept = ref _ring[i];
            bool isOverdue = now - kept.KeptAtMs >= Options.GroupAwayTimeoutMs;
            if (!isOverdue && repeating.Count == 0)
            {
                // Younger ones follow.
                break;
            }

            PublishTicket ticket = kept.Ticket;
            if (isOverdue && ticket.Publisher is { } publisher && publisher.Repeats(ticket.Attachment, ticket.PacketId, ticket.QoS))
            {
                repeating.Add((publisher, ticket.Attachment));
                if (ticket.QoS == QoS.ExactlyOnce)
                {
                    // One copy stands here, whichever connection sent it first.
                    repeating.Add((publisher, AnyConnection));
                }
            }

            if (isOverdue || IsBehind(repeating, ticket))
            {
                refused.Add(ticket);
                _frames.Return(kept.Block);
                kept.IsDone = true;
            }
        }

        if (refused.Count > 0)
        {
            _ring.RemoveWaiting(first);
            Counters.Add(LinkCounter.RefusedAway, refused.Count);
            LinksLog.RefusedAway(Group.Log, Group.Endpoint.Name, refused.Count, Options.GroupAwayTimeoutMs);
            refused.ForEach(ticket => ticket.Complete(ReasonCode.QuotaExceeded));
        }

        ScheduleAway();
    }

    private static bool IsBehind(HashSet<(IPublishOwner, int)> repeating, in PublishTicket ticket) =>
        ticket.Publisher is { } publisher
        && (repeating.Contains((publisher, ticket.Attachment))
            || (ticket.QoS == QoS.ExactlyOnce && repeating.Contains((publisher, AnyConnection))));

    private void ScheduleAway()
    {
        int first = FirstUntouched;
        if (first < _ring.Count && !_awayTimer.IsScheduled)
        {
            long waited = Loop.NowMs - _ring[first].KeptAtMs;
            Loop.Timers.Schedule(_awayTimer, long.Max(0, Options.GroupAwayTimeoutMs - waited));
        }
    }
}
