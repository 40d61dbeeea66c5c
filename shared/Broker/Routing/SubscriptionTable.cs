using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>Makes subscriptions of clients and links live and ends them.</summary>
internal sealed class SubscriptionTable(BrokerState state, LinkTable links, RetainedReplays replays)
{
    /// <summary>What a shared subscription keeps as its router state.</summary>
    private sealed record Membership(Share Share, ShareMember Member);

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
            return subscription.RouterState is Membership || Join(subscription, link?.Node);
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
        if (node is not null && FindMembership(node, subscription) is { } membership)
        {
            // The node is back: what was chosen for it is still its own.
            membership.Member.Subscription = subscription;
            subscription.RouterState = membership;
            return true;
        }

        if (state.Shares.Join(subscription, node) is not var (share, member))
        {
            return false;
        }

        node?.Shares.Add(share, member);
        subscription.RouterState = new Membership(share, member);
        return true;
    }

    private static Membership? FindMembership(LinkNode node, SessionSubscription subscription)
    {
        foreach ((Share share, ShareMember member) in node.Shares)
        {
            if (share.Filter == subscription.Filter)
            {
                return new Membership(share, member);
            }
        }

        return null;
    }

    private void Remove(SessionSubscription subscription, ReceiveLink? link)
    {
        if (subscription.RouterState is Membership membership)
        {
            subscription.RouterState = null;
            if (membership.Member.Node is { } node)
            {
                links.LeaveShare(node, membership.Member);
            }
            else
            {
                state.Shares.Leave(membership.Share, membership.Member);
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
