using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <content>
/// Retained messages that were asked for and are not all done. A page of them leaves to the log what the log is to give; when
/// the session skips that part of the log, the page is asked for again (docs/adr/0021).
/// </content>
public sealed partial class Session
{
    /// <summary>What few sessions need, together, so that the others pay one reference for it; or null.</summary>
    private Rare? _rare;

    private PendingRetained? PendingRetained => _rare?.Retained;

    /// <summary>
    /// The positions the session came with, when messages up to them were in flight; null for any other. Up to there the
    /// record no longer names what is done.
    /// </summary>
    private IReadOnlyList<GroupPosition>? Floor => _rare?.Floor;

    /// <summary>Every retained message a subscription asked for was handed to the session, or left to the log. Router only.</summary>
    public void RetainedHandedOver(SessionSubscription subscription)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        if (subscription.IsRetainedPending)
        {
            Retained().IsHandedOver = true;
            TellSkipped();
        }
    }

    /// <summary>
    /// A page passed over retained messages, because the log gives them, or newer ones of their topics: they lie in this part
    /// of it. Router only.
    /// </summary>
    public void RetainedLeftToLog(SessionSubscription subscription, in LogRange part)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        if (subscription.IsRetainedPending && subscription.Options.QoS > QoS.AtMostOnce)
        {
            Retained().Leave(part);
        }
    }

    /// <summary>
    /// Whether the log's message at this position was skipped, so that the pages under way give it as the retained one.
    /// Router only.
    /// </summary>
    public bool IsSkipped(int group, LogPosition position)
    {
        foreach (LogRange given in PendingRetained?.Given ?? [])
        {
            if (given.Holds(group, position))
            {
                return true;
            }
        }

        return false;
    }

    private PendingRetained Retained() => (_rare ??= new Rare()).Retained ??= new PendingRetained();

    /// <summary>A restored session goes on with what its record says: above its cursors nothing was skipped for good.</summary>
    private void RestoreRetained(SessionState state)
    {
        if (_subscriptions.ToArray().Any(subscription => subscription.IsRetainedPending))
        {
            Retained().Restore(state.Skipped
                .Where(part => part.Group < _context.Router.LogGroups && CursorOf(part.Group) > part.After)
                .Select(part => CursorOf(part.Group) < part.UpTo ? part with { UpTo = CursorOf(part.Group) } : part));
        }
        else if (state.Skipped.Count > 0 && IsKept)
        {
            Journal.Delete(SessionStateCodec.SkippedName);
        }
    }

    /// <summary>
    /// The session gets nothing of this part of a log. Where retained messages are pending that is remembered, for a page may
    /// have left one to the log, or may yet; before a checkpoint says that the part is done the record says that it was skipped.
    /// </summary>
    private void NoteSkipped(int group, LogPosition after, LogPosition upTo)
    {
        if (PendingRetained is { } retained && upTo > after)
        {
            if (!IsSkipUnwritten)
            {
                retained.Recorded();
            }

            // What is in flight, or was finished on another node, is not skipped, wherever it lies.
            foreach (LogPosition masked in _restored?.MaskedOf(group) ?? [])
            {
                if (masked > after && masked <= upTo)
                {
                    retained.Skip(new LogRange(group, after, masked.Before));
                    after = masked;
                }
            }

            retained.Skip(new LogRange(group, after, upTo));
        }
    }

    /// <summary>Whether something was skipped that is not known to stand in the record.</summary>
    private bool IsSkipUnwritten =>
        PendingRetained is { } retained && IsKept && (retained.IsDirty || _journal?.IsUnwritten(SessionStateCodec.SkippedName) == true);

    /// <summary>What was skipped goes to the record, and the pages are asked for again where one may have left something to it.</summary>
    private void TellSkipped()
    {
        if (PendingRetained is not { } retained || IsEnded)
        {
            return;
        }

        if (retained.IsDirty && IsKept && !_subscriptions.ToArray().Any(subscription => subscription.IsRetainedPending))
        {
            DropRetained(retained);
            return;
        }

        if (RecordSkipped())
        {
            _context.Keeper!.Changed(this);
        }

        AskForSkipped();
        SettleRetained();
    }

    private bool RecordSkipped()
    {
        if (PendingRetained is not { IsDirty: true } retained || !IsKept)
        {
            return false;
        }

        retained.IsDirty = false;
        Journal.Set(SessionStateCodec.EncodeSkipped(retained.Skipped));
        return true;
    }

    /// <summary>
    /// Not before the pages under way are over: each of them gives what was skipped before it was asked for, and together they
    /// give nothing twice.
    /// </summary>
    private void AskForSkipped()
    {
        if (PendingRetained is not { IsDue: true } retained || IsEnded)
        {
            return;
        }

        SessionSubscription[] pending = [.. _subscriptions.ToArray().Where(subscription => subscription.IsRetainedPending)];
        if (Array.Exists(pending, _context.Router.AwaitsRetained))
        {
            return;
        }

        retained.BeginAgain();
        foreach (SessionSubscription subscription in pending.Where(subscription => subscription.Options.QoS > QoS.AtMostOnce))
        {
            _context.Router.AskForSkipped(subscription, retained.Given);
        }
    }

    /// <summary>
    /// When nothing is in flight, nothing waits, and the log has given what was left to it, the retained messages handed over
    /// are done: a resume need not ask again.
    /// </summary>
    private void SettleRetained()
    {
        if (PendingRetained is not { IsHandedOver: true } retained || _window is not null || _waiting is not null || !IsKept
            || retained.IsDue || !HasWhatWasLeft(retained))
        {
            return;
        }

        retained.IsHandedOver = false;
        bool isPending = false;
        foreach (SessionSubscription subscription in _subscriptions.ToArray().Where(subscription => subscription.IsRetainedPending))
        {
            if (subscription.IsStored && !_context.Router.AwaitsRetained(subscription))
            {
                subscription.IsRetainedPending = false;
                Journal.Set(SessionStateCodec.Encode(StateOf(subscription)));
                _context.Keeper!.Changed(this);
            }

            isPending |= subscription.IsRetainedPending;
        }

        if (!isPending)
        {
            DropRetained(retained);
        }
    }

    private bool HasWhatWasLeft(PendingRetained retained)
    {
        IMessageRouter router = _context.Router;
        for (int group = 0; group < router.LogGroups; group++)
        {
            if (retained.LeftUpTo(group) is { IsNone: false } left && HandledPosition(group, router.Dispatched(group)) < left)
            {
                return false;
            }
        }

        return true;
    }

    private void DropRetained(PendingRetained retained)
    {
        if (retained.Skipped.Count > 0)
        {
            Journal.Delete(SessionStateCodec.SkippedName);
            _context.Keeper!.Changed(this);
        }

        _rare!.Retained = null;
        NoteDone();
    }

    private sealed class Rare
    {
        public IReadOnlyList<GroupPosition>? Floor;
        public PendingRetained? Retained;
    }
}
