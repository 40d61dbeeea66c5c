using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

internal sealed partial class PublishLink
{
    /// <summary>
    /// Refuses what was never written to any connection and has waited too long. What was written once stays open: the
    /// broker may have it.
    /// </summary>
    private void RefuseOverdue()
    {
        long now = Loop.NowMs;
        int count = 0;
        while (_written + count < _ring.Count && now - _ring[_written + count].KeptAtMs >= Options.GroupAwayTimeoutMs)
        {
            count++;
        }

        if (count > 0)
        {
            var tickets = new PublishTicket[count];
            for (int i = 0; i < count; i++)
            {
                ref KeptMessage kept = ref _ring[_written + i];
                tickets[i] = kept.Ticket;
                _frames.Return(kept.Block);
            }

            _ring.RemoveAt(_written, count);
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
        if (_written < _ring.Count && !_awayTimer.IsScheduled)
        {
            long waited = Loop.NowMs - _ring[_written].KeptAtMs;
            Loop.Timers.Schedule(_awayTimer, long.Max(0, Options.GroupAwayTimeoutMs - waited));
        }
    }
}
