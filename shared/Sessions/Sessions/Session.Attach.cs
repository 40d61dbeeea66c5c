using Trunkline.Transports;

namespace Trunkline.Sessions;

public sealed partial class Session
{
    /// <summary>The will and what runs while there is no connection; null for a connected device without a will.</summary>
    private Ending? _ending;

    /// <summary>The will, until it is published or dropped.</summary>
    public Will? Will => _ending?.Will;

    /// <summary>Whether a will is set for the connection of now, or waits for its delay.</summary>
    public bool HasWill => _ending?.Will is not null;

    private long? ExpiresInSeconds => _ending is { ExpiryDueMs: < long.MaxValue } ending
        ? long.Max(0, ending.ExpiryDueMs - _context.Loop.NowMs + 999) / 1000
        : null;

    /// <summary>Gives the session to a connection. A will that still waits for its delay is dropped [MQTT-3.1.3-9].</summary>
    internal void Attach(Channel channel, uint expirySeconds, Will? will)
    {
        Attachment++;
        Channel = channel;
        ExpirySeconds = expirySeconds;
        CancelTimer();
        _ending = will is null ? null : new Ending(this) { Will = will };
        _window?.MarkUnsent();
        if (expirySeconds == 0)
        {
            LeaveUndone();
        }
        else if (_window is not null || _waiting is not null || _backlog is not null)
        {
            NoteUndone();
        }
    }

    /// <summary>CONNACK is out: what was kept is sent, then the router may speak [MQTT-3.2.0-1].</summary>
    internal void Opened()
    {
        if (_journal is { } journal)
        {
            // The claim of this connection was granted, or is this node's to grant.
            journal.PermittedMs = _context.Loop.NowMs;
        }

        if (_restored is { IsNew: true })
        {
            GoOn();
        }

        Drain();
        _context.Router.AttachmentChanged(this);
    }

    /// <summary>A will that waits for its delay does not wait longer; used where the session ends with this process.</summary>
    internal void HurryWill()
    {
        if (HasWill && Channel is null)
        {
            PublishWill();
        }
    }

    /// <summary>
    /// The will of a newer CONNECT stands in the record, whose connection was never opened: whoever asks this session for its
    /// will gets that one. Of the one before the record has taken care.
    /// </summary>
    public void ReplaceWill(Will? will)
    {
        CancelTimer();
        _ending = will is null ? null : new Ending(this) { Will = will };
    }

    /// <summary>DISCONNECT 0x00 deletes the will unpublished [MQTT-3.14.4-3].</summary>
    internal void DropWill()
    {
        CancelTimer();
        _ending = null;
    }

    /// <summary>The connection is gone: the will becomes due, the expiry begins, or the session ends.</summary>
    /// <param name="channel">The connection.</param>
    /// <param name="isSentAway">Whether it ended because this node stops.</param>
    internal void Detach(Channel channel, bool isSentAway)
    {
        if (!ReferenceEquals(Channel, channel))
        {
            return;
        }

        Channel = null;
        ReturnAllShared();
        _waitingQoS0?.Clear();
        _waitingQoS0 = null;
        if (_inbound is { Count: 0 })
        {
            _inbound = null;
        }

        if (_context.Keeper is { } keeper)
        {
            // Will and expiry run where the session is kept, by that clock.
            if (ExpirySeconds > 0)
            {
                LeaveAllLive();
            }

            _context.Router.AttachmentChanged(this);
            keeper.Detached(this, isSentAway ? channel.MaximumSilenceSeconds : null);
            return;
        }

        long now = _context.Loop.NowMs;
        if (_ending is { Will: { } will } ending)
        {
            long delay = long.Min(will.DelaySeconds, ExpirySeconds == uint.MaxValue ? long.MaxValue : ExpirySeconds);
            if (delay == 0)
            {
                PublishWill();
            }
            else
            {
                ending.WillDueMs = now + (delay * 1000);
            }
        }

        if (ExpirySeconds == 0)
        {
            _context.Registry.End(this);
            return;
        }

        if (ExpirySeconds != uint.MaxValue)
        {
            _ending ??= new Ending(this);
            _ending.ExpiryDueMs = now + (ExpirySeconds * 1000L);
        }

        LeaveAllLive();
        _context.Router.AttachmentChanged(this);
        ScheduleTimer(now);
    }

    /// <summary>
    /// Ends the session on this node: everything held here is let go. A will that waits is published now [MQTT-3.1.2-8]
    /// where nobody keeps it.
    /// </summary>
    internal void End()
    {
        if (IsEnded)
        {
            return;
        }

        if (_context.Keeper is null)
        {
            HurryWill();
        }

        FinishAllShared();
        AbandonJournal();
        IsEnded = true;
        CancelTimer();
        _context.Router.Forget(this);
        _context.Counters.Add(SessionCounter.Subscriptions, -_subscriptions.Count);
        foreach (SessionSubscription subscription in _subscriptions.ToArray())
        {
            subscription.IsHeld = false;
        }

        _subscriptions = default;
        _window?.Clear();
        _window = null;
        _waiting?.Clear();
        _waiting = null;
        _waitingQoS0?.Clear();
        _waitingQoS0 = null;
        _inbound = null;
        EndBacklog();
        LeaveUndone();
    }

    /// <summary>
    /// Publishes the will under an identity that makes a second copy of it no other message; for a keeper whose store is
    /// away when it is due.
    /// </summary>
    public void PublishWill(MessageId id)
    {
        if (HasWill)
        {
            PublishWill(id, PublishTicket.None);
        }
    }

    private void PublishWill() => PublishWill(default, PublishTicket.None);

    private void PublishWill(MessageId id, PublishTicket ticket)
    {
        Will will = _ending!.Will!;
        _ending.Will = null;
        _ending.WillDueMs = long.MaxValue;
        _context.Counters.Add(SessionCounter.WillsPublished);
        _context.Router.Publish(
            new PublishRequest
            {
                Topic = will.Topic,
                Payload = will.Payload,
                Forwardable = will.Properties,
                QoS = will.QoS < _context.Options.MaximumQoS ? will.QoS : _context.Options.MaximumQoS,
                Retain = will.Retain,
                MessageExpirySeconds = will.MessageExpirySeconds,
                Origin = OriginIfNeeded,
                Publisher = this,
                Id = id,
            },
            ticket);
    }

    private void OnTimer()
    {
        long now = _context.Loop.NowMs;
        if (_ending is { Will: not null } ending && ending.WillDueMs <= now)
        {
            PublishWill();
        }

        if (_ending?.ExpiryDueMs <= now)
        {
            _context.Counters.Add(SessionCounter.SessionsExpired);
            _context.Registry.End(this);
            return;
        }

        ScheduleTimer(now);
    }

    private void ScheduleTimer(long now)
    {
        if (_ending is { } ending && long.Min(ending.WillDueMs, ending.ExpiryDueMs) is < long.MaxValue and long due)
        {
            _context.Loop.Timers.Schedule(ending, long.Max(0, due - now));
        }
    }

    private void CancelTimer()
    {
        if (_ending is not null)
        {
            _context.Loop.Timers.Cancel(_ending);
        }
    }

    /// <summary>A will, when it is due, and when the session expires; is its own timer.</summary>
    private sealed class Ending(Session session) : LoopTimer
    {
        public Will? Will { get; set; }

        public long WillDueMs { get; set; } = long.MaxValue;

        public long ExpiryDueMs { get; set; } = long.MaxValue;

        protected override void OnDue() => session.OnTimer();
    }
}
