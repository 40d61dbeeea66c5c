using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// One member of a share: a session of an ordinary client, or a node by its receive link. A node stays a member while
/// its link is away, for a named time.
/// </summary>
internal sealed class ShareMember
{
    public ShareMember(uint id, SessionSubscription subscription, LinkNode? node)
    {
        Id = id;
        Subscription = subscription;
        Node = node;
    }

    /// <summary>Its number in this run of the broker; a member that leaves and comes back gets another.</summary>
    public uint Id { get; }

    /// <summary>Null for an ordinary client.</summary>
    public LinkNode? Node { get; }

    /// <summary>The subscription of now; of the link before while a node is away.</summary>
    public SessionSubscription Subscription { get; set; }

    /// <summary>Whether it can send on what it gets.</summary>
    public bool IsConnected => Node is null ? Subscription.Session.Channel is not null : Node.Link is { IsRunning: true };

    /// <summary>Whether it is connected and takes messages at once.</summary>
    public bool IsReady => Node is null
        ? Subscription.Session.Channel is { IsCongested: false } && Subscription.Session.Waiting == 0
        : Node.Link is { IsRunning: true, IsAtTail: true, IsCongested: false };
}
