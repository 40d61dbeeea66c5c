using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>Where an upstream subscription stands on the connection of now.</summary>
internal enum UpstreamState : byte
{
    /// <summary>Has to be sent.</summary>
    Queued,

    /// <summary>SUBSCRIBE sent.</summary>
    Subscribing,

    /// <summary>SUBACK came.</summary>
    Live,

    /// <summary>The broker refused it; tried again on the next connection or request.</summary>
    Refused,

    /// <summary>No loop wants it any more.</summary>
    Gone,
}

/// <summary>
/// One filter of this node at one group, subscribed once whatever the number of sessions. Owned by the receive link's
/// loop; each element of <see cref="Locals"/> is written and read by its own loop only.
/// </summary>
internal sealed class UpstreamFilter(TopicFilterText text, uint identifier, int loops)
{
    public TopicFilterText Text { get; } = text;

    /// <summary>Never reused in an incarnation, so that a late copy cannot be taken for another filter's.</summary>
    public uint Identifier { get; } = identifier;

    public bool IsShared { get; } = text.IsShared;

    /// <summary>The filter on each loop; set when its first subscription there is activated.</summary>
    public LocalFilter?[] Locals { get; } = new LocalFilter?[loops];

    /// <summary>The loops that want it, one bit each.</summary>
    public ulong Loops { get; set; }

    public UpstreamState State { get; set; }

    public ReceiveLink? Link { get; set; }

    /// <summary>Whether it has to be back before the link resumes.</summary>
    public bool IsAwaitedByResume { get; set; }

    /// <summary>Requests not answered yet; null while there are none.</summary>
    public List<FilterRequest>? Waiters { get; set; }

    /// <summary>Shared only: connected members per loop.</summary>
    public int[]? Members { get; set; }

    /// <summary>Shared only: whose turn it is.</summary>
    public int Turn { get; set; }
}
