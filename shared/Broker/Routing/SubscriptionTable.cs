using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>Makes subscriptions of clients and links live and ends them.</summary>
internal sealed class SubscriptionTable(BrokerState state, LinkTable links, RetainedReplays replays)
{
    /// <summary>Adds the filters, answers, then begins with the retained messages.</summary>
    public void Subscribe(SubscribeOperation operation)
    {
        var link = operation.Session.RouterState as ReceiveLink;
        foreach (SubscribeItem item in operation.Items)
        {
            if (!item.IsRefused && item.Subscription is { } subscription && !Add(subscription, link))
            {
                state.Counters.Add(BrokerCounter.SharesRefused);
                item.Reason = ReasonCode.QuotaExceeded;
            }
        }

        if (link is not null)
        {
            operation.AnswerProperties = PositionProperty();
            link.FirstLive ??= state.Dispatched;
        }

        operation.Complete();
        foreach (SubscribeItem item in operation.Items)
        {
            if (!item.IsRefused && item.WantsRetained && item.Subscription is { IsHeld: true } subscription)
            {
                replays.Begin(subscription);
            }
        }
    }

    public void Unsubscribe(SubscribeOperation operation)
    {
        foreach (SubscribeItem item in operation.Items)
        {
            if (item.Subscription is { } subscription)
            {
                Remove(subscription, operation.Session.RouterState as ReceiveLink);
            }
        }

        operation.Complete();
    }

    /// <summary>Ends every subscription of an ordinary client.</summary>
    public void Forget(Session session)
    {
        foreach (SessionSubscription subscription in session.Subscriptions)
        {
            Remove(subscription, link: null);
        }
    }

    private bool Add(SessionSubscription subscription, ReceiveLink? link)
    {
        if (subscription.Filter.IsShared)
        {
            return Join(subscription, link?.Node);
        }

        if (link is not null)
        {
            state.LinkFilters.Add(subscription.Filter, new LinkFilter(link, subscription));
        }
        else
        {
            state.ClientFilters.Add(subscription.Filter, subscription);
        }

        return true;
    }

    private bool Join(SessionSubscription subscription, LinkNode? node)
    {
        if ((subscription.RouterState ?? FindMember(node, subscription) ?? state.Shares.Join(subscription, node)) is not ShareMember member)
        {
            return false;
        }

        // A node that is back has what it had; a new link's subscription takes the place of the old one's.
        member.Subscription = subscription;
        subscription.RouterState = member;
        if (node is not null)
        {
            node.Shares[member.Share] = member;
            if (subscription.Options.QoS == QoS.ExactlyOnce)
            {
                member.Share.MakeLasting();
            }
        }

        return true;
    }

    private static ShareMember? FindMember(LinkNode? node, SessionSubscription subscription) =>
        node?.Shares.Values.FirstOrDefault(member => member.Share.Filter == subscription.Filter);

    private void Remove(SessionSubscription subscription, ReceiveLink? link)
    {
        if (subscription.RouterState is ShareMember member)
        {
            subscription.RouterState = null;
            if (member.Node is { } node)
            {
                links.LeaveShare(node, member);
            }
            else
            {
                state.Shares.Leave(member);
            }
        }
        else if (link is not null)
        {
            state.LinkFilters.Remove(subscription.Filter.Filter, new LinkFilter(link, subscription));
        }
        else
        {
            state.ClientFilters.Remove(subscription.Filter.Filter, subscription);
        }
    }

    private byte[] PositionProperty()
    {
        var text = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
        text.Position(state.Dispatched);
        var properties = new UserPropertyBuilder(stackalloc byte[LinkText.MaximumBytes + 16]);
        properties.TryAdd(ForwardableProperties.TrunklineKey, text.Value);
        return properties.Block.ToArray();
    }
}
