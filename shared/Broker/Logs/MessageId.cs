namespace Trunkline.Broker;

/// <summary>
/// The identity of a QoS 1 or 2 message, given where it enters the tier; the same when it comes again by another way.
/// </summary>
/// <param name="Node">The node, or whoever gives numbers of its own (a will): 1 to 64 letters, digits and dashes.</param>
/// <param name="Link">The number of the publish link within the node.</param>
/// <param name="Number">The message's number on that link, from 1.</param>
public readonly record struct MessageId(string Node, ulong Link, ulong Number)
{
    /// <summary>Letters a node's name may have.</summary>
    public const int MaximumNodeLength = 64;
}
