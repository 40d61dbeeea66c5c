using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// $SYS on one loop: answered by the node itself, as retained messages at subscribe and as changed values at an interval.
/// Loop thread only; it is its own timer, running only while somebody subscribes.
/// </summary>
internal sealed class SysTopics(SessionContext context, LinkOptions options, Func<SysValues> read) : LoopTimer
{
    private readonly List<SessionSubscription> _subscriptions = [];
    private readonly List<SessionSubscription> _new = [];
    private SysValues? _last;
    private bool _isStarted;

    public void Start()
    {
        _isStarted = true;
        Schedule();
    }

    public void Stop()
    {
        _isStarted = false;
        context.Loop.Timers.Cancel(this);
    }

    public void Add(SessionSubscription subscription, bool wantsRetained)
    {
        if (!_subscriptions.Contains(subscription))
        {
            _subscriptions.Add(subscription);
        }

        if (wantsRetained)
        {
            _new.Add(subscription);
        }

        Schedule();
    }

    public void Remove(SessionSubscription subscription)
    {
        if (_subscriptions.Count > 0)
        {
            _subscriptions.Remove(subscription);
        }
    }

    /// <summary>After SUBACK: the values now, to the new subscribers alone.</summary>
    public void DeliverFirst()
    {
        if (_new.Count == 0)
        {
            return;
        }

        SysValues values = read();
        foreach ((byte[] topic, byte[] value) in values.Entries)
        {
            SharedMessage message = Rent(topic, value);
            foreach (SessionSubscription subscription in _new)
            {
                if (subscription.IsHeld && TopicMatcher.Matches(subscription.Filter.Filter, topic))
                {
                    uint identifier = subscription.Identifier;
                    subscription.Session.Deliver(
                        message, QoS.AtMostOnce, retain: true, identifier == 0 ? default : new ReadOnlySpan<uint>(in identifier));
                }
            }

            message.Release();
        }

        _new.Clear();
    }

    /// <inheritdoc/>
    protected override void OnDue()
    {
        SysValues values = read();
        for (int i = 0; i < values.Entries.Count && _subscriptions.Count > 0; i++)
        {
            (byte[] topic, byte[] value) = values.Entries[i];
            if (_last is not null && value.AsSpan().SequenceEqual(_last.Entries[i].Value))
            {
                continue;
            }

            SharedMessage message = Rent(topic, value);
            context.FanOut.Begin(message);
            foreach (SessionSubscription subscription in _subscriptions)
            {
                if (TopicMatcher.Matches(subscription.Filter.Filter, topic))
                {
                    context.FanOut.Add(subscription);
                }
            }

            context.FanOut.Deliver();
            message.Release();
        }

        _last = values;
        Schedule();
    }

    private void Schedule()
    {
        if (_isStarted && _subscriptions.Count > 0 && !IsScheduled)
        {
            context.Loop.Timers.Schedule(this, options.SysIntervalSeconds * 1000L);
        }
    }

    private SharedMessage Rent(byte[] topic, byte[] value) => context.Messages.Rent(new MessageContent
    {
        Topic = topic,
        Payload = value,
        QoS = QoS.AtMostOnce,
        Retain = true,
        ExpiresAtMs = long.MaxValue,
    });
}
