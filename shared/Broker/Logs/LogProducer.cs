using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// What the log remembers of one publish link, so that a message sent again after a lost link is not appended twice.
/// Numbers on a link rise, so the last one is enough.
/// </summary>
public sealed class LogProducer
{
    internal LogProducer(string node, ulong link)
    {
        Node = node;
        Link = link;
    }

    /// <summary>The node.</summary>
    public string Node { get; }

    /// <summary>The number of the link within the node.</summary>
    public ulong Link { get; }

    /// <summary>The highest number appended; 0 before the first.</summary>
    public ulong LastNumber { get; internal set; }

    /// <summary>The position of that message: once it is committed, every lower number is, too.</summary>
    public LogPosition LastPosition { get; internal set; }

    /// <summary>How many connections hold it.</summary>
    internal int Holders { get; set; }

    /// <summary>When the last of them let go, on the loop's clock.</summary>
    internal long ReleasedMs { get; set; }

    /// <summary>A number was appended, or passed over because its message stands at an earlier position.</summary>
    internal void Pass(ulong number, LogPosition position)
    {
        LastNumber = number;
        LastPosition = position > LastPosition ? position : LastPosition;
    }

    /// <summary>Whether a message with this number was appended already.</summary>
    public bool Has(ulong number) => number <= LastNumber;
}
