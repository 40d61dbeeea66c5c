using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

internal sealed partial class PublishLink
{
    /// <summary>
    /// Refuses what was never written to any connection, nor offered to a log, and has waited too long. What was written
    /// once stays open: the broker or the log may have it.
    /// </summary>
    private void RefuseOverdue()
    {
        long now = Loop.NowMs;
        int first = FirstUntouched;
        int count = 0;
        while (first + count < _ring.Count && now - _ring[first + count].KeptAtMs >= Options.GroupAwayTimeoutMs)
        {
            count++;
        }

        if (count > 0)
        {
            var tickets = new PublishTicket[count];
            for (int i = 0; i < count; i++)
            {
                ref KeptMessage kept = ref _ring[first + i];
                tickets[i] = kept.Ticket;
                _frames.Return(kept.Block);
            }

            _ring.RemoveAt(first, count);
            Counters.Add(LinkCounter.RefusedAway, count);
            LinksLog.RefusedAway(Group.Log, Group.Endpoint.Name, count, Options.GroupAwayTimeoutMs);
            foreach (PublishTicket ticket in tickets)
            {
                ticket.Complete(ReasonCode.QuotaExceeded);
            }
        }

        ScheduleAway();
    }

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
