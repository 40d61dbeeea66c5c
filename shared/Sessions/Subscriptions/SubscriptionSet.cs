using System.Diagnostics.CodeAnalysis;
using Trunkline.Topics;

namespace Trunkline.Sessions;

/// <summary>
/// The subscriptions of one session. Most devices hold one: it stands inline, a dictionary comes with the second, so that
/// an idle device costs no table.
/// </summary>
internal struct SubscriptionSet
{
    /// <summary>Null, the only subscription, or the dictionary of several.</summary>
    private object? _held;

    public readonly int Count => _held switch
    {
        null => 0,
        SessionSubscription => 1,
        _ => Many!.Count,
    };

    private readonly Dictionary<TopicFilterText, SessionSubscription>? Many =>
        _held as Dictionary<TopicFilterText, SessionSubscription>;

    public readonly bool TryGet(TopicFilterText filter, [NotNullWhen(true)] out SessionSubscription? subscription)
    {
        if (Many is { } many)
        {
            return many.TryGetValue(filter, out subscription);
        }

        subscription = _held is SessionSubscription single && single.Filter == filter ? single : null;
        return subscription is not null;
    }

    public void Add(SessionSubscription subscription)
    {
        switch (_held)
        {
            case null:
                _held = subscription;
                break;
            case SessionSubscription single:
                _held = new Dictionary<TopicFilterText, SessionSubscription>
                {
                    [single.Filter] = single,
                    [subscription.Filter] = subscription,
                };
                break;
            default:
                Many!.Add(subscription.Filter, subscription);
                break;
        }
    }

    public void Remove(SessionSubscription subscription)
    {
        if (ReferenceEquals(_held, subscription))
        {
            _held = null;
        }
        else
        {
            Many?.Remove(subscription.Filter);
        }
    }

    public readonly SessionSubscription[] ToArray() =>
        Many is { } many ? [.. many.Values] : _held is SessionSubscription single ? [single] : [];
}
