using System.Diagnostics.CodeAnalysis;
using Trunkline.Topics;

namespace Trunkline.Sessions;

/// <summary>
/// The subscriptions of one session. Most devices hold one or two: the first stands inline, a dictionary comes with the
/// second, so that an idle device costs no table.
/// </summary>
internal struct SubscriptionSet
{
    private SessionSubscription? _single;
    private Dictionary<TopicFilterText, SessionSubscription>? _many;

    public readonly int Count => _many?.Count ?? (_single is null ? 0 : 1);

    public readonly bool TryGet(TopicFilterText filter, [NotNullWhen(true)] out SessionSubscription? subscription)
    {
        if (_many is not null)
        {
            return _many.TryGetValue(filter, out subscription);
        }

        subscription = _single is not null && _single.Filter == filter ? _single : null;
        return subscription is not null;
    }

    public void Add(SessionSubscription subscription)
    {
        if (_many is not null)
        {
            _many.Add(subscription.Filter, subscription);
        }
        else if (_single is null)
        {
            _single = subscription;
        }
        else
        {
            _many = new Dictionary<TopicFilterText, SessionSubscription>
            {
                [_single.Filter] = _single,
                [subscription.Filter] = subscription,
            };
            _single = null;
        }
    }

    public void Remove(SessionSubscription subscription)
    {
        if (ReferenceEquals(_single, subscription))
        {
            _single = null;
        }
        else
        {
            _many?.Remove(subscription.Filter);
        }
    }

    public readonly SessionSubscription[] ToArray() =>
        _many is not null ? [.. _many.Values] : _single is not null ? [_single] : [];
}
