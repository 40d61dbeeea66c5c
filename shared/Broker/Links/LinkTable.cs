using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>The links of the group and the nodes behind them.</summary>
internal sealed class LinkTable(BrokerState state)
{
    private readonly List<ReceiveLink> _links = [];
    private readonly Dictionary<string, LinkNode> _nodes = new(StringComparer.Ordinal);

    public int PublishLinks { get; private set; }

    public int ReceiveLinks => _links.Count;

    public void OpenPublish(Session session, LinkHello hello)
    {
        session.RouterState = new PublishLink(hello, state.Log.Acquire(hello.Node, hello.Link));
        PublishLinks++;
        state.Counters.Set(BrokerCounter.PublishLinks, PublishLinks);
        BrokerLog.LinkUp(state.Logger, state.Name, "publish", hello.Link, hello.Node);
    }

    public void ClosePublish(PublishLink link)
    {
        state.Log.Release(link.Producer);
        PublishLinks--;
        state.Counters.Set(BrokerCounter.PublishLinks, PublishLinks);
        BrokerLog.LinkDown(state.Logger, state.Name, "publish", link.Hello.Link, link.Hello.Node);
    }

    /// <summary>A node has one receive link: an older one that nobody has noticed to be dead is closed.</summary>
    public void OpenReceive(Session session, LinkHello hello)
    {
        if (!_nodes.TryGetValue(hello.Node, out LinkNode? node))
        {
            node = new LinkNode(hello.Node);
            _nodes.Add(hello.Node, node);
        }

        node.Link?.Session.Channel?.TakeOver();
        var link = new ReceiveLink(state, session, node, hello);
        node.Link = link;
        session.RouterState = link;
        _links.Add(link);
        state.Counters.Set(BrokerCounter.ReceiveLinks, _links.Count);
        BrokerLog.LinkUp(state.Logger, state.Name, "receive", hello.Link, hello.Node);

        // Taking over may have let go of a node without shares.
        _nodes[hello.Node] = node;
        foreach (ShareMember member in node.Shares.Values)
        {
            // Until it says anew who is there.
            member.Connected = 0;
            member.Capacity = 0;
        }
    }

    public void CloseReceive(ReceiveLink link)
    {
        foreach (SessionSubscription subscription in link.Session.Subscriptions)
        {
            if (!subscription.Filter.IsShared)
            {
                state.LinkFilters.Remove(subscription.Filter.Filter, new LinkFilter(link, subscription));
            }
        }

        LinkNode node = link.Node;
        if (ReferenceEquals(node.Link, link))
        {
            node.Link = null;
            node.AwaySinceMs = state.NowMs;
            if (node.Shares.Count == 0)
            {
                _nodes.Remove(node.Name);
            }
        }

        link.Close();
        _links.Remove(link);
        state.Counters.Set(BrokerCounter.ReceiveLinks, _links.Count);
        BrokerLog.LinkDown(state.Logger, state.Name, "receive", link.Hello.Link, node.Name);
    }

    /// <summary>
    /// A link says where it begins. Memberships of the link before that it did not take up again end here.
    /// </summary>
    /// <returns>The position reading begins after, and whether messages may have been missed.</returns>
    public (LogPosition Start, bool MayHaveLost) Resume(ReceiveLink link, LogPosition? after)
    {
        LogPosition from = after ?? link.FirstLive ?? state.Dispatched;
        LogCursor cursor = state.Log.Seek(from, out bool mayHaveLost);
        state.Counters.Add(BrokerCounter.LinkResumes);
        BrokerLog.LinkResumed(state.Logger, state.Name, link.Node.Name, from.ToString(), cursor.Position.ToString());
        if (mayHaveLost)
        {
            state.Counters.Add(BrokerCounter.LinkLosses);
            BrokerLog.LinkLost(state.Logger, state.Name, link.Node.Name, from.ToString(), state.Log.Start.ToString());
        }

        link.Start(cursor);
        LeaveShares(link.Node, member => !ReferenceEquals(member.Subscription.Session, link.Session));
        foreach ((Share share, ShareMember member) in link.Node.Shares)
        {
            // What it has and did not claim was lost on the way to it.
            share.Reclaim(member, keeps: link);
            share.Wake();
        }

        return (cursor.Position, mayHaveLost);
    }

    /// <summary>A node leaves a share: what it has goes to the others.</summary>
    public void LeaveShare(LinkNode node, ShareMember leaving) => LeaveShares(node, member => ReferenceEquals(member, leaving));

    /// <summary>Reads on for every link that waits, whatever it waited for.</summary>
    public void PumpAll()
    {
        foreach (ReceiveLink link in _links)
        {
            link.Pump();
        }
    }

    /// <summary>Tails for all links; nodes that have been away too long are given up.</summary>
    public void OnTick()
    {
        foreach (ReceiveLink link in _links)
        {
            link.Pump();
            link.WriteTail();
        }

        List<LinkNode>? gone = null;
        foreach (LinkNode node in _nodes.Values)
        {
            if (node.Link is null && state.NowMs - node.AwaySinceMs >= state.Options.NodeGoneMs)
            {
                (gone ??= []).Add(node);
            }
        }

        foreach (LinkNode node in gone ?? [])
        {
            _nodes.Remove(node.Name);
            BrokerLog.NodeGone(state.Logger, state.Name, node.Name, node.Shares.Count);
            LeaveShares(node, _ => true);
        }
    }

    private void LeaveShares(LinkNode node, Predicate<ShareMember> leaves)
    {
        foreach ((Share share, ShareMember member) in node.Shares.ToArray())
        {
            if (leaves(member))
            {
                node.Shares.Remove(share);
                state.Shares.Leave(member);
            }
        }
    }
}
