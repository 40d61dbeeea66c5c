using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>For what a member of a share is chosen on a loop.</summary>
/// <param name="Strategy">How.</param>
/// <param name="Group">The group the message is of: members that are not live there yet are passed over.</param>
/// <param name="Message">The message.</param>
/// <param name="MustHaveRoom">Whether a member whose window is full is no member.</param>
/// <param name="Random">Chance.</param>
internal readonly record struct ShareChoice(
    SharedStrategy Strategy, int Group, SharedMessage Message, bool MustHaveRoom, Random Random)
{
    /// <summary>The key of a strategy by hash.</summary>
    public ulong Key => Strategy == SharedStrategy.HashTopic ? ShareRank.HashOf(Message.Topic) : Message.Origin;
}
