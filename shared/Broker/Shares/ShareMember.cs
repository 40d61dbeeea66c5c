using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// One member of a share: a session of an ordinary client, or a node by its receive link. A node stays a member while
/// its link is away, for a named time.
/// </summary>
internal sealed class ShareMember(Share share, SessionSubscription subscription, LinkNode? node)
{
    public Share Share { get; } = share;

    /// <summary>Null for an ordinary client.</summary>
    public LinkNode? Node { get; } = node;

    /// <summary>The subscription of now; of the link before while a node is away.</summary>
    public SessionSubscription Subscription { get; set; } = subscription;

    /// <summary>Names it for hashes; the same in every run.</summary>
    public ulong Key { get; } = node?.Key ?? subscription.Session.Origin;

    /// <summary>A node: how many of its members are connected, as it said last; 0 until it says so.</summary>
    public int Connected { get; set; }

    /// <summary>A node: messages it takes of this share at a time, as it said last.</summary>
    public int Capacity { get; set; }

    /// <summary>Messages it has and that are not done.</summary>
    public int HandedOut { get; set; }

    /// <summary>Its credit in the smooth weighted round robin.</summary>
    public int Turn { get; set; }

    /// <summary>How much it takes compared with others; 0 when it takes nothing now.</summary>
    public int Weight => Node is null
        ? Subscription.Session.Channel is null ? 0 : 1
        : Node.Link is { IsRunning: true } ? Connected : 0;

    /// <summary>Whether it takes a live message now.</summary>
    public bool IsReady => Node is null
        ? Subscription.Session.Channel is { IsCongested: false }
        : Weight > 0 && Node.Link is { IsCongested: false };

    /// <summary>Whether it takes one more message that has to be done.</summary>
    /// <param name="limit">Most messages of one share with one node.</param>
    public bool HasRoom(int limit) => IsReady
        && HandedOut < int.Min(limit, Node is null ? Subscription.Session.SharedCapacity : Capacity)
        && (Node is not null || Subscription.Session.Waiting == 0);
}
