using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

public sealed partial class Session
{
    private SubscribeOperation? _operation;
    private bool _isStarting;

    /// <summary>SUBSCRIBE and UNSUBSCRIBE packets that wait or are under way.</summary>
    internal int OperationCount
    {
        get
        {
            int count = 0;
            for (SubscribeOperation? operation = _operation; operation is not null; operation = operation.NextWaiting)
            {
                count++;
            }

            return count;
        }
    }

    /// <summary>Takes a SUBSCRIBE whose filters were already read; answered when the router completes it [MQTT-3.8.4-1].</summary>
    internal void BeginSubscribe(ushort packetId, List<SubscribeItem> items) =>
        Enqueue(new SubscribeOperation(this, Attachment, packetId, false, [.. items]));

    /// <summary>Takes an UNSUBSCRIBE; the filters are gone from this session at once [MQTT-3.10.4-2].</summary>
    internal void BeginUnsubscribe(ushort packetId, List<SubscribeItem> items) =>
        Enqueue(new SubscribeOperation(this, Attachment, packetId, true, [.. items]));

    /// <summary>Enters one filter of a SUBSCRIBE: a new one, or new options for one that is held [MQTT-3.8.4-3].</summary>
    internal SubscribeItem Hold(TopicFilterText filter, SubscriptionOptions options, uint identifier)
    {
        bool isNew = !_subscriptions.TryGet(filter, out SessionSubscription? subscription);
        if (isNew && _subscriptions.Count >= _context.Options.MaximumSubscriptions)
        {
            return new SubscribeItem(null, ReasonCode.QuotaExceeded);
        }

        if (isNew)
        {
            subscription = new SessionSubscription(this, filter) { IsHeld = true };
            _subscriptions.Add(subscription);
            _context.Counters.Add(SessionCounter.Subscriptions);
        }

        QoS granted = options.QoS < _context.Options.MaximumQoS ? options.QoS : _context.Options.MaximumQoS;
        _noLocalCount += (options.NoLocal ? 1 : 0) - (!isNew && subscription!.Options.NoLocal ? 1 : 0);
        subscription!.Options = SubscriptionOptions.Create(granted, options.NoLocal, options.RetainAsPublished, options.RetainHandling);
        subscription.Identifier = identifier;
        bool wantsRetained = !filter.IsShared
            && (options.RetainHandling == RetainHandling.SendAtSubscribe
                || (options.RetainHandling == RetainHandling.SendIfNew && isNew));
        return new SubscribeItem(subscription, (ReasonCode)granted) { IsNew = isNew, WantsRetained = wantsRetained };
    }

    /// <summary>Lets go of one filter of an UNSUBSCRIBE.</summary>
    internal SubscribeItem LetGo(TopicFilterText filter)
    {
        if (!_subscriptions.TryGet(filter, out SessionSubscription? subscription))
        {
            return new SubscribeItem(null, ReasonCode.NoSubscriptionExisted);
        }

        Remove(subscription);
        return new SubscribeItem(subscription, ReasonCode.Success);
    }

    internal void CompleteOperation(SubscribeOperation operation)
    {
        if (!ReferenceEquals(operation, _operation))
        {
            throw new InvalidOperationException("A subscribe operation was completed that is not the one under way.");
        }

        _operation = operation.NextWaiting;
        if (IsEnded)
        {
            return;
        }

        if (!operation.IsUnsubscribe)
        {
            foreach (SubscribeItem item in operation.Items)
            {
                if (item.IsRefused && item.IsNew && item.Subscription is { IsHeld: true } subscription
                    && !IsAskedForAgain(operation, subscription))
                {
                    Remove(subscription);
                }
            }
        }

        if (!operation.IsUnsubscribe && _backlog is not null)
        {
            LimitReads();
        }

        if (IsKept && !operation.IsRestore && RecordOperation(operation))
        {
            Await(new JournalWait(JournalStep.AnswerOperation, operation.PacketId, operation.Attachment, Subject: operation));
        }
        else
        {
            Answer(operation);
        }

        StartNext();
    }

    private void Answer(SubscribeOperation operation)
    {
        if (operation.Attachment == Attachment && !operation.IsRestore)
        {
            Channel?.CompleteOperation(operation);
        }

        operation.Answered();
    }

    /// <summary>Writes ahead what the answer promises; returns whether that is anything.</summary>
    private bool RecordOperation(SubscribeOperation operation)
    {
        bool changes = false;
        foreach (SubscribeItem item in operation.Items)
        {
            if (item.Subscription is not { } subscription)
            {
                continue;
            }

            if (operation.IsUnsubscribe && subscription.IsStored)
            {
                subscription.IsStored = false;
                Journal.Delete(SessionStateCodec.SubscriptionName(subscription.Filter.ToString()));
                changes = true;
            }
            else if (!operation.IsUnsubscribe && !item.IsRefused && subscription.IsHeld)
            {
                subscription.IsStored = true;
                subscription.IsRetainedPending = item.WantsRetained && _context.Router.AwaitsRetained(subscription);
                if (subscription.IsRetainedPending)
                {
                    Retained();
                }

                Journal.Set(SessionStateCodec.Encode(StateOf(subscription)));
                Journal.Set(SessionStateCodec.Meta(_window?.LastPacketId ?? _lastPacketId));
                changes = true;
            }
        }

        return changes;
    }

    /// <summary>
    /// Whether a SUBSCRIBE that waits names the refused filter again: the subscription stays then, and is new to that one.
    /// </summary>
    private static bool IsAskedForAgain(SubscribeOperation refused, SessionSubscription subscription)
    {
        for (SubscribeOperation? waiting = refused.NextWaiting; waiting is not null; waiting = waiting.NextWaiting)
        {
            foreach (SubscribeItem item in waiting.Items)
            {
                if (!waiting.IsUnsubscribe && ReferenceEquals(item.Subscription, subscription))
                {
                    item.BecomeNew();
                    return true;
                }
            }
        }

        return false;
    }

    private void Remove(SessionSubscription subscription)
    {
        subscription.IsHeld = false;
        _subscriptions.Remove(subscription);
        _noLocalCount -= subscription.Options.NoLocal ? 1 : 0;
        _context.Counters.Add(SessionCounter.Subscriptions, -1);
    }

    private void Enqueue(SubscribeOperation operation)
    {
        if (_operation is not { } last)
        {
            _operation = operation;
            StartNext();
            return;
        }

        // At most Mqtt:MaximumWaitingOperations wait, nearly always none: a walk is cheaper than a field in every session.
        while (last.NextWaiting is not null)
        {
            last = last.NextWaiting;
        }

        last.NextWaiting = operation;
    }

    /// <summary>
    /// Gives the router the operation whose turn it is. A loop, not a recursion: where the router completes at once, the
    /// next one begins after it has returned, so that it never sees two of a session at a time.
    /// </summary>
    private void StartNext()
    {
        if (_isStarting)
        {
            return;
        }

        _isStarting = true;
        try
        {
            while (_operation is { IsStarted: false } operation && !IsEnded)
            {
                operation.IsStarted = true;
                if (operation.IsUnsubscribe)
                {
                    _context.Router.Unsubscribe(operation);
                }
                else
                {
                    _context.Router.Subscribe(operation);
                }
            }
        }
        finally
        {
            _isStarting = false;
        }
    }
}
