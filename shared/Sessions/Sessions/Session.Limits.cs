using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <content>The limits of what a session reads from a log, for each group (<see cref="BacklogPolicy"/>).</content>
public sealed partial class Session
{
    internal bool NeedsLimitCheck(int group) =>
        _backlog is { } backlog && backlog[group] is { SkipTo.IsNone: true } cursor
        && (cursor.MessagesAllowed <= 0 || cursor.BytesAllowed <= 0);

    /// <summary>Half of the limits may be delivered before they are looked at again: as much may have come meanwhile.</summary>
    internal void AllowBacklog(int group)
    {
        if (_backlog is not null)
        {
            ref GroupCursor cursor = ref _backlog[group];
            cursor.MessagesAllowed = long.Max(1, _context.Options.BacklogMessages / 2);
            cursor.BytesAllowed = long.Max(1, _context.Options.BacklogBytes / 2);
        }
    }

    internal void ApplyBacklogLimits(int group, LogPosition newest, long skipped, long left, long aged)
    {
        if (_backlog is null)
        {
            return;
        }

        ref GroupCursor cursor = ref _backlog[group];
        AllowBacklog(group);
        if (skipped == 0)
        {
            return;
        }

        _context.Counters.Add(SessionCounter.DroppedBacklog, skipped);
        LogPosition dispatched = _context.Router.Dispatched(group);
        switch (_context.Options.BacklogPolicy)
        {
            case BacklogPolicy.DropOldest:
                _context.Counters.Add(SessionCounter.DroppedBacklogAge, newest > cursor.Position ? aged : 0);
                Skip(ref cursor, group, newest);
                break;
            case BacklogPolicy.DropNewest:
                // What came until now, beyond the limit, is passed over when the limit is used up.
                cursor.MessagesAllowed = _context.Options.BacklogMessages;
                cursor.BytesAllowed = _context.Options.BacklogBytes;
                cursor.SkipTo = dispatched;
                break;
            default:
                _context.Counters.Add(SessionCounter.DroppedBacklog, left);
                _context.Counters.Add(SessionCounter.DroppedBacklogAge, aged);
                Skip(ref cursor, group, dispatched);
                Channel?.Disconnect(
                    CloseCause.LimitExceeded, ReasonCode.QuotaExceeded, "The session's backlog is above its limit; what waited was dropped.");
                break;
        }

        TellSkipped();
    }

    /// <summary>The cursor moves over what the session does not get.</summary>
    private void Skip(ref GroupCursor cursor, int group, LogPosition upTo)
    {
        if (upTo > cursor.Position)
        {
            NoteSkipped(group, cursor.Position, upTo);
            cursor.Position = upTo;
        }
    }

    /// <summary>A message of a page is too old: the cursor passes it, as it does one that has expired.</summary>
    internal void PassAged(int group, LogPosition position)
    {
        if (_backlog is not null)
        {
            Skip(ref _backlog[group], group, position);
        }

        _context.Counters.Add(SessionCounter.DroppedBacklogAge);
    }

    /// <summary>A message was taken from a page.</summary>
    private void UseAllowance(ref GroupCursor cursor, BacklogRead read, int bytes)
    {
        bool wasAllowed = cursor.MessagesAllowed > 0 && cursor.BytesAllowed > 0;
        cursor.MessagesAllowed--;
        cursor.BytesAllowed -= bytes;
        if (!wasAllowed || (cursor.MessagesAllowed > 0 && cursor.BytesAllowed > 0))
        {
            return;
        }

        // The rest of the page is not taken: the limits are looked at before more is, however many a page holds.
        read.IsOver = true;
        Skip(ref cursor, read.Group, cursor.SkipTo);
        cursor.SkipTo = LogPosition.None;
    }
}
